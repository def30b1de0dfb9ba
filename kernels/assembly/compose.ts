// From denoised opponent planes to RGB888, with the colour and tone correction on the way, in 16-bit integers.

import { closeGaps, interleaved, storeRgb888 } from './rgb888';
import { times } from './times';

/** The parameter block, 16-bit fields: what the caller has worked out for this frame. */
// @ts-ignore: decorator
@unmanaged
export class Correction {
  /** Per channel: factors x 4,096 of S (x 32), D (x 16) and E (x 8), and a constant; results are pixels x 32. */
  redS: i16; redD: i16; redE: i16; redConstant: i16;
  greenS: i16; greenD: i16; greenE: i16; greenConstant: i16;
  blueS: i16; blueD: i16; blueE: i16; blueConstant: i16;
  /** Lifts the middle: v + lift / 32,768 x v (8,160 - v) / 8,192. */
  lift: i16;
  /** Bends the highlights: v - shoulder / 32,768 x (8 t)^2 / 32,768, where t is how far v is above the knee, at most reach (below 4,096). */
  knee: i16;
  reach: i16;
  shoulder: i16;
  // Constants of the kernel. It loads them once: as constants of the code they would be made anew for every use.
  /** 8,160 */
  white: i16;
  /** 1,024: times it, pixels x 32 become pixels. */
  toPixels: i16;
  /** 4,096 */
  unit: i16;
  /** 8,192 */
  quarter: i16;
}

// @ts-ignore: decorator
@inline function pair(low: i16, high: i16): v128 {
  return i32x4.splat((<i32>low & 0xffff) | (<i32>high << 16));
}

// Between two values, nearer to the first: (3 a + b + 2) >> 2.
// @ts-ignore: decorator
@inline function nearer(a: v128, b: v128, quarter: v128): v128 {
  return i16x8.add(a, times(i16x8.sub(b, a), quarter));
}

// A row of chroma between two rows, x 1/4 of the planes' scale.
// @ts-ignore: decorator
@inline function betweenRows(near: usize, far: usize, target: usize, bytes: usize, quarter: v128): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(target + i, nearer(i16x8.shr_s(v128.load(near + i), 2), i16x8.shr_s(v128.load(far + i), 2), quarter));
  }
}

// Eight values of one channel, rounded to pixels but not limited to 0 to 255.
// @ts-ignore: decorator
@inline function channel(
  sdLow: v128, sdHigh: v128, eLow: v128, eHigh: v128, sd: v128, e: v128,
  lift: v128, knee: v128, reach: v128, shoulder: v128, white: v128, toPixels: v128, lifted: bool, bent: bool,
): v128 {
  const low = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(sdLow, sd), i32x4.dot_i16x8_s(eLow, e)), 12);
  const high = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(sdHigh, sd), i32x4.dot_i16x8_s(eHigh, e)), 12);
  let v = i16x8.narrow_i32x4_s(low, high);
  if (lifted || bent) v = i16x8.max_s(v, i16x8.splat(0));
  if (lifted) {
    const product = times(v, i16x8.sub(white, v));
    v = i16x8.add_sat_s(v, times(i16x8.shl(product, 2), lift));
  }
  if (bent) {
    const above = i16x8.shl(i16x8.min_s(i16x8.sub_sat_u(v, knee), reach), 3);
    v = i16x8.sub_sat_s(v, times(times(above, above), shoulder));
  }
  return times(v, toPixels);
}

// Eight pixels; writes 28 bytes, of which 24 count.
// @ts-ignore: decorator
@inline function eight(
  s: v128, d: v128, e: v128, red: v128, redE: v128, green: v128, greenE: v128, blue: v128, blueE: v128,
  lift: v128, knee: v128, reach: v128, shoulder: v128, white: v128, toPixels: v128, unit: v128, gaps: v128, target: usize,
  lifted: bool, bent: bool,
): void {
  const sdLow = interleaved(s, d, false);
  const sdHigh = interleaved(s, d, true);
  const eLow = interleaved(e, unit, false);
  const eHigh = interleaved(e, unit, true);
  const r = channel(sdLow, sdHigh, eLow, eHigh, red, redE, lift, knee, reach, shoulder, white, toPixels, lifted, bent);
  const g = channel(sdLow, sdHigh, eLow, eHigh, green, greenE, lift, knee, reach, shoulder, white, toPixels, lifted, bent);
  const b = channel(sdLow, sdHigh, eLow, eHigh, blue, blueE, lift, knee, reach, shoulder, white, toPixels, lifted, bent);
  storeRgb888(r, g, b, gaps, target);
}

// @ts-ignore: decorator
@inline function rows(
  s: usize, sStride: usize, d: usize, e: usize, guide: usize, slopes: usize, halfStride: usize, width: usize, height: usize,
  correction: Correction, scratch: usize, target: usize, lifted: bool, bent: bool,
): void {
  const red = pair(correction.redS, correction.redD);
  const redE = pair(correction.redE, correction.redConstant);
  const green = pair(correction.greenS, correction.greenD);
  const greenE = pair(correction.greenE, correction.greenConstant);
  const blue = pair(correction.blueS, correction.blueD);
  const blueE = pair(correction.blueE, correction.blueConstant);
  const lift = i16x8.splat(correction.lift);
  const knee = i16x8.splat(correction.knee);
  const reach = i16x8.splat(correction.reach);
  const shoulder = i16x8.splat(correction.shoulder);
  const white = i16x8.splat(correction.white);
  const toPixels = i16x8.splat(correction.toPixels);
  const unit = i16x8.splat(correction.unit);
  const quarter = i16x8.splat(correction.quarter);
  const gaps = closeGaps();
  // One element of padding on either side is needed between columns.
  const bytes = width + 16;
  const dRow = scratch + 16;
  const eRow = dRow + width + 48;
  const guideRow = eRow + width + 48;
  const left: usize = -2;
  const right: usize = 2;
  for (let y: usize = 0; y < height; y++) {
    const near = (y >> 1) * halfStride - 8;
    const far = y & 1 ? near + halfStride : near - halfStride;
    betweenRows(d + near, d + far, dRow - 8, bytes, quarter);
    betweenRows(e + near, e + far, eRow - 8, bytes, quarter);
    betweenRows(guide + near, guide + far, guideRow - 8, bytes, quarter);
    const row = s + y * sStride;
    for (let x: usize = 0; x < width; x += 16) {
      const dMiddle = v128.load(dRow + x);
      const dl = nearer(dMiddle, v128.load(dRow + x + left), quarter);
      const dr = nearer(dMiddle, v128.load(dRow + x + right), quarter);
      const eMiddle = v128.load(eRow + x);
      const el = nearer(eMiddle, v128.load(eRow + x + left), quarter);
      const er = nearer(eMiddle, v128.load(eRow + x + right), quarter);
      const guideMiddle = v128.load(guideRow + x);
      const gl = nearer(guideMiddle, v128.load(guideRow + x + left), quarter);
      const gr = nearer(guideMiddle, v128.load(guideRow + x + right), quarter);
      // What halving took from S, and what D and E lost with it.
      const p = row + (x << 1);
      const s0 = v128.load(p);
      const s1 = v128.load(p, 16);
      const detail0 = i16x8.sub(s0, i16x8.shl(interleaved(gl, gr, false), 2));
      const detail1 = i16x8.sub(s1, i16x8.shl(interleaved(gl, gr, true), 2));
      const dSlope = v128.load16_splat(slopes + (x >> 2));
      const eSlope = v128.load16_splat(slopes + (x >> 2), 2);
      const d0 = i16x8.add(interleaved(dl, dr, false), times(detail0, dSlope));
      const d1 = i16x8.add(interleaved(dl, dr, true), times(detail1, dSlope));
      const e0 = i16x8.add(interleaved(el, er, false), times(detail0, eSlope));
      const e1 = i16x8.add(interleaved(el, er, true), times(detail1, eSlope));
      eight(
        s0, d0, e0, red, redE, green, greenE, blue, blueE,
        lift, knee, reach, shoulder, white, toPixels, unit, gaps, target, lifted, bent);
      eight(
        s1, d1, e1, red, redE, green, greenE, blue, blueE,
        lift, knee, reach, shoulder, white, toPixels, unit, gaps, target + 24, lifted, bent);
      target += 48;
    }
  }
}

/**
 * `s` (x 32), `d` (x 64) and `e` (x 32) are the first inner elements of denoised planes with padding, and `guide` (x 32) that of S
 * at half size; `width` (a multiple of 16) and `height` (even, at most 16) are those of S. `slopes` holds two 16-bit integers per 16
 * columns: how much D (x 16,384) and E (x 8,192) change there with S. Rows of the target have width x 3 bytes; 4 bytes beyond the last
 * one are written. `scratch` holds width x 3 + 208 bytes.
 */
export function composePicture(
  s: usize, sStride: usize, d: usize, e: usize, guide: usize, slopes: usize, halfStride: usize, width: usize, height: usize,
  correction: Correction, scratch: usize, target: usize,
): void {
  // Most frames need neither, and each costs a tenth of the time.
  if (correction.lift) rows(s, sStride, d, e, guide, slopes, halfStride, width, height, correction, scratch, target, true, true);
  else if (correction.shoulder) rows(s, sStride, d, e, guide, slopes, halfStride, width, height, correction, scratch, target, false, true);
  else rows(s, sStride, d, e, guide, slopes, halfStride, width, height, correction, scratch, target, false, false);
}

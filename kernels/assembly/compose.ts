// From denoised opponent planes to RGB888, with the colour and tone correction on the way, in 16-bit integers.

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
  /** 16 */
  half: i16;
  /** 4,096 */
  unit: i16;
  /** 2 */
  two: i16;
  /** Bytes 0 1 2, 4 5 6, 8 9 10, 12 13 14, then four of 128: closes the gaps between pixels of four bytes. */
  gaps: u64;
  moreGaps: u64;
}

// @ts-ignore: decorator
@inline function pair(low: i16, high: i16): v128 {
  return i32x4.splat((<i32>low & 0xffff) | (<i32>high << 16));
}

// A row of chroma between two rows: three parts of the near one and one of the far one, x 1/4 of the planes' scale.
// @ts-ignore: decorator
@inline function betweenRows(near: usize, far: usize, target: usize, bytes: usize, two: v128): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = i16x8.shr_s(v128.load(near + i), 2);
    const b = i16x8.shr_s(v128.load(far + i), 2);
    v128.store(target + i, i16x8.shr_s(i16x8.add(i16x8.add(i16x8.add(a, a), i16x8.add(a, b)), two), 2));
  }
}

// Between an element of a row and its neighbour at `offset`, nearer to the element.
// @ts-ignore: decorator
@inline function between(p: usize, offset: usize, two: v128): v128 {
  const a = v128.load(p);
  return i16x8.shr_s(i16x8.add(i16x8.add(i16x8.add(a, a), i16x8.add(a, v128.load(p + offset))), two), 2);
}

// @ts-ignore: decorator
@inline function interleaved(a: v128, b: v128, upper: bool): v128 {
  return upper ? i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15) : i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// Eight values of one channel, 0 to 255 in bytes, twice.
// @ts-ignore: decorator
@inline function channel(
  sdLow: v128, sdHigh: v128, eLow: v128, eHigh: v128, sd: v128, e: v128,
  lift: v128, knee: v128, reach: v128, shoulder: v128, white: v128, half: v128, lifted: bool, bent: bool,
): v128 {
  const low = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(sdLow, sd), i32x4.dot_i16x8_s(eLow, e)), 12);
  const high = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(sdHigh, sd), i32x4.dot_i16x8_s(eHigh, e)), 12);
  let v = i16x8.max_s(i16x8.narrow_i32x4_s(low, high), i16x8.splat(0));
  if (lifted) {
    const product = i16x8.q15mulr_sat_s(v, i16x8.sub(white, v));
    v = i16x8.add_sat_s(v, i16x8.q15mulr_sat_s(i16x8.shl(product, 2), lift));
  }
  if (bent) {
    const above = i16x8.shl(i16x8.min_s(i16x8.max_s(i16x8.sub(v, knee), i16x8.splat(0)), reach), 3);
    v = i16x8.sub_sat_s(v, i16x8.q15mulr_sat_s(i16x8.q15mulr_sat_s(above, above), shoulder));
  }
  v = i16x8.shr_s(i16x8.add_sat_s(v, half), 5);
  return i8x16.narrow_i16x8_u(v, v);
}

// @ts-ignore: decorator
@inline function bytesInterleaved(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// Eight pixels; writes 28 bytes, of which 24 count.
// @ts-ignore: decorator
@inline function eight(
  s: v128, d: v128, e: v128, red: v128, redE: v128, green: v128, greenE: v128, blue: v128, blueE: v128,
  lift: v128, knee: v128, reach: v128, shoulder: v128, white: v128, half: v128, unit: v128, gaps: v128, target: usize,
  lifted: bool, bent: bool,
): void {
  const sdLow = interleaved(s, d, false);
  const sdHigh = interleaved(s, d, true);
  const eLow = interleaved(e, unit, false);
  const eHigh = interleaved(e, unit, true);
  const r = channel(sdLow, sdHigh, eLow, eHigh, red, redE, lift, knee, reach, shoulder, white, half, lifted, bent);
  const g = channel(sdLow, sdHigh, eLow, eHigh, green, greenE, lift, knee, reach, shoulder, white, half, lifted, bent);
  const b = channel(sdLow, sdHigh, eLow, eHigh, blue, blueE, lift, knee, reach, shoulder, white, half, lifted, bent);
  const rg = bytesInterleaved(r, g);
  const b0 = bytesInterleaved(b, i16x8.splat(0));
  v128.store(target, i8x16.swizzle(interleaved(rg, b0, false), gaps));
  v128.store(target, i8x16.swizzle(interleaved(rg, b0, true), gaps), 12);
}

// @ts-ignore: decorator
@inline function rows(
  s: usize, sStride: usize, d: usize, e: usize, halfStride: usize, width: usize, height: usize,
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
  const half = i16x8.splat(correction.half);
  const unit = i16x8.splat(correction.unit);
  const two = i16x8.splat(correction.two);
  const gaps = i64x2.replace_lane(i64x2.splat(correction.gaps), 1, correction.moreGaps);
  // One element of padding on either side is needed between columns.
  const bytes = width + 16;
  const dRow = scratch + 16;
  const eRow = dRow + width + 48;
  const left: usize = -2;
  const right: usize = 2;
  for (let y: usize = 0; y < height; y++) {
    const near = (y >> 1) * halfStride - 8;
    const far = y & 1 ? near + halfStride : near - halfStride;
    betweenRows(d + near, d + far, dRow - 8, bytes, two);
    betweenRows(e + near, e + far, eRow - 8, bytes, two);
    const row = s + y * sStride;
    for (let x: usize = 0; x < width; x += 16) {
      const dl = between(dRow + x, left, two);
      const dr = between(dRow + x, right, two);
      const el = between(eRow + x, left, two);
      const er = between(eRow + x, right, two);
      const p = row + (x << 1);
      eight(
        v128.load(p), interleaved(dl, dr, false), interleaved(el, er, false), red, redE, green, greenE, blue, blueE,
        lift, knee, reach, shoulder, white, half, unit, gaps, target, lifted, bent);
      eight(
        v128.load(p, 16), interleaved(dl, dr, true), interleaved(el, er, true), red, redE, green, greenE, blue, blueE,
        lift, knee, reach, shoulder, white, half, unit, gaps, target + 24, lifted, bent);
      target += 48;
    }
  }
}

/**
 * `s` (x 32), `d` (x 64) and `e` (x 32) are the first inner elements of denoised planes with padding; `width` (a multiple of 16)
 * and `height` (even) are those of S. Rows of the target have width x 3 bytes; 4 bytes beyond the last one are written.
 * `scratch` holds width x 2 + 160 bytes.
 */
export function composePicture(
  s: usize, sStride: usize, d: usize, e: usize, halfStride: usize, width: usize, height: usize,
  correction: Correction, scratch: usize, target: usize,
): void {
  // Most frames need neither, and each costs a tenth of the time.
  if (correction.lift) rows(s, sStride, d, e, halfStride, width, height, correction, scratch, target, true, true);
  else if (correction.shoulder) rows(s, sStride, d, e, halfStride, width, height, correction, scratch, target, false, true);
  else rows(s, sStride, d, e, halfStride, width, height, correction, scratch, target, false, false);
}

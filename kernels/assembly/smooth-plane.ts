import { times } from './times';

// @ts-ignore: decorator
@inline function smoothed(p: usize, step: usize, middle: v128, near: v128, far: v128): v128 {
  return i16x8.add(
    times(v128.load(p), middle),
    i16x8.add(
      times(i16x8.add_sat_s(v128.load(p - step), v128.load(p + step)), near),
      times(i16x8.add_sat_s(v128.load(p - (step << 1)), v128.load(p + (step << 1))), far)));
}

/**
 * Blurs a plane of 16-bit integers with the weights 1 4 6 4 1 / 16 on elements `spacing` (1 or 2) apart, along both axes. `plane` and `other`
 * are the first inner elements of planes of equal strides with padding filled in; the padding of `plane` is stale afterwards.
 */
export function smoothPlane(plane: usize, other: usize, stride: usize, width: usize, height: usize, spacing: usize): void {
  const middle = i16x8.splat(12288);
  const near = i16x8.splat(8192);
  const far = i16x8.splat(2048);
  // Across, four rows of padding on either side included.
  for (let y: usize = 0; y < height + 8; y++) {
    const from = plane + y * stride - 4 * stride;
    const to = other + y * stride - 4 * stride;
    for (let x: usize = 0; x < width << 1; x += 16) v128.store(to + x, smoothed(from + x, spacing << 1, middle, near, far));
  }
  const step = stride * spacing;
  for (let y: usize = 0; y < height; y++) {
    const from = other + y * stride;
    const to = plane + y * stride;
    for (let x: usize = 0; x < width << 1; x += 16) v128.store(to + x, smoothed(from + x, step, middle, near, far));
  }
}

// @ts-ignore: decorator
@inline function sharpened(p: usize, step: usize, strength: v128): v128 {
  const v = v128.load(p);
  const curve = i16x8.sub_sat_s(i16x8.sub_sat_s(v, v128.load(p - step)), i16x8.sub_sat_s(v128.load(p + step), v));
  return i16x8.add_sat_s(v, times(curve, strength));
}

/**
 * Adds `strength` / 32,768 of what an element stands out of its two neighbours, along both axes: undoes part of what halving and
 * bilinear enlarging blur. Arguments as for smoothPlane.
 */
export function sharpenPlane(plane: usize, other: usize, stride: usize, width: usize, height: usize, strength: i32): void {
  const s = i16x8.splat(<i16>strength);
  for (let y: usize = 0; y < height + 8; y++) {
    const from = plane + y * stride - 4 * stride;
    const to = other + y * stride - 4 * stride;
    for (let x: usize = 0; x < width << 1; x += 16) v128.store(to + x, sharpened(from + x, 2, s));
  }
  for (let y: usize = 0; y < height; y++) {
    const from = other + y * stride;
    const to = plane + y * stride;
    for (let x: usize = 0; x < width << 1; x += 16) v128.store(to + x, sharpened(from + x, stride, s));
  }
}

// YUYV (Y0 U Y1 V) to RGB888, BT.601 full range, coefficients as multiples of 1/8192, rounded half up.

import { closeGaps, storeRgb888 } from './rgb888';

// Multipliers of (U, V), which alternate in the chroma lanes.
// @ts-ignore: decorator
@inline function pair(u: i32, v: i32): v128 {
  return i32x4.splat((u & 0xffff) | (v << 16));
}

// Chroma's share of one channel for eight pixels: four pairs, each shared by two neighbours.
// @ts-ignore: decorator
@inline function chroma(uv: v128, factors: v128): v128 {
  const c = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(uv, factors), i32x4.splat(4096)), 13);
  return i8x16.shuffle(c, c, 0, 1, 0, 1, 4, 5, 4, 5, 8, 9, 8, 9, 12, 13, 12, 13);
}

/** `pixels` (even) at 2 bytes each. Reads up to 15 bytes too many, writes up to 28: both need 32 spare bytes. */
export function unpackYuv422(source: usize, target: usize, pixels: i32): void {
  const end = source + (<usize>pixels << 1);
  const forRed = pair(0, 11485);
  const forGreen = pair(-2819, -5850);
  const forBlue = pair(14516, 0);
  const gaps = closeGaps();
  while (source < end) {
    const w = v128.load(source);
    const y = v128.and(w, i16x8.splat(255));
    const uv = i16x8.sub(i16x8.shr_u(w, 8), i16x8.splat(128));
    const r = i16x8.add(y, chroma(uv, forRed));
    const g = i16x8.add(y, chroma(uv, forGreen));
    const b = i16x8.add(y, chroma(uv, forBlue));
    storeRgb888(r, g, b, gaps, target);
    source += 16;
    target += 24;
  }
}

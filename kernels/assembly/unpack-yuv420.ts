// YUV 4:2:0, planar or with U and V interleaved (NV12), to RGB888, BT.601 limited range (Y 16..235, U and V 16..240), coefficients as multiples of 1/8192,
// rounded half up.

import { closeGaps, storeRgb888 } from './rgb888';

// Multipliers of (U, V), which alternate in the chroma lanes.
// @ts-ignore: decorator
@inline function pair(u: i32, v: i32): v128 {
  return i32x4.splat((u & 0xffff) | (v << 16));
}

// One channel of eight pixels: each of the four chroma sums is shared by two neighbours. `low` and `high` carry the rounding.
// @ts-ignore: decorator
@inline function channel(low: v128, high: v128, uv: v128, factors: v128): v128 {
  const c = i32x4.dot_i16x8_s(uv, factors);
  const first = i32x4.add(low, i8x16.shuffle(c, c, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7));
  const second = i32x4.add(high, i8x16.shuffle(c, c, 8, 9, 10, 11, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15));
  return i16x8.narrow_i32x4_s(i32x4.shr_s(first, 13), i32x4.shr_s(second, 13));
}

// Four U and V, as they alternate in NV12.
// @ts-ignore: decorator
@inline function pairs(u: usize, v: usize, nv12: bool): v128 {
  if (nv12) return v128.load64_zero(u);
  return i8x16.shuffle(
    v128.load32_zero(u), v128.load32_zero(v),
    0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
  );
}

/**
 * Rows `first` up to `first + rows` of a picture at `yuv` (Y, then U, then V, or with `nv12` Y, then U and V in turn; both sides even)
 * to `target`, 3 bytes a pixel. Reads up to 7 bytes too many of each plane, writes up to 22: picture and target need 32 spare bytes.
 */
export function unpackYuv420(
  yuv: usize, width: usize, height: usize, first: usize, rows: usize, target: usize, nv12: bool,
): void {
  const chroma = yuv + width * height;
  const half = width >> 1;
  for (let row = first; row < first + rows; row++) {
    const y = yuv + row * width;
    if (nv12) unpackRow(y, chroma + (row >> 1) * width, 0, target, width, true);
    else {
      const u = chroma + (row >> 1) * half;
      unpackRow(y, u, u + half * (height >> 1), target, width, false);
    }
    target += width * 3;
  }
}

// @ts-ignore: decorator
@inline function unpackRow(y: usize, u: usize, v: usize, target: usize, pixels: usize, nv12: bool): void {
  const end = y + pixels;
  const forRed = pair(0, 13075);
  const forGreen = pair(-3209, -6660);
  const forBlue = pair(16525, 0);
  const forLuma = i16x8.splat(9539);
  const half = i32x4.splat(4096);
  const gaps = closeGaps();
  while (y < end) {
    const luma = i16x8.sub(v128.load8x8_u(y), i16x8.splat(16));
    const low = i32x4.add(i32x4.extmul_low_i16x8_s(luma, forLuma), half);
    const high = i32x4.add(i32x4.extmul_high_i16x8_s(luma, forLuma), half);
    // U0 V0 U1 V1 ... as 16-bit lanes around zero.
    const uv = i16x8.sub(i16x8.extend_low_i8x16_u(pairs(u, v, nv12)), i16x8.splat(128));
    const r = channel(low, high, uv, forRed);
    const g = channel(low, high, uv, forGreen);
    const b = channel(low, high, uv, forBlue);
    storeRgb888(r, g, b, gaps, target);
    y += 8;
    u += nv12 ? 8 : 4;
    v += 4;
    target += 24;
  }
}

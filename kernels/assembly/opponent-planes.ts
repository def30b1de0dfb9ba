// Pixels to opponent planes of 16-bit integers: S = R + G + B - 382 at full size; D = R - B (doubled) and E = R - 2 G + B at half
// size, the mean of 2x2 pixels.

// Loaded before the loops: as constants of the code they would be made anew for every use. 382, 1, 2; for RGB565 as in unpackRgb565.
const CONSTANTS = memory.data<u16>([382, 1, 2, 2108, 92, 1036, 132, 63, 31]);

// @ts-ignore: decorator
@inline function storeSum(r: v128, g: v128, b: v128, middle: v128, to: usize): void {
  v128.store(to, i16x8.sub(i16x8.add(i16x8.add(r, g), b), middle));
}

// D and E of eight pixels of two rows: sums of 2x2, four 32-bit integers.
// @ts-ignore: decorator
@inline function differenceOf4(r0: v128, b0: v128, r1: v128, b1: v128, one: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.sub(i16x8.add(r0, r1), i16x8.add(b0, b1)), one);
}
// @ts-ignore: decorator
@inline function greenOf4(r0: v128, g0: v128, b0: v128, r1: v128, g1: v128, b1: v128, one: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.sub(i16x8.add(i16x8.add(r0, b0), i16x8.add(r1, b1)), i16x8.shl(i16x8.add(g0, g1), 1)), one);
}
// @ts-ignore: decorator
@inline function storeHalves(dLeft: v128, dRight: v128, eLeft: v128, eRight: v128, one: v128, two: v128, d: usize, e: usize): void {
  v128.store(d, i16x8.shr_s(i16x8.add(i16x8.narrow_i32x4_s(dLeft, dRight), one), 1));
  v128.store(e, i16x8.shr_s(i16x8.add(i16x8.narrow_i32x4_s(eLeft, eRight), two), 2));
}

// One colour of eight pixels of three bytes.
// @ts-ignore: decorator
@inline function every3rd(low: v128, high: v128, c: u8): v128 {
  return c == 0
    ? i16x8.extend_low_i8x16_u(i8x16.shuffle(low, high, 0, 3, 6, 9, 12, 15, 18, 21, 0, 0, 0, 0, 0, 0, 0, 0))
    : c == 1
      ? i16x8.extend_low_i8x16_u(i8x16.shuffle(low, high, 1, 4, 7, 10, 13, 16, 19, 22, 0, 0, 0, 0, 0, 0, 0, 0))
      : i16x8.extend_low_i8x16_u(i8x16.shuffle(low, high, 2, 5, 8, 11, 14, 17, 20, 23, 0, 0, 0, 0, 0, 0, 0, 0));
}

/**
 * From RGB888. `width` is a multiple of 16, `height` of 2, the source's rows without padding. The planes' strides are in bytes; `s`,
 * `d` and `e` point at the first pixel inside the padding. Reads up to 8 bytes beyond the source.
 */
export function splitRgb888(
  source: usize, width: usize, height: usize, s: usize, sStride: usize, d: usize, e: usize, halfStride: usize,
): void {
  const middle = v128.load16_splat(CONSTANTS);
  const one = v128.load16_splat(CONSTANTS, 2);
  const two = v128.load16_splat(CONSTANTS, 4);
  const rowBytes = width * 3;
  for (let y: usize = 0; y < height; y += 2) {
    let p = source + y * rowBytes;
    const end = p + rowBytes;
    let s0 = s + y * sStride;
    let half = (y >> 1) * halfStride;
    while (p < end) {
      const q = p + rowBytes;
      let a = v128.load(p);
      let b = v128.load64_zero(p, 16);
      let r0 = every3rd(a, b, 0);
      let g0 = every3rd(a, b, 1);
      let b0 = every3rd(a, b, 2);
      a = v128.load(q);
      b = v128.load64_zero(q, 16);
      let r1 = every3rd(a, b, 0);
      let g1 = every3rd(a, b, 1);
      let b1 = every3rd(a, b, 2);
      storeSum(r0, g0, b0, middle, s0);
      storeSum(r1, g1, b1, middle, s0 + sStride);
      const dLeft = differenceOf4(r0, b0, r1, b1, one);
      const eLeft = greenOf4(r0, g0, b0, r1, g1, b1, one);
      a = v128.load(p, 24);
      b = v128.load64_zero(p, 40);
      r0 = every3rd(a, b, 0);
      g0 = every3rd(a, b, 1);
      b0 = every3rd(a, b, 2);
      a = v128.load(q, 24);
      b = v128.load64_zero(q, 40);
      r1 = every3rd(a, b, 0);
      g1 = every3rd(a, b, 1);
      b1 = every3rd(a, b, 2);
      storeSum(r0, g0, b0, middle, s0 + 16);
      storeSum(r1, g1, b1, middle, s0 + sStride + 16);
      storeHalves(dLeft, differenceOf4(r0, b0, r1, b1, one), eLeft, greenOf4(r0, g0, b0, r1, g1, b1, one), one, two, d + half, e + half);
      p += 48;
      s0 += 32;
      half += 16;
    }
  }
}

// As in unpackRgb565: round(v x 255 / 31) and round(v x 255 / 63).
// @ts-ignore: decorator
@inline function widened(v: v128, factor: v128, rounding: v128): v128 {
  return i16x8.shr_u(i16x8.add(i16x8.mul(v, factor), rounding), 8);
}
// @ts-ignore: decorator
@inline function codes(p: usize, bigEndian: bool): v128 {
  const v = v128.load(p);
  return bigEndian ? v128.or(i16x8.shl(v, 8), i16x8.shr_u(v, 8)) : v;
}

// @ts-ignore: decorator
@inline function split565(
  source: usize, width: usize, height: usize, bigEndian: bool,
  s: usize, sStride: usize, d: usize, e: usize, halfStride: usize,
): void {
  const middle = v128.load16_splat(CONSTANTS);
  const one = v128.load16_splat(CONSTANTS, 2);
  const two = v128.load16_splat(CONSTANTS, 4);
  const fives = v128.load16_splat(CONSTANTS, 6);
  const fivesRounding = v128.load16_splat(CONSTANTS, 8);
  const sixes = v128.load16_splat(CONSTANTS, 10);
  const sixesRounding = v128.load16_splat(CONSTANTS, 12);
  const sixBits = v128.load16_splat(CONSTANTS, 14);
  const fiveBits = v128.load16_splat(CONSTANTS, 16);
  const rowBytes = width << 1;
  for (let y: usize = 0; y < height; y += 2) {
    let p = source + y * rowBytes;
    const end = p + rowBytes;
    let s0 = s + y * sStride;
    let half = (y >> 1) * halfStride;
    while (p < end) {
      const q = p + rowBytes;
      let w = codes(p, bigEndian);
      let r0 = widened(i16x8.shr_u(w, 11), fives, fivesRounding);
      let g0 = widened(v128.and(i16x8.shr_u(w, 5), sixBits), sixes, sixesRounding);
      let b0 = widened(v128.and(w, fiveBits), fives, fivesRounding);
      w = codes(q, bigEndian);
      let r1 = widened(i16x8.shr_u(w, 11), fives, fivesRounding);
      let g1 = widened(v128.and(i16x8.shr_u(w, 5), sixBits), sixes, sixesRounding);
      let b1 = widened(v128.and(w, fiveBits), fives, fivesRounding);
      storeSum(r0, g0, b0, middle, s0);
      storeSum(r1, g1, b1, middle, s0 + sStride);
      const dLeft = differenceOf4(r0, b0, r1, b1, one);
      const eLeft = greenOf4(r0, g0, b0, r1, g1, b1, one);
      w = codes(p + 16, bigEndian);
      r0 = widened(i16x8.shr_u(w, 11), fives, fivesRounding);
      g0 = widened(v128.and(i16x8.shr_u(w, 5), sixBits), sixes, sixesRounding);
      b0 = widened(v128.and(w, fiveBits), fives, fivesRounding);
      w = codes(q + 16, bigEndian);
      r1 = widened(i16x8.shr_u(w, 11), fives, fivesRounding);
      g1 = widened(v128.and(i16x8.shr_u(w, 5), sixBits), sixes, sixesRounding);
      b1 = widened(v128.and(w, fiveBits), fives, fivesRounding);
      storeSum(r0, g0, b0, middle, s0 + 16);
      storeSum(r1, g1, b1, middle, s0 + sStride + 16);
      storeHalves(dLeft, differenceOf4(r0, b0, r1, b1, one), eLeft, greenOf4(r0, g0, b0, r1, g1, b1, one), one, two, d + half, e + half);
      p += 32;
      s0 += 32;
      half += 16;
    }
  }
}

/** The same from RGB565 codes. */
export function splitRgb565(
  source: usize, width: usize, height: usize, bigEndian: i32,
  s: usize, sStride: usize, d: usize, e: usize, halfStride: usize,
): void {
  if (bigEndian) split565(source, width, height, true, s, sStride, d, e, halfStride);
  else split565(source, width, height, false, s, sStride, d, e, halfStride);
}

// Pixels to opponent planes of 16-bit integers: S = R + G + B - 382 at full size; D = R - B (doubled) and E = R - 2 G + B at half
// size, the mean of 2x2 pixels.

import { blue565, green565, number565, red565, swap565 } from './rgb565';
import { picked } from './times';

// Loaded before the loops: as constants of the code they would be made anew for every use.
const CONSTANTS = memory.data<u16>([382, 1, 2]);

// Every third byte of the 24 of eight pixels, as 16-bit integers: from the first 16 bytes, and from the last 8.
const EVERY_THIRD = memory.data<u8>([
  0, 128, 3, 128, 6, 128, 9, 128, 12, 128, 15, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 2, 128, 5, 128,
  1, 128, 4, 128, 7, 128, 10, 128, 13, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 128, 3, 128, 6, 128,
  2, 128, 5, 128, 8, 128, 11, 128, 14, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1, 128, 4, 128, 7, 128,
]);

// The two numbers that a channel is taken out with: indices of its bytes, or mask and fraction of its bits.
// @ts-ignore: decorator
@inline function number(packed: bool, i: usize): v128 {
  return packed ? number565(i) : v128.load(EVERY_THIRD + (i << 4));
}

// Eight pixels in two vectors: 16 and 8 bytes of RGB888; RGB565 codes as they lie there, and with their bytes exchanged.
// @ts-ignore: decorator
@inline function second(packed: bool, p: usize, first: v128, swap: v128): v128 {
  return packed ? picked(first, swap) : v128.load64_zero(p, 16);
}

// One channel of them, 0 to 255.
// @ts-ignore: decorator
@inline function channel(packed: bool, bigEndian: bool, c: i32, a: v128, b: v128, first: v128, then: v128): v128 {
  if (!packed) return v128.or(picked(a, first), picked(b, then));
  const codes = bigEndian ? b : a;
  const swapped = bigEndian ? a : b;
  return c == 0 ? red565(codes, first, then) : c == 1 ? green565(codes, first, then) : blue565(swapped, first, then);
}

// @ts-ignore: decorator
@inline function split(
  packed: bool, bigEndian: bool, source: usize, width: usize, height: usize, s: usize, sStride: usize, d: usize, e: usize, halfStride: usize,
): void {
  const middle = v128.load16_splat(CONSTANTS);
  const one = v128.load16_splat(CONSTANTS, 2);
  const two = v128.load16_splat(CONSTANTS, 4);
  const swap = swap565();
  const redFirst = number(packed, 0);
  const redThen = number(packed, 1);
  const greenFirst = number(packed, 2);
  const greenThen = number(packed, 3);
  const blueFirst = number(packed, 4);
  const blueThen = number(packed, 5);
  const bytesOf8: usize = packed ? 16 : 24;
  const rowBytes = (width >> 3) * bytesOf8;
  for (let y: usize = 0; y < height; y += 2) {
    let p = source + y * rowBytes;
    const end = p + rowBytes;
    let above = s + y * sStride;
    let half = (y >> 1) * halfStride;
    while (p < end) {
      const q = p + rowBytes;
      const a0 = v128.load(p);
      const b0 = second(packed, p, a0, swap);
      const red0 = channel(packed, bigEndian, 0, a0, b0, redFirst, redThen);
      const green0 = channel(packed, bigEndian, 1, a0, b0, greenFirst, greenThen);
      const blue0 = channel(packed, bigEndian, 2, a0, b0, blueFirst, blueThen);
      v128.store(above, i16x8.sub(i16x8.add(i16x8.add(red0, green0), blue0), middle));
      const a1 = v128.load(q);
      const b1 = second(packed, q, a1, swap);
      const red1 = channel(packed, bigEndian, 0, a1, b1, redFirst, redThen);
      const green1 = channel(packed, bigEndian, 1, a1, b1, greenFirst, greenThen);
      const blue1 = channel(packed, bigEndian, 2, a1, b1, blueFirst, blueThen);
      v128.store(above + sStride, i16x8.sub(i16x8.add(i16x8.add(red1, green1), blue1), middle));
      // Sums of two rows, then of two columns.
      const reds = i16x8.add(red0, red1);
      const greens = i16x8.add(green0, green1);
      const blues = i16x8.add(blue0, blue1);
      const differences = i32x4.dot_i16x8_s(i16x8.sub(reds, blues), one);
      const lessGreen = i32x4.dot_i16x8_s(i16x8.sub(i16x8.add(reds, blues), i16x8.add(greens, greens)), one);
      const halves = i16x8.narrow_i32x4_s(differences, lessGreen);
      v128.store64_lane(d + half, i16x8.shr_s(i16x8.add(halves, one), 1), 0);
      v128.store64_lane(e + half, i16x8.shr_s(i16x8.add(halves, two), 2), 1);
      p += bytesOf8;
      above += 16;
      half += 8;
    }
  }
}

/**
 * From RGB888. `width` is a multiple of 8, `height` of 2, the source's rows without padding. The planes' strides are in bytes; `s`,
 * `d` and `e` point at the first element inside the padding.
 */
export function splitRgb888(
  source: usize, width: usize, height: usize, s: usize, sStride: usize, d: usize, e: usize, halfStride: usize,
): void {
  split(false, false, source, width, height, s, sStride, d, e, halfStride);
}

/** The same from RGB565 codes. */
export function splitRgb565(
  source: usize, width: usize, height: usize, bigEndian: i32,
  s: usize, sStride: usize, d: usize, e: usize, halfStride: usize,
): void {
  if (bigEndian) split(true, true, source, width, height, s, sStride, d, e, halfStride);
  else split(true, false, source, width, height, s, sStride, d, e, halfStride);
}

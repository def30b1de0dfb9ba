// Three vectors of 16-bit integers to eight pixels of three bytes.

import { picked } from './times';

// Bytes 0 1 2, 4 5 6, 8 9 10, 12 13 14: closes the gaps between pixels of four bytes.
const GAPS = memory.data<u8>([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 128, 128, 128, 128]);

/** What `storeRgb888` takes as `gaps`. Loaded before the loops: as a constant of the code it would be made anew for every use. */
// @ts-ignore: decorator
@inline export function closeGaps(): v128 {
  return v128.load(GAPS);
}

// @ts-ignore: decorator
@inline export function interleaved(a: v128, b: v128, upper: bool): v128 {
  return upper ? i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15) : i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** Limits the values to 0 to 255. Writes 28 bytes, of which 24 count. */
// @ts-ignore: decorator
@inline export function storeRgb888(r: v128, g: v128, b: v128, gaps: v128, target: usize): void {
  const rb = i8x16.narrow_i16x8_u(r, b);
  const g0 = i8x16.narrow_i16x8_u(g, i16x8.splat(0));
  const rg = i8x16.shuffle(rb, g0, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const b0 = i8x16.shuffle(rb, g0, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  storePixels(rg, b0, gaps, target);
}

/** The same from red and green as the two bytes of a lane, and blue. */
// @ts-ignore: decorator
@inline export function storePixels(rg: v128, b: v128, gaps: v128, target: usize): void {
  v128.store(target, picked(interleaved(rg, b, false), gaps));
  v128.store(target, picked(interleaved(rg, b, true), gaps), 12);
}

// RGB565 to RGB888.

import { blue565, green565, number565, red565, swap565 } from './rgb565';
import { closeGaps, storePixels } from './rgb888';
import { picked } from './times';

// @ts-ignore: decorator
@inline function unpack(source: usize, target: usize, pixels: i32, bigEndian: bool): void {
  const redBits = number565(0);
  const forRed = number565(1);
  const greenBits = number565(2);
  const forGreen = number565(3);
  const blueBits = number565(4);
  const forBlue = number565(5);
  const swap = swap565();
  const gaps = closeGaps();
  const end = source + (<usize>pixels << 1);
  while (source < end) {
    const v = v128.load(source);
    const s = picked(v, swap);
    const codes = bigEndian ? s : v;
    const r = red565(codes, redBits, forRed);
    const g = green565(codes, greenBits, forGreen);
    const b = blue565(bigEndian ? v : s, blueBits, forBlue);
    storePixels(v128.or(r, i16x8.shl(g, 8)), b, gaps, target);
    source += 16;
    target += 24;
  }
}

/**
 * `pixels` codes of 2 bytes at `source` become 3 bytes each at `target`. Reads up to 14 bytes beyond the source and writes up to
 * 25 bytes beyond the target: both need 32 spare bytes.
 */
export function unpackRgb565(source: usize, target: usize, pixels: i32, bigEndian: i32): void {
  if (bigEndian) unpack(source, target, pixels, true);
  else unpack(source, target, pixels, false);
}

// RGB888 to the six blocks of an MCU of JPEG 4:2:0, in 16-bit integers, x 16: Y - 128 of 16x16 pixels, and Cb - 128 and Cr - 128
// of 8x8 means of 2x2 pixels. BT.601, full range. Y is rounded to whole levels, as it will be where it is decoded: with fractions, smooth
// pictures lost up to 0.4 dB at quality 95. Those of chroma are kept.

import { picked, times } from './times';

// Every third byte of the 24 of eight pixels, as the upper byte of a 16-bit integer: from the first 16 bytes, and from the last 8.
const EVERY_THIRD = memory.data<u8>([
  128, 0, 128, 3, 128, 6, 128, 9, 128, 12, 128, 15, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 2, 128, 5,
  128, 1, 128, 4, 128, 7, 128, 10, 128, 13, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 128, 3, 128, 6,
  128, 2, 128, 5, 128, 8, 128, 11, 128, 14, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1, 128, 4, 128, 7,
]);

// 0.299, 0.587 and 0.114 x 2,048, which add up to it, so that grey stays grey; 0.5 / (1 - 0.114) and 0.5 / (1 - 0.299) x 8,192; what
// makes bytes signed; half a level, and what leaves whole ones.
const FACTORS = memory.data<u16>([612, 1202, 234, 4623, 5843, 0x8080, 8, 0xfff0]);

// One channel of eight pixels, less 128, x 256.
// @ts-ignore: decorator
@inline function channel(a: v128, b: v128, first: v128, then: v128): v128 {
  return v128.or(picked(a, first), picked(b, then));
}

// @ts-ignore: decorator
@inline function weighted(
  r: v128, g: v128, b: v128, forRed: v128, forGreen: v128, forBlue: v128, half: v128, whole: v128,
): v128 {
  return v128.and(i16x8.add(i16x8.add(times(r, forRed), times(g, forGreen)), i16x8.add(times(b, forBlue), half)), whole);
}

// A channel less luma, summed over 2x2 pixels.
// @ts-ignore: decorator
@inline function difference(upper: v128, upperLuma: v128, lower: v128, lowerLuma: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(
    i16x8.add(i16x8.sub(i16x8.shr_s(upper, 4), upperLuma), i16x8.sub(i16x8.shr_s(lower, 4), lowerLuma)));
}

/** `luma` becomes 16 rows of 16, `cb` and `cr` 8 rows of 8 each. Reads the 16 rows of 48 bytes and nothing else. */
export function splitMcu(source: usize, stride: usize, luma: usize, cb: usize, cr: usize): void {
  const redFirst = v128.load(EVERY_THIRD);
  const redThen = v128.load(EVERY_THIRD, 16);
  const greenFirst = v128.load(EVERY_THIRD, 32);
  const greenThen = v128.load(EVERY_THIRD, 48);
  const blueFirst = v128.load(EVERY_THIRD, 64);
  const blueThen = v128.load(EVERY_THIRD, 80);
  const forRed = v128.load16_splat(FACTORS);
  const forGreen = v128.load16_splat(FACTORS, 2);
  const forBlue = v128.load16_splat(FACTORS, 4);
  const toCb = v128.load16_splat(FACTORS, 6);
  const toCr = v128.load16_splat(FACTORS, 8);
  const signs = v128.load16_splat(FACTORS, 10);
  const half = v128.load16_splat(FACTORS, 12);
  const whole = v128.load16_splat(FACTORS, 14);
  for (let row = 0; row < 8; row++) {
    const next = source + stride;
    let a = v128.xor(v128.load(source), signs);
    let b = v128.xor(v128.load64_zero(source, 16), signs);
    const red0 = channel(a, b, redFirst, redThen);
    const blue0 = channel(a, b, blueFirst, blueThen);
    const luma0 = weighted(red0, channel(a, b, greenFirst, greenThen), blue0, forRed, forGreen, forBlue, half, whole);
    v128.store(luma, luma0);
    a = v128.xor(v128.load(next), signs);
    b = v128.xor(v128.load64_zero(next, 16), signs);
    const red1 = channel(a, b, redFirst, redThen);
    const blue1 = channel(a, b, blueFirst, blueThen);
    const luma1 = weighted(red1, channel(a, b, greenFirst, greenThen), blue1, forRed, forGreen, forBlue, half, whole);
    v128.store(luma, luma1, 32);
    const leftBlue = difference(blue0, luma0, blue1, luma1);
    const leftRed = difference(red0, luma0, red1, luma1);
    a = v128.xor(v128.load(source, 24), signs);
    b = v128.xor(v128.load64_zero(source, 40), signs);
    const red2 = channel(a, b, redFirst, redThen);
    const blue2 = channel(a, b, blueFirst, blueThen);
    const luma2 = weighted(red2, channel(a, b, greenFirst, greenThen), blue2, forRed, forGreen, forBlue, half, whole);
    v128.store(luma, luma2, 16);
    a = v128.xor(v128.load(next, 24), signs);
    b = v128.xor(v128.load64_zero(next, 40), signs);
    const red3 = channel(a, b, redFirst, redThen);
    const blue3 = channel(a, b, blueFirst, blueThen);
    const luma3 = weighted(red3, channel(a, b, greenFirst, greenThen), blue3, forRed, forGreen, forBlue, half, whole);
    v128.store(luma, luma3, 48);
    v128.store(cb, times(i16x8.narrow_i32x4_s(leftBlue, difference(blue2, luma2, blue3, luma3)), toCb));
    v128.store(cr, times(i16x8.narrow_i32x4_s(leftRed, difference(red2, luma2, red3, luma3)), toCr));
    source = next + stride;
    luma += 64;
    cb += 16;
    cr += 16;
  }
}

/** The upper left `width` x `height` pixels (1 to 16) of an MCU at the picture's edge to 16 rows of 48 bytes; the last ones are repeated. */
export function repeatEdge(source: usize, stride: usize, width: usize, height: usize, target: usize): void {
  for (let y: usize = 0; y < 16; y++) {
    const from = source + (y < height ? y : height - 1) * stride;
    memory.copy(target, from, width * 3);
    const last = from + (width - 1) * 3;
    for (let x = width * 3; x < 48; x += 3) memory.copy(target + x, last, 3);
    target += 48;
  }
}

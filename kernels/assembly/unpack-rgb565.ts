// RGB565 to RGB888: each code to round(v x 255 / 31) and round(v x 255 / 63), exact for all 65,536 codes.

// Loaded before the loop: as constants of the code they would be made anew for every use, which doubles the time.
const FACTORS = memory.data<u16>([2108, 92, 1036, 132, 63, 31, 0xff00]);
// Bytes 0 1 2, 4 5 6, 8 9 10, 12 13 14: closes the gaps between pixels of four bytes.
const GAPS = memory.data<u8>([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 128, 128, 128, 128]);

// @ts-ignore: decorator
@inline function interleaved(a: v128, b: v128, upper: bool): v128 {
  return upper ? i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15) : i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline function unpack(source: usize, target: usize, pixels: i32, bigEndian: bool): void {
  const fives = v128.load16_splat(FACTORS);
  const fivesRounding = v128.load16_splat(FACTORS, 2);
  const sixes = v128.load16_splat(FACTORS, 4);
  const sixesRounding = v128.load16_splat(FACTORS, 6);
  const sixBits = v128.load16_splat(FACTORS, 8);
  const fiveBits = v128.load16_splat(FACTORS, 10);
  const highByte = v128.load16_splat(FACTORS, 12);
  const gaps = v128.load(GAPS);
  const end = source + (<usize>pixels << 1);
  while (source < end) {
    let w = v128.load(source);
    if (bigEndian) w = v128.or(i16x8.shl(w, 8), i16x8.shr_u(w, 8));
    // Multiplied so that the rounded result lies in the high byte of its 16-bit lane: no lane overflows (at most 65,440).
    const r = i16x8.add(i16x8.mul(i16x8.shr_u(w, 11), fives), fivesRounding);
    const g = i16x8.add(i16x8.mul(v128.and(i16x8.shr_u(w, 5), sixBits), sixes), sixesRounding);
    const b = i16x8.shr_u(i16x8.add(i16x8.mul(v128.and(w, fiveBits), fives), fivesRounding), 8);
    const rg = v128.or(i16x8.shr_u(r, 8), v128.and(g, highByte));
    v128.store(target, i8x16.swizzle(interleaved(rg, b, false), gaps));
    v128.store(target, i8x16.swizzle(interleaved(rg, b, true), gaps), 12);
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

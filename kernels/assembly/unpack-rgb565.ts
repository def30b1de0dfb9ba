// RGB565 to RGB888: each code to round(v x 255 / 31) and round(v x 255 / 63), exact for all 65,536 codes.

// Multiplied so that the rounded result lies in the high byte of its 16-bit lane: no lane overflows (at most 65,440).
// @ts-ignore: decorator
@inline function red(w: v128): v128 {
  return i16x8.add(i16x8.mul(i16x8.shr_u(w, 11), i16x8.splat(2108)), i16x8.splat(92));
}
// @ts-ignore: decorator
@inline function green(w: v128): v128 {
  return i16x8.add(i16x8.mul(v128.and(i16x8.shr_u(w, 5), i16x8.splat(63)), i16x8.splat(1036)), i16x8.splat(132));
}
// @ts-ignore: decorator
@inline function blue(w: v128): v128 {
  return i16x8.add(i16x8.mul(v128.and(w, i16x8.splat(31)), i16x8.splat(2108)), i16x8.splat(92));
}

// Eight pixels: 16 bytes in, 24 bytes out, of which the last store writes 4 bytes too many.
// @ts-ignore: decorator
@inline function eight(w: v128, target: usize): void {
  const rg = v128.or(i16x8.shr_u(red(w), 8), v128.and(green(w), i16x8.splat(-256)));
  const b = i16x8.shr_u(blue(w), 8);
  const low = i16x8.shuffle(rg, b, 0, 8, 1, 9, 2, 10, 3, 11);
  const high = i16x8.shuffle(rg, b, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(target, i8x16.shuffle(low, low, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15));
  v128.store(target, i8x16.shuffle(high, high, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15), 12);
}

/**
 * `pixels` codes of 2 bytes at `source` become 3 bytes each at `target`. Reads up to 14 bytes beyond the source and writes up to
 * 25 bytes beyond the target: both need 32 spare bytes.
 */
export function unpackRgb565(source: usize, target: usize, pixels: i32, bigEndian: i32): void {
  const end = source + (<usize>pixels << 1);
  if (bigEndian) {
    while (source < end) {
      const v = v128.load(source);
      eight(i8x16.shuffle(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14), target);
      source += 16;
      target += 24;
    }
  } else {
    while (source < end) {
      eight(v128.load(source), target);
      source += 16;
      target += 24;
    }
  }
}

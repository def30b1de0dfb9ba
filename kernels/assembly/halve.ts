// @ts-ignore: decorator
@inline function sumsOfPairs(row: usize): v128 {
  const v = v128.load(row);
  return i16x8.add(
    i16x8.extend_low_i8x16_u(i8x16.shuffle(v, v, 0, 1, 2, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    i16x8.extend_low_i8x16_u(i8x16.shuffle(v, v, 3, 4, 5, 9, 10, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
  );
}

/**
 * Halves an RGB888 picture: each target pixel is the mean of four, rounded half up; an odd last column or row counts twice.
 * Reads up to 9 bytes beyond the last source pixel of a row and writes up to 5 beyond the last target pixel of one.
 */
export function halve(
  source: usize, sourceStrideBytes: usize, sourceWidth: i32, sourceHeight: i32,
  target: usize, targetStrideBytes: usize,
): void {
  const pairs = sourceWidth >> 1;
  for (let y = 0; y < sourceHeight; y += 2) {
    let a = source;
    let b = y + 1 < sourceHeight ? source + sourceStrideBytes : source;
    let t = target;
    for (let x = 0; x < pairs; x += 2) {
      const mean = i16x8.shr_u(i16x8.add(i16x8.add(sumsOfPairs(a), sumsOfPairs(b)), i16x8.splat(2)), 2);
      v128.store64_lane(t, i8x16.narrow_i16x8_u(mean, mean), 0);
      a += 12;
      b += 12;
      t += 6;
    }
    if (sourceWidth & 1) {
      const last = <usize>(sourceWidth - 1) * 3;
      a = source + last;
      b = y + 1 < sourceHeight ? a + sourceStrideBytes : a;
      t = target + <usize>pairs * 3;
      for (let c: usize = 0; c < 3; c++) {
        store<u8>(t + c, <u8>((<u32>load<u8>(a + c) * 2 + <u32>load<u8>(b + c) * 2 + 2) >> 2));
      }
    }
    source += sourceStrideBytes << 1;
    target += targetStrideBytes;
  }
}

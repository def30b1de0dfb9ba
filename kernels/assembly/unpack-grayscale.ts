/** `pixels` bytes become three equal bytes each. Reads up to 15 bytes too many, writes up to 45: both need 48 spare bytes. */
export function unpackGrayscale(source: usize, target: usize, pixels: i32): void {
  const end = source + <usize>pixels;
  while (source < end) {
    const v = v128.load(source);
    v128.store(target, i8x16.shuffle(v, v, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5));
    v128.store(target, i8x16.shuffle(v, v, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10), 16);
    v128.store(target, i8x16.shuffle(v, v, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15), 32);
    source += 16;
    target += 48;
  }
}

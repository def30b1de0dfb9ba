// Where in the picture how much noise is expected: the brightness of each block, looked up in a table.

/**
 * Brightness 0 to 255 of every 8x8 block of shrinkPlane's grid, one byte each: of the plane S, whose first inner element is
 * `plane`; inner width and height are multiples of 8. `scratch` holds 4 bytes for each of the width / 4 + 2 cells of two rows,
 * and 32 spare bytes; up to three bytes beyond the last level are written.
 */
export function cellSums(plane: usize, stride: usize, width: usize, height: usize, scratch: usize, levels: usize): void {
  const blocks = (width >> 2) + 1;
  const rowBytes = (blocks + 1) << 2;
  const one = i16x8.splat(1);
  const half = i32x4.splat(32);
  const middle = i32x4.splat(382);
  const third = i32x4.splat(85);
  const rounding = i32x4.splat(128);
  let above = scratch;
  let below = scratch + rowBytes + 16;
  for (let y: usize = 0; y <= height + 4; y += 4) {
    // Two cells of 4x4 elements at a time.
    const from = plane + y * stride - 4 * stride - 8;
    for (let x: usize = 0; x < blocks + 1; x += 2) {
      const p = from + (x << 3);
      const rows = i16x8.add(
        i16x8.add(v128.load(p), v128.load(p + stride)), i16x8.add(v128.load(p + stride * 2), v128.load(p + stride * 3)));
      const pairs = i32x4.dot_i16x8_s(rows, one);
      const cells = i32x4.add(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2));
      v128.store64_lane(below + (x << 2), v128.shuffle<i32>(cells, cells, 0, 2, 0, 2), 0);
    }
    if (y > 0) {
      for (let x: usize = 0; x < blocks; x += 4) {
        const a = above + (x << 2);
        const b = below + (x << 2);
        const sums = i32x4.add(i32x4.add(v128.load(a), v128.load(a, 4)), i32x4.add(v128.load(b), v128.load(b, 4)));
        const means = i32x4.shr_s(i32x4.add(sums, half), 6);
        // A third of S, nearly: 85 / 256 keeps 0 at 0 and 765 at 254.
        const thirds = i32x4.shr_s(i32x4.add(i32x4.mul(i32x4.add(means, middle), third), rounding), 8);
        const words = i16x8.narrow_i32x4_s(thirds, thirds);
        v128.store32_lane(levels + x, i8x16.narrow_i16x8_u(words, words), 0);
      }
      levels += blocks;
    }
    const swap = above;
    above = below;
    below = swap;
  }
}

/**
 * The noise level x 64 of every block of a grid of `columns` x `rows`: from row `merged[..]` (number of frames merged, 1 to 16) of a
 * table of 16 x 256 16-bit integers, at the block's brightness. The grid takes every `step`-th block of the grid of brightness,
 * which has `levelColumns` columns; `counts` has one byte per block of the latter.
 */
export function noiseMap(
  levels: usize, counts: usize, levelColumns: usize, columns: usize, rows: usize, step: usize, table: usize, target: usize,
): void {
  for (let y: usize = 0; y < rows; y++) {
    let i = y * step * levelColumns;
    for (let x: usize = 0; x < columns; x++) {
      const row = <usize>load<u8>(counts + i) - 1;
      store<u16>(target, load<u16>(table + (((row << 8) + <usize>load<u8>(levels + i)) << 1)));
      target += 2;
      i += step;
    }
  }
}

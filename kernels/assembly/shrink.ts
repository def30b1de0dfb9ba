// Denoising by shrinkage of overlapping 8x8 DCT blocks, every four elements in both directions, all weighted alike.

import { forward, inverse, transposed, turnedColumns } from './dct';
import { times } from './times';

// Down each column of eight rows once, halved and turned, so that the blocks' eight rows lie in the lanes: 16 bytes per column.
// @ts-ignore: decorator
@inline function downColumns(from: usize, stride: usize, columns: usize, table: usize, strip: usize): void {
  const c7071 = v128.load16_splat(table, 128);
  const c3827 = v128.load16_splat(table, 130);
  const c5412 = v128.load16_splat(table, 132);
  const c3066 = v128.load16_splat(table, 134);
  const half = i16x8.splat(16384);
  for (let x: usize = 0; x < columns; x += 8) {
    turnedColumns(from + (x << 1), stride, strip + (x << 4), c7071, c3827, c5412, c3066, half);
  }
}

// A coefficient at a quarter of its size: 0 up to its threshold, all of it from twice the threshold on, in between twice what is above
// (firm shrinkage: Gao and Bruce 1997).
// @ts-ignore: decorator
@inline function shrunk(c: v128, table: usize, sigma: v128, quarter: v128, u: usize): v128 {
  const threshold = times(v128.load(table + u), sigma);
  const negative = i16x8.neg(threshold);
  const above = i16x8.sub(c, i16x8.max_s(i16x8.min_s(c, threshold), negative));
  return times(i16x8.add(above, i16x8.max_s(i16x8.min_s(above, threshold), negative)), quarter);
}

// Shrinks the blocks of a strip, one every four columns, and adds what is left of them up: [column][down frequency].
// @ts-ignore: decorator
@inline function acrossBlocks(strip: usize, width: usize, sigmas: usize, table: usize, sums: usize): void {
  const c7071 = v128.load16_splat(table, 128);
  const c3827 = v128.load16_splat(table, 130);
  const c5412 = v128.load16_splat(table, 132);
  const c3066 = v128.load16_splat(table, 134);
  const c4142 = v128.load16_splat(table, 136);
  const c1522 = v128.load16_splat(table, 138);
  const c0824 = v128.load16_splat(table, 140);
  const c6131 = v128.load16_splat(table, 142);
  const quarter = i16x8.splat(8192);
  // What a block adds to the four columns that it shares with the next one.
  let before0 = i16x8.splat(0);
  let before1 = i16x8.splat(0);
  let before2 = i16x8.splat(0);
  let before3 = i16x8.splat(0);
  for (let x: usize = 0; x <= width; x += 4) {
    const sigma = v128.load16_splat(sigmas);
    sigmas += 2;
    const p = strip + (x << 4);
    const x0 = v128.load(p);
    const x1 = v128.load(p, 16);
    const x2 = v128.load(p, 32);
    const x3 = v128.load(p, 48);
    const x4 = v128.load(p, 64);
    const x5 = v128.load(p, 80);
    const x6 = v128.load(p, 96);
    const x7 = v128.load(p, 112);
    const y0 = shrunk(forward(0, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 0);
    const y1 = shrunk(forward(1, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 16);
    const y2 = shrunk(forward(2, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 32);
    const y3 = shrunk(forward(3, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 48);
    const y4 = shrunk(forward(4, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 64);
    const y5 = shrunk(forward(5, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 80);
    const y6 = shrunk(forward(6, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 96);
    const y7 = shrunk(forward(7, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), table, sigma, quarter, 112);
    // Flat across, as about half of the blocks are: the first coefficient is the value everywhere.
    let v0 = y0, v1 = y0, v2 = y0, v3 = y0, v4 = y0, v5 = y0, v6 = y0, v7 = y0;
    if (v128.any_true(v128.or(v128.or(v128.or(y1, y2), v128.or(y3, y4)), v128.or(v128.or(y5, y6), y7)))) {
      v0 = inverse(0, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
      v1 = inverse(1, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
      v2 = inverse(2, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
      v3 = inverse(3, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
      v4 = inverse(4, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
      v5 = inverse(5, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
      v6 = inverse(6, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
      v7 = inverse(7, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131);
    }
    const to = sums + (x << 4);
    v128.store(to, i16x8.add_sat_s(before0, v0));
    v128.store(to, i16x8.add_sat_s(before1, v1), 16);
    v128.store(to, i16x8.add_sat_s(before2, v2), 32);
    v128.store(to, i16x8.add_sat_s(before3, v3), 48);
    before0 = v4;
    before1 = v5;
    before2 = v6;
    before3 = v7;
  }
  const rest = sums + (width << 4);
  v128.store(rest, before0, 64);
  v128.store(rest, before1, 80);
  v128.store(rest, before2, 96);
  v128.store(rest, before3, 112);
}

// Turns the sums back and up each column: adds to the four rows that the strip above has written, and begins the four below.
// @ts-ignore: decorator
@inline function upColumns(sums: usize, columns: usize, table: usize, target: usize, stride: usize): void {
  const c4142 = v128.load16_splat(table, 136);
  const c1522 = v128.load16_splat(table, 138);
  const c0824 = v128.load16_splat(table, 140);
  const c6131 = v128.load16_splat(table, 142);
  for (let x: usize = 0; x < columns; x += 8) {
    const p = sums + (x << 4);
    const x0 = v128.load(p);
    const x1 = v128.load(p, 16);
    const x2 = v128.load(p, 32);
    const x3 = v128.load(p, 48);
    const x4 = v128.load(p, 64);
    const x5 = v128.load(p, 80);
    const x6 = v128.load(p, 96);
    const x7 = v128.load(p, 112);
    const y0 = transposed(0, x0, x1, x2, x3, x4, x5, x6, x7);
    const y1 = transposed(1, x0, x1, x2, x3, x4, x5, x6, x7);
    const y2 = transposed(2, x0, x1, x2, x3, x4, x5, x6, x7);
    const y3 = transposed(3, x0, x1, x2, x3, x4, x5, x6, x7);
    const y4 = transposed(4, x0, x1, x2, x3, x4, x5, x6, x7);
    const y5 = transposed(5, x0, x1, x2, x3, x4, x5, x6, x7);
    const y6 = transposed(6, x0, x1, x2, x3, x4, x5, x6, x7);
    const y7 = transposed(7, x0, x1, x2, x3, x4, x5, x6, x7);
    const to = target + (x << 1);
    v128.store(to, i16x8.add_sat_s(v128.load(to), inverse(0, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131)));
    v128.store(to + stride, i16x8.add_sat_s(v128.load(to + stride), inverse(1, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131)));
    v128.store(to + stride * 2, i16x8.add_sat_s(v128.load(to + stride * 2), inverse(2, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131)));
    v128.store(to + stride * 3, i16x8.add_sat_s(v128.load(to + stride * 3), inverse(3, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131)));
    v128.store(to + stride * 4, inverse(4, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131));
    v128.store(to + stride * 5, inverse(5, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131));
    v128.store(to + stride * 6, inverse(6, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131));
    v128.store(to + stride * 7, inverse(7, y0, y1, y2, y3, y4, y5, y6, y7, c4142, c1522, c0824, c6131));
  }
}

/**
 * Denoises a plane. `plane` and `target` are the first inner elements of planes of 16-bit integers with eight elements of padding
 * and equal strides; inner width and height are multiples of 8. Each target element becomes 32 times the denoised value.
 * `sigmas` holds one 16-bit noise level x 64 per block, (width / 4 + 1) x (height / 4 + 1) of them. `table` holds, as 16-bit
 * integers, 64 thresholds per unit of noise x 512 in the order [across][down], 0 for what is always kept, then the eight
 * multipliers of the transform. `scratch` holds 32 bytes per element of width + 8.
 */
export function shrinkPlane(
  plane: usize, target: usize, stride: usize, width: usize, height: usize, sigmas: usize, table: usize, scratch: usize,
): void {
  const columns = width + 8;
  const sums = scratch + (columns << 4);
  // Blocks reach four elements into the padding on every side.
  const corner = 4 * stride + 8;
  for (let y: usize = 0; y < 4; y++) memory.fill(target - corner + y * stride, 0, columns << 1);
  for (let y: usize = 0; y <= height; y += 4) {
    downColumns(plane - corner + y * stride, stride, columns, table, scratch);
    acrossBlocks(scratch, width, sigmas, table, sums);
    upColumns(sums, columns, table, target - corner + y * stride, stride);
    sigmas += ((width >> 2) + 1) << 1;
  }
}

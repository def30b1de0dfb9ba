// Denoising by shrinkage of overlapping 8x8 DCT blocks, every four elements in both directions, all weighted alike.

import { forward, inverse, transpose } from './dct';

// Row `u` of a block's coefficients, those below their threshold set to 0, a quarter of their size, stored and given back.
// @ts-ignore: decorator
@inline function shrunk(tile: usize, table: usize, sigma: v128, two: v128, u: usize): v128 {
  const c = v128.load(tile + u);
  const kept = i16x8.gt_s(i16x8.abs(c), i16x8.q15mulr_sat_s(v128.load(table + u), sigma));
  const v = i16x8.shr_s(i16x8.add(v128.and(c, kept), two), 2);
  v128.store(tile + u, v);
  return v;
}

/**
 * Denoises a plane. `plane` and `target` are the first inner elements of planes of 16-bit integers with eight elements of padding
 * and equal strides; inner width and height are multiples of 8. Each target element becomes 32 times the denoised value.
 * `sigmas` holds one 16-bit noise level x 64 per block, (width / 4 + 1) x (height / 4 + 1) of them. `table` holds, as 16-bit
 * integers, 64 thresholds per unit of noise x 512 in the order [across][down], 0 for what is always kept, then the eight
 * multipliers of the transform. `scratch` holds 32 bytes per element of width + 8, and 256 bytes.
 */
export function shrinkPlane(
  plane: usize, target: usize, stride: usize, width: usize, height: usize, sigmas: usize, table: usize, scratch: usize,
): void {
  const columns = width + 8;
  const tile = scratch;
  const strip = scratch + 256;
  const sums = strip + (columns << 4);
  const c7071 = v128.load16_splat(table, 128);
  const c3827 = v128.load16_splat(table, 130);
  const c5412 = v128.load16_splat(table, 132);
  const c3066 = v128.load16_splat(table, 134);
  const c4142 = v128.load16_splat(table, 136);
  const c1522 = v128.load16_splat(table, 138);
  const c0824 = v128.load16_splat(table, 140);
  const c6131 = v128.load16_splat(table, 142);
  const one = i16x8.splat(1);
  const two = i16x8.splat(2);

  const first = target - 4 * stride - 8;
  for (let y: usize = 0; y < height + 8; y++) memory.fill(first + y * stride, 0, columns << 1);

  for (let y: usize = 0; y <= height; y += 4) {
    const from = plane + y * stride - 4 * stride - 8;
    const to = target + y * stride - 4 * stride - 8;
    // Down each column once, then turned, so that the blocks' eight rows lie in the lanes.
    for (let x: usize = 0; x < columns; x += 8) {
      forward(from + (x << 1), stride, tile, 16, c7071, c3827, c5412, c3066);
      transpose(tile, strip + (x << 4), one, 1);
    }
    memory.fill(sums, 0, columns << 4);
    for (let x: usize = 0; x <= width; x += 4) {
      const sigma = v128.load16_splat(sigmas);
      sigmas += 2;
      forward(strip + (x << 4), 16, tile, 16, c7071, c3827, c5412, c3066);
      let rest = shrunk(tile, table, sigma, two, 16);
      for (let u: usize = 32; u < 128; u += 16) rest = v128.or(rest, shrunk(tile, table, sigma, two, u));
      const level = shrunk(tile, table, sigma, two, 0);
      const to = sums + (x << 4);
      if (v128.any_true(rest)) {
        inverse(tile, 16, to, 16, c4142, c1522, c0824, c6131);
      } else {
        // Flat across: about half of the blocks.
        for (let i: usize = 0; i < 128; i += 16) v128.store(to + i, i16x8.add_sat_s(v128.load(to + i), level));
      }
    }
    for (let x: usize = 0; x < columns; x += 8) {
      transpose(sums + (x << 4), tile, one, 0);
      inverse(tile, 16, to + (x << 1), stride, c4142, c1522, c0824, c6131);
    }
  }
}

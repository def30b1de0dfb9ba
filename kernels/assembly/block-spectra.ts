import { forward, turnedColumns } from './dct';
import { times } from './times';

// @ts-ignore: decorator
@inline function weighted(c: v128, weights: usize): v128 {
  const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(c));
  const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(c));
  return f32x4.add(
    f32x4.mul(f32x4.mul(low, low), v128.load(weights)), f32x4.mul(f32x4.mul(high, high), v128.load(weights, 16)));
}

/**
 * DCT coefficients of 8x8 blocks every `step` elements, as they come from the transform (4 a[u] a[v] times the orthonormal
 * coefficient): 64 16-bit integers per block in the order [across][down]; and for each block the sum of their squares x 64
 * `weights`, a 32-bit float. `plane` is the first inner element; blocks lie inside `width` x `height`. `table` is that of
 * shrinkPlane. Gives the number of blocks.
 */
export function blockSpectra(
  plane: usize, stride: usize, width: usize, height: usize, step: usize, table: usize, weights: usize,
  target: usize, energies: usize,
): i32 {
  const c7071 = v128.load16_splat(table, 128);
  const c3827 = v128.load16_splat(table, 130);
  const c5412 = v128.load16_splat(table, 132);
  const c3066 = v128.load16_splat(table, 134);
  const half = i16x8.splat(16384);
  let blocks = 0;
  for (let y: usize = 0; y + 8 <= height; y += step) {
    for (let x: usize = 0; x + 8 <= width; x += step) {
      turnedColumns(plane + y * stride + (x << 1), stride, target, c7071, c3827, c5412, c3066, half);
      const t0 = v128.load(target);
      const t1 = v128.load(target, 16);
      const t2 = v128.load(target, 32);
      const t3 = v128.load(target, 48);
      const t4 = v128.load(target, 64);
      const t5 = v128.load(target, 80);
      const t6 = v128.load(target, 96);
      const t7 = v128.load(target, 112);
      v128.store(target, forward(0, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066));
      v128.store(target, forward(1, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066), 16);
      v128.store(target, forward(2, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066), 32);
      v128.store(target, forward(3, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066), 48);
      v128.store(target, forward(4, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066), 64);
      v128.store(target, forward(5, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066), 80);
      v128.store(target, forward(6, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066), 96);
      v128.store(target, forward(7, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066), 112);
      let sums = weighted(v128.load(target), weights);
      for (let u: usize = 16; u < 128; u += 16) sums = f32x4.add(sums, weighted(v128.load(target + u), weights + (u << 1)));
      store<f32>(energies,
        (f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1)) + (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3)));
      energies += 4;
      target += 128;
      blocks++;
    }
  }
  return blocks;
}

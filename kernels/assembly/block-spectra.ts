import { forward, transpose } from './dct';

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
 * shrinkPlane, `scratch` holds 256 bytes. Gives the number of blocks.
 */
export function blockSpectra(
  plane: usize, stride: usize, width: usize, height: usize, step: usize, table: usize, weights: usize, scratch: usize,
  target: usize, energies: usize,
): i32 {
  const c7071 = v128.load16_splat(table, 128);
  const c3827 = v128.load16_splat(table, 130);
  const c5412 = v128.load16_splat(table, 132);
  const c3066 = v128.load16_splat(table, 134);
  const one = i16x8.splat(1);
  let blocks = 0;
  for (let y: usize = 0; y + 8 <= height; y += step) {
    for (let x: usize = 0; x + 8 <= width; x += step) {
      forward(plane + y * stride + (x << 1), stride, scratch, 16, c7071, c3827, c5412, c3066);
      transpose(scratch, scratch + 128, one, 1);
      forward(scratch + 128, 16, target, 16, c7071, c3827, c5412, c3066);
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

import { forward, transpose } from './dct';

/**
 * DCT coefficients of 8x8 blocks every `step` elements, as they come from the transform (4 a[u] a[v] times the orthonormal
 * coefficient): 64 16-bit integers per block in the order [across][down]. `plane` is the first inner element; blocks lie inside
 * `width` x `height`. `table` is that of shrinkPlane, `scratch` holds 256 bytes. Gives the number of blocks.
 */
export function blockSpectra(
  plane: usize, stride: usize, width: usize, height: usize, step: usize, table: usize, scratch: usize, target: usize,
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
      target += 128;
      blocks++;
    }
  }
  return blocks;
}

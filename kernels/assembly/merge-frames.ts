// Merging a frame into what earlier frames of a still camera left: cells of 8x8 pixels, each with a count of frames.

import { times } from './times';

// @ts-ignore: decorator
@inline function total(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/**
 * How much a plane differs from the merged one (x 32), per cell of 8x8 elements: sum of squares, sum of the differences, sum of the
 * merged elements, sum of their squares; 32-bit integers. `stride` in bytes, the same for both planes.
 */
export function cellChanges(
  plane: usize, merged: usize, stride: usize, width: usize, height: usize, target: usize,
): void {
  const one = i16x8.splat(1);
  const half = i16x8.splat(16);
  for (let y: usize = 0; y < height; y += 8) {
    for (let x: usize = 0; x < width << 1; x += 16) {
      let p = plane + y * stride + x;
      let m = merged + y * stride + x;
      let squares = i32x4.splat(0);
      let sums = i32x4.splat(0);
      let levels = i32x4.splat(0);
      let levelSquares = i32x4.splat(0);
      for (let i = 0; i < 8; i++) {
        const before = i16x8.shr_s(i16x8.add_sat_s(v128.load(m), half), 5);
        const d = i16x8.sub(v128.load(p), before);
        squares = i32x4.add(squares, i32x4.dot_i16x8_s(d, d));
        sums = i32x4.add(sums, i32x4.dot_i16x8_s(d, one));
        levels = i32x4.add(levels, i32x4.dot_i16x8_s(before, one));
        levelSquares = i32x4.add(levelSquares, i32x4.dot_i16x8_s(before, before));
        p += stride;
        m += stride;
      }
      store<i32>(target, total(squares));
      store<i32>(target, total(sums), 4);
      store<i32>(target, total(levels), 8);
      store<i32>(target, total(levelSquares), 12);
      target += 16;
    }
  }
}

/**
 * Moves each element of the merged plane (x 32) towards the frame's by its cell's share (x 32,767, 16-bit, one per 8x8 or 4x4
 * elements as `shift` is 3 or 2), and the frame's element becomes the merged one, rounded.
 */
export function mergePlane(
  plane: usize, merged: usize, stride: usize, width: usize, height: usize, shares: usize, shareColumns: usize, shift: i32,
): void {
  const half = i16x8.splat(16);
  for (let y: usize = 0; y < height; y++) {
    const row = shares + (y >> shift) * (shareColumns << 1);
    for (let x: usize = 0; x < width; x += 8) {
      const p = plane + y * stride + (x << 1);
      const m = merged + y * stride + (x << 1);
      let share: v128;
      if (shift == 3) share = v128.load16_splat(row + ((x >> 3) << 1));
      else {
        const pair = v128.load32_splat(row + ((x >> 2) << 1));
        share = i16x8.shuffle(pair, pair, 0, 0, 0, 0, 1, 1, 1, 1);
      }
      const before = v128.load(m);
      const after = i16x8.add_sat_s(
        before, times(i16x8.sub_sat_s(i16x8.shl(v128.load(p), 5), before), share));
      v128.store(m, after);
      v128.store(p, i16x8.shr_s(i16x8.add_sat_s(after, half), 5));
    }
  }
}

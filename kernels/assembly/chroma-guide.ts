// What brightness says about colour at full size: in most places colour differences rise and fall with brightness.

/** Half as large: the mean of 2x2 elements, rounded. `width` (a multiple of 16) and `height` (even) are those of `plane`. */
export function halvePlane(
  plane: usize, stride: usize, width: usize, height: usize, target: usize, targetStride: usize,
): void {
  const one = i16x8.splat(1);
  const two = i32x4.splat(2);
  for (let y: usize = 0; y < height; y += 2) {
    let p = plane + y * stride;
    let t = target + (y >> 1) * targetStride;
    for (let x: usize = 0; x < width; x += 16) {
      const low = i32x4.dot_i16x8_s(i16x8.add_sat_s(v128.load(p), v128.load(p + stride)), one);
      const high = i32x4.dot_i16x8_s(i16x8.add_sat_s(v128.load(p, 16), v128.load(p + stride, 16)), one);
      v128.store(t, i16x8.narrow_i32x4_s(
        i32x4.shr_s(i32x4.add(low, two), 2), i32x4.shr_s(i32x4.add(high, two), 2)));
      p += 32;
      t += 16;
    }
  }
}

// @ts-ignore: decorator
@inline function total(v: v128): i32 {
  const pairs = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/**
 * How two planes go with a third, per cell of 8x8 elements: sums of guide, guide squared, d, d x guide, e and e x guide, each element
 * divided by eight first; 32-bit integers. `width` and `height` are multiples of 8, the strides equal.
 */
export function guideSums(
  guide: usize, d: usize, e: usize, stride: usize, width: usize, height: usize, target: usize,
): void {
  const one = i16x8.splat(1);
  for (let y: usize = 0; y < height; y += 8) {
    for (let x: usize = 0; x < width << 1; x += 16) {
      let at = y * stride + x;
      let sumG = i32x4.splat(0);
      let sumGG = i32x4.splat(0);
      let sumD = i32x4.splat(0);
      let sumDG = i32x4.splat(0);
      let sumE = i32x4.splat(0);
      let sumEG = i32x4.splat(0);
      for (let i = 0; i < 8; i++) {
        const g = i16x8.shr_s(v128.load(guide + at), 3);
        const vd = i16x8.shr_s(v128.load(d + at), 3);
        const ve = i16x8.shr_s(v128.load(e + at), 3);
        sumG = i32x4.add(sumG, i32x4.dot_i16x8_s(g, one));
        sumGG = i32x4.add(sumGG, i32x4.dot_i16x8_s(g, g));
        sumD = i32x4.add(sumD, i32x4.dot_i16x8_s(vd, one));
        sumDG = i32x4.add(sumDG, i32x4.dot_i16x8_s(vd, g));
        sumE = i32x4.add(sumE, i32x4.dot_i16x8_s(ve, one));
        sumEG = i32x4.add(sumEG, i32x4.dot_i16x8_s(ve, g));
        at += stride;
      }
      store<i32>(target, total(sumG));
      store<i32>(target, total(sumGG), 4);
      store<i32>(target, total(sumD), 8);
      store<i32>(target, total(sumDG), 12);
      store<i32>(target, total(sumE), 16);
      store<i32>(target, total(sumEG), 20);
      target += 24;
    }
  }
}

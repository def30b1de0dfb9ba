// Brightness and sharpness of a grey picture held as floats.

/** Luma (BT.601) of three planes, over the first of them; `count` is rounded up to a multiple of four. */
export function luma(red: usize, green: usize, blue: usize, target: usize, count: i32): void {
  for (let i: usize = 0, end = <usize>count << 2; i < end; i += 16) {
    v128.store(target + i, f32x4.add(
      f32x4.add(f32x4.mul(v128.load(red + i), f32x4.splat(0.299)), f32x4.mul(v128.load(green + i), f32x4.splat(0.587))),
      f32x4.mul(v128.load(blue + i), f32x4.splat(0.114))));
  }
}

// @ts-ignore: decorator
@inline function total(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/**
 * Six doubles to `sums`: sum, sum of squares, pixels at 250 or above, pixels at 5 or below, then of the 4-neighbour Laplacian
 * over the inner pixels: sum, sum of squares. Rows are `width` floats.
 */
export function lumaSums(plane: usize, width: i32, height: i32, sums: usize): void {
  const count = width * height;
  let sum = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let bright = 0;
  let dark = 0;
  for (let i = 0; i < count - 1; i += 2) {
    const v = f64x2.promote_low_f32x4(v128.load64_zero(plane + (<usize>i << 2)));
    sum = f64x2.add(sum, v);
    squares = f64x2.add(squares, f64x2.mul(v, v));
  }
  if (count & 1) {
    const v = f64x2.replace_lane(f64x2.splat(0), 0, <f64>load<f32>(plane + (<usize>(count - 1) << 2)));
    sum = f64x2.add(sum, v);
    squares = f64x2.add(squares, f64x2.mul(v, v));
  }
  for (let i = 0; i < count; i++) {
    const v = load<f32>(plane + (<usize>i << 2));
    bright += i32(v >= 250);
    dark += i32(v <= 5);
  }
  let laplacian: f64 = 0;
  let laplacianSquares: f64 = 0;
  const stride = <usize>width << 2;
  for (let y = 1; y < height - 1; y++) {
    let p = plane + <usize>y * stride + 4;
    let s = f64x2.splat(0);
    let q = f64x2.splat(0);
    let x = 1;
    for (; x < width - 2; x += 2) {
      const centre = f64x2.promote_low_f32x4(v128.load64_zero(p));
      const across = f64x2.add(
        f64x2.promote_low_f32x4(v128.load64_zero(p - 4)), f64x2.promote_low_f32x4(v128.load64_zero(p + 4)));
      const down = f64x2.add(
        f64x2.promote_low_f32x4(v128.load64_zero(p - stride)), f64x2.promote_low_f32x4(v128.load64_zero(p + stride)));
      const l = f64x2.sub(f64x2.add(across, down), f64x2.mul(centre, f64x2.splat(4)));
      s = f64x2.add(s, l);
      q = f64x2.add(q, f64x2.mul(l, l));
      p += 8;
    }
    laplacian += total(s);
    laplacianSquares += total(q);
    for (; x < width - 1; x++) {
      const l = <f64>load<f32>(p - 4) + <f64>load<f32>(p + 4) + <f64>load<f32>(p - stride) + <f64>load<f32>(p + stride)
        - 4 * <f64>load<f32>(p);
      laplacian += l;
      laplacianSquares += l * l;
      p += 4;
    }
  }
  store<f64>(sums, total(sum));
  store<f64>(sums, total(squares), 8);
  store<f64>(sums, <f64>bright, 16);
  store<f64>(sums, <f64>dark, 24);
  store<f64>(sums, laplacian, 32);
  store<f64>(sums, laplacianSquares, 40);
}

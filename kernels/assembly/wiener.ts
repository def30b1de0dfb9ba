// The cheap denoiser: each element moves towards the mean of the 5x5 elements around it, as far as noise explains their variance
// (Lee 1980).

// Loaded before the loops: as constants of the code they would be made anew for every use. 1.5 x 2^23 leaves a float no room for a
// fraction: added, it rounds, and the low bits are the integer.
const FLOATS = memory.data<f32>([1.28, 32, 12582912]);
const WHOLES = memory.data<i32>([25]);

// Adds a row to the sums of each column: values, and their squares.
// @ts-ignore: decorator
@inline function addRow(row: usize, sums: usize, squares: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = v128.load(row + i);
    v128.store(sums + i, i16x8.add(v128.load(sums + i), a));
    const q = squares + (i << 1);
    v128.store(q, i32x4.add(v128.load(q), i32x4.extmul_low_i16x8_s(a, a)));
    v128.store(q, i32x4.add(v128.load(q, 16), i32x4.extmul_high_i16x8_s(a, a)), 16);
  }
}

// The same, and takes another one away.
// @ts-ignore: decorator
@inline function moveSums(add: usize, take: usize, sums: usize, squares: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = v128.load(add + i);
    const t = v128.load(take + i);
    v128.store(sums + i, i16x8.add(v128.load(sums + i), i16x8.sub(a, t)));
    const q = squares + (i << 1);
    v128.store(q, i32x4.add(v128.load(q), i32x4.sub(i32x4.extmul_low_i16x8_s(a, a), i32x4.extmul_low_i16x8_s(t, t))));
    v128.store(
      q, i32x4.add(v128.load(q, 16), i32x4.sub(i32x4.extmul_high_i16x8_s(a, a), i32x4.extmul_high_i16x8_s(t, t))), 16);
  }
}

// Sums of five columns each.
// @ts-ignore: decorator
@inline function fiveShorts(p: usize): v128 {
  return i16x8.add(
    i16x8.add(i16x8.add(v128.load(p - 4), v128.load(p - 2)), i16x8.add(v128.load(p), v128.load(p + 2))), v128.load(p + 4));
}
// @ts-ignore: decorator
@inline function fiveWords(p: usize): v128 {
  return i32x4.add(
    i32x4.add(i32x4.add(v128.load(p - 8), v128.load(p - 4)), i32x4.add(v128.load(p), v128.load(p + 4))), v128.load(p + 8));
}

// Four elements: 32 times the denoised value, as a 32-bit integer. `sum` and `squares` are of 25 elements, `noise` the variance x 625.
// @ts-ignore: decorator
@inline function shrunk(x: v128, sum: v128, squares: v128, noise: v128, scale: v128, unit: v128, round: v128, count: v128): v128 {
  const variance = f32x4.convert_i32x4_s(i32x4.sub(i32x4.mul(squares, count), i32x4.mul(sum, sum)));
  const gain = f32x4.div(f32x4.pmax(f32x4.sub(variance, noise), f32x4.splat(0)), f32x4.pmax(variance, noise));
  const mean = f32x4.mul(f32x4.convert_i32x4_s(sum), scale);
  const away = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(x), unit), mean);
  return i32x4.sub(f32x4.add(f32x4.add(mean, f32x4.mul(gain, away)), round), round);
}

/**
 * Denoises a plane. Planes and `sigmas` are as for shrinkPlane, and so is the result; each 8x8 elements take the noise level of the
 * block that they are. `scratch` holds 6 bytes per element of width + 16, and 64 spare ones.
 */
export function wienerPlane(
  plane: usize, target: usize, stride: usize, width: usize, height: usize, sigmas: usize, scratch: usize,
): void {
  const bytes = (width + 16) << 1;
  const first = plane - 16;
  const squares = scratch + bytes + 32;
  const scale = v128.load32_splat(FLOATS);
  const unit = v128.load32_splat(FLOATS, 4);
  const round = v128.load32_splat(FLOATS, 8);
  const count = v128.load32_splat(WHOLES);
  const columns = (width >> 2) + 1;
  memory.fill(scratch, 0, bytes);
  memory.fill(squares, 0, bytes << 1);
  // The five rows around the row above the first: each row then adds one and takes one away.
  for (let i: usize = 0; i < 5; i++) addRow(first - 3 * stride + i * stride, scratch, squares, bytes);
  for (let y: usize = 0; y < height; y++) {
    moveSums(first + (y + 2) * stride, first + (y - 3) * stride, scratch, squares, bytes);
    const row = sigmas + ((((y >> 3) << 1) + 1) * columns << 1);
    for (let x: usize = 0; x < width; x += 8) {
      const sigma = <f32>load<u16>(row + (((x >> 3) << 1) + 1 << 1)) / 64;
      // A plane without any noise still has to divide by something.
      const noise = f32x4.splat(sigma * sigma * 625 + 1);
      const at = (x + 8) << 1;
      const sum = fiveShorts(scratch + at);
      const v = v128.load(plane + y * stride + (x << 1));
      const q = squares + (at << 1);
      v128.store(target + y * stride + (x << 1), i16x8.narrow_i32x4_s(
        shrunk(i32x4.extend_low_i16x8_s(v), i32x4.extend_low_i16x8_s(sum), fiveWords(q), noise, scale, unit, round, count),
        shrunk(i32x4.extend_high_i16x8_s(v), i32x4.extend_high_i16x8_s(sum), fiveWords(q + 16), noise, scale, unit, round, count)));
    }
  }
}

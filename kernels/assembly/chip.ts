// Samples an RGB888 crop along a similarity, bilinearly, into normalised planes.

import { blues, greens, normalised, Planes, reds } from './planes';

/** The map from target pixels to the crop: x = xu u + xv v + x0, y = yu u + yv v + y0, clamped to 0..maxX and 0..maxY. */
// @ts-ignore: decorator
@unmanaged
export class ChipMap {
  xu: f32;
  xv: f32;
  x0: f32;
  yu: f32;
  yv: f32;
  y0: f32;
  maxX: f32;
  maxY: f32;
}

// @ts-ignore: decorator
@inline function lane(v: v128, i: u8): v128 {
  return i == 0 ? v128.shuffle<i32>(v, v, 0, 0, 0, 0) : i == 1 ? v128.shuffle<i32>(v, v, 1, 1, 1, 1)
    : i == 2 ? v128.shuffle<i32>(v, v, 2, 2, 2, 2) : v128.shuffle<i32>(v, v, 3, 3, 3, 3);
}

// Bytes 0 and 3, 1 and 4, 2 and 5 of two pixels, widened to 16 bits. It and the numbers are loaded before the loops: as constants of
// the code they would be made anew for every use.
const NEIGHBOURS = memory.data<u8>([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, 128, 128, 128, 128]);
const NUMBERS = memory.data<f32>([8388608, 16384]);
const WHOLES = memory.data<i32>([0x7fffff, 16384, 3]);

// Four whole numbers below 2^22, held as floats, as integers.
// @ts-ignore: decorator
@inline function integers(v: v128, shift: v128, mantissa: v128): v128 {
  return v128.and(f32x4.add(v, shift), mantissa);
}

// One row of two neighbours: (r, g, b) of the left one and of the right one, in turn, times the two weights.
// @ts-ignore: decorator
@inline function acrossRow(p: usize, weights: v128, neighbours: v128): v128 {
  const v = v128.load8x8_u(p);
  return f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(
    i8x16.swizzle(v, neighbours), weights));
}

// @ts-ignore: decorator
@inline function bilinear(p: usize, strideBytes: usize, weights: v128, fy: v128, neighbours: v128): v128 {
  const top = acrossRow(p, weights, neighbours);
  return f32x4.add(top, f32x4.mul(f32x4.sub(acrossRow(p + strideBytes, weights, neighbours), top), fy));
}

// Samples at four positions; `sums` holds (r, g, b) x 16,384 of each, added to what is there.
// @ts-ignore: decorator
@inline function four(
  crop: usize, strideBytes: usize, x: v128, y: v128, sums: usize, first: bool,
  stride: v128, neighbours: v128, shift: v128, full: v128, mantissa: v128, unit: v128, three: v128,
): void {
  const column = f32x4.floor(x);
  const row = f32x4.floor(y);
  const fx = integers(f32x4.nearest(f32x4.mul(f32x4.sub(x, column), full)), shift, mantissa);
  const fy = f32x4.sub(y, row);
  // The right pixel's weight in the high half of each lane, the left one's in the low half.
  const weights = v128.or(i32x4.shl(fx, 16), i32x4.sub(unit, fx));
  const offset = i32x4.add(
    i32x4.mul(integers(row, shift, mantissa), stride),
    i32x4.mul(integers(column, shift, mantissa), three));
  let p0 = bilinear(crop + i32x4.extract_lane(offset, 0), strideBytes, lane(weights, 0), lane(fy, 0), neighbours);
  let p1 = bilinear(crop + i32x4.extract_lane(offset, 1), strideBytes, lane(weights, 1), lane(fy, 1), neighbours);
  let p2 = bilinear(crop + i32x4.extract_lane(offset, 2), strideBytes, lane(weights, 2), lane(fy, 2), neighbours);
  let p3 = bilinear(crop + i32x4.extract_lane(offset, 3), strideBytes, lane(weights, 3), lane(fy, 3), neighbours);
  if (!first) {
    p0 = f32x4.add(v128.load(sums), p0);
    p1 = f32x4.add(v128.load(sums, 16), p1);
    p2 = f32x4.add(v128.load(sums, 32), p2);
    p3 = f32x4.add(v128.load(sums, 48), p3);
  }
  v128.store(sums, p0);
  v128.store(sums, p1, 16);
  v128.store(sums, p2, 32);
  v128.store(sums, p3, 48);
}

// One row of samples into (or onto) 16 bytes per pixel.
// @ts-ignore: decorator
@inline function sampleRow(
  crop: usize, strideBytes: usize, map: ChipMap, size: usize, du: f32, v: f32, sums: usize, first: bool,
): void {
  const xu = f32x4.splat(map.xu);
  const yu = f32x4.splat(map.yu);
  const rowX = f32x4.splat(map.xv * v + map.x0);
  const rowY = f32x4.splat(map.yv * v + map.y0);
  const maxX = f32x4.splat(map.maxX);
  const maxY = f32x4.splat(map.maxY);
  const zero = f32x4.splat(0);
  const stride = i32x4.splat(<i32>strideBytes);
  const neighbours = v128.load(NEIGHBOURS);
  const shift = v128.load32_splat(NUMBERS);
  const full = v128.load32_splat(NUMBERS, 4);
  const mantissa = v128.load32_splat(WHOLES);
  const unit = v128.load32_splat(WHOLES, 4);
  const three = v128.load32_splat(WHOLES, 8);
  let u = f32x4.add(f32x4(0, 1, 2, 3), f32x4.splat(du));
  for (let end = sums + (size << 4); sums < end; sums += 64) {
    const x = f32x4.pmin(f32x4.pmax(f32x4.add(f32x4.mul(xu, u), rowX), zero), maxX);
    const y = f32x4.pmin(f32x4.pmax(f32x4.add(f32x4.mul(yu, u), rowY), zero), maxY);
    four(crop, strideBytes, x, y, sums, first, stride, neighbours, shift, full, mantissa, unit, three);
    u = f32x4.add(u, f32x4.splat(4));
  }
}

/**
 * `size` x `size` pixels, each one sample or the mean of a 2x2 grid of samples. The crop has one row and one column more than
 * maxX and maxY reach, and 8 spare bytes; `sums` holds 16 bytes for each pixel of a row, and 48 spare ones; each plane has 12 spare bytes.
 */
export function chip(
  crop: usize, strideBytes: usize, map: ChipMap, size: usize, supersampled: i32, sums: usize, planes: Planes,
): void {
  const divisor = f32x4.splat(supersampled ? 1 / <f32>65536 : 1 / <f32>16384);
  let red = <usize>planes.red;
  let green = <usize>planes.green;
  let blue = <usize>planes.blue;
  const redMean = f32x4.splat(planes.redMean);
  const greenMean = f32x4.splat(planes.greenMean);
  const blueMean = f32x4.splat(planes.blueMean);
  const redScale = f32x4.splat(planes.redScale);
  const greenScale = f32x4.splat(planes.greenScale);
  const blueScale = f32x4.splat(planes.blueScale);
  for (let row: usize = 0; row < size; row++) {
    const v = <f32>row;
    if (supersampled) {
      const q: f32 = 0.25;
      sampleRow(crop, strideBytes, map, size, -q, v - q, sums, true);
      sampleRow(crop, strideBytes, map, size, q, v - q, sums, false);
      sampleRow(crop, strideBytes, map, size, -q, v + q, sums, false);
      sampleRow(crop, strideBytes, map, size, q, v + q, sums, false);
    } else {
      sampleRow(crop, strideBytes, map, size, 0, v, sums, true);
    }
    for (let u: usize = 0; u < size; u += 4) {
      const s = sums + (u << 4);
      const p0 = f32x4.mul(v128.load(s), divisor);
      const p1 = f32x4.mul(v128.load(s, 16), divisor);
      const p2 = f32x4.mul(v128.load(s, 32), divisor);
      const p3 = f32x4.mul(v128.load(s, 48), divisor);
      const to = (row * size + u) << 2;
      v128.store(red + to, normalised(reds(p0, p1, p2, p3), redMean, redScale));
      v128.store(green + to, normalised(greens(p0, p1, p2, p3), greenMean, greenScale));
      v128.store(blue + to, normalised(blues(p0, p1, p2, p3), blueMean, blueScale));
    }
  }
}

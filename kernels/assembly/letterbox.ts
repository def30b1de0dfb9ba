// Separable resampling of an RGB888 region into normalised planes. The weights of each axis come from the caller: for each target
// index a first source index and `taps` weights. Rows are summed first, as interleaved floats, then columns.

import { blues, greens, normalised, Planes, reds, storeBlack } from './planes';

// 16 bytes of a source row, weighted, into (or onto) 16 floats.
// @ts-ignore: decorator
@inline function addRow(source: usize, weight: f32, target: usize, bytes: usize, first: bool): void {
  const w = f32x4.splat(weight);
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = v128.load(source + i);
    const low = i16x8.extend_low_i8x16_u(v);
    const high = i16x8.extend_high_i8x16_u(v);
    let a = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low)), w);
    let b = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low)), w);
    let c = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high)), w);
    let d = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high)), w);
    const t = target + (i << 2);
    if (!first) {
      a = f32x4.add(v128.load(t), a);
      b = f32x4.add(v128.load(t, 16), b);
      c = f32x4.add(v128.load(t, 32), c);
      d = f32x4.add(v128.load(t, 48), d);
    }
    v128.store(t, a);
    v128.store(t, b, 16);
    v128.store(t, c, 32);
    v128.store(t, d, 48);
  }
}

// Two weighted rows at once: the usual case, which saves a trip through memory.
// @ts-ignore: decorator
@inline function twoRows(source: usize, next: usize, weight: f32, nextWeight: f32, target: usize, bytes: usize): void {
  const w0 = f32x4.splat(weight);
  const w1 = f32x4.splat(nextWeight);
  for (let i: usize = 0; i < bytes; i += 8) {
    const v0 = v128.load8x8_u(source + i);
    const v1 = v128.load8x8_u(next + i);
    const t = target + (i << 2);
    v128.store(t, f32x4.add(
      f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(v0)), w0),
      f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(v1)), w1)));
    v128.store(t, f32x4.add(
      f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(v0)), w0),
      f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(v1)), w1)), 16);
  }
}

// @ts-ignore: decorator
@inline function pixel(row: usize, start: usize, weights: usize, taps: usize): v128 {
  let p = row + start;
  let sum = f32x4.mul(v128.load(p), v128.load32_splat(weights));
  for (let k: usize = 1; k < taps; k++) {
    p += 12;
    sum = f32x4.add(sum, f32x4.mul(v128.load(p), v128.load32_splat(weights + (k << 2))));
  }
  return sum;
}

// One target row from the interleaved float row; `taps` is a constant wherever this is inlined with one.
// @ts-ignore: decorator
@inline function columns(row: usize, starts: usize, weights: usize, taps: usize, width: usize, planes: Planes, index: usize): void {
  const step = taps << 2;
  // Read once: a store through one of the addresses could change the block for all that the compiler knows.
  let red = <usize>planes.red + (index << 2);
  let green = <usize>planes.green + (index << 2);
  let blue = <usize>planes.blue + (index << 2);
  const redMean = f32x4.splat(planes.redMean);
  const greenMean = f32x4.splat(planes.greenMean);
  const blueMean = f32x4.splat(planes.blueMean);
  const redScale = f32x4.splat(planes.redScale);
  const greenScale = f32x4.splat(planes.greenScale);
  const blueScale = f32x4.splat(planes.blueScale);
  const end = starts + (width << 2);
  while (starts < end) {
    const p0 = pixel(row, load<u32>(starts), weights, taps);
    const p1 = pixel(row, load<u32>(starts, 4), weights + step, taps);
    const p2 = pixel(row, load<u32>(starts, 8), weights + step * 2, taps);
    const p3 = pixel(row, load<u32>(starts, 12), weights + step * 3, taps);
    v128.store(red, normalised(reds(p0, p1, p2, p3), redMean, redScale));
    v128.store(green, normalised(greens(p0, p1, p2, p3), greenMean, greenScale));
    v128.store(blue, normalised(blues(p0, p1, p2, p3), blueMean, blueScale));
    starts += 16;
    weights += step << 2;
    red += 16;
    green += 16;
    blue += 16;
  }
}

// Picks one colour of four pixels of three bytes. Loaded before the loop: a constant of the code would be made anew for every use.
const COLOURS = memory.data<u8>([
  0, 128, 128, 128, 3, 128, 128, 128, 6, 128, 128, 128, 9, 128, 128, 128,
  1, 128, 128, 128, 4, 128, 128, 128, 7, 128, 128, 128, 10, 128, 128, 128,
  2, 128, 128, 128, 5, 128, 128, 128, 8, 128, 128, 128, 11, 128, 128, 128,
]);

// @ts-ignore: decorator
@inline function picked(v: v128, colour: v128): v128 {
  return f32x4.convert_i32x4_s(i8x16.swizzle(v, colour));
}

// A row that is neither weighted nor summed.
// @ts-ignore: decorator
@inline function plainRow(source: usize, width: usize, planes: Planes, index: usize): void {
  let red = <usize>planes.red + (index << 2);
  let green = <usize>planes.green + (index << 2);
  let blue = <usize>planes.blue + (index << 2);
  const redMean = f32x4.splat(planes.redMean);
  const greenMean = f32x4.splat(planes.greenMean);
  const blueMean = f32x4.splat(planes.blueMean);
  const redScale = f32x4.splat(planes.redScale);
  const greenScale = f32x4.splat(planes.greenScale);
  const blueScale = f32x4.splat(planes.blueScale);
  const everyRed = v128.load(COLOURS);
  const everyGreen = v128.load(COLOURS, 16);
  const everyBlue = v128.load(COLOURS, 32);
  const end = source + width * 3;
  while (source < end) {
    const v = v128.load(source);
    v128.store(red, normalised(picked(v, everyRed), redMean, redScale));
    v128.store(green, normalised(picked(v, everyGreen), greenMean, greenScale));
    v128.store(blue, normalised(picked(v, everyBlue), blueMean, blueScale));
    source += 12;
    red += 16;
    green += 16;
    blue += 16;
  }
}

/**
 * Target rows `firstRow` up to `firstRow + rows` of a placement, each framed by `left` and `right` black pixels.
 * `source` is the region's first pixel. `rowBuffer` holds 12 bytes per source pixel of the region's width and 64 spare bytes. The
 * column starts are byte offsets into that buffer. They and the column weights are readable for three entries more than `width`, zeros there. Planes need 12 spare bytes.
 */
export function letterboxRows(
  source: usize, strideBytes: usize, sourceWidth: usize,
  rowStarts: usize, rowWeights: usize, rowTaps: usize,
  columnStarts: usize, columnWeights: usize, columnTaps: usize,
  firstRow: usize, rows: usize, width: usize, left: usize, right: usize,
  rowBuffer: usize, planes: Planes,
): void {
  const bytes = sourceWidth * 3;
  let index: usize = 0;
  for (let v = firstRow; v < firstRow + rows; v++) {
    const weights = rowWeights + ((v * rowTaps) << 2);
    let p = source + <usize>load<u32>(rowStarts + (v << 2)) * strideBytes;
    storeBlack(planes, index, left);
    index += left;
    if (rowTaps == 1 && columnTaps == 1 && width == sourceWidth) {
      plainRow(p, width, planes, index);
    } else {
      if (rowTaps == 1) {
        addRow(p, load<f32>(weights), rowBuffer, bytes, true);
      } else {
        twoRows(p, p + strideBytes, load<f32>(weights), load<f32>(weights, 4), rowBuffer, bytes);
        p += strideBytes;
        for (let k: usize = 2; k < rowTaps; k++) {
          p += strideBytes;
          addRow(p, load<f32>(weights + (k << 2)), rowBuffer, bytes, false);
        }
      }
      if (columnTaps == 1) columns(rowBuffer, columnStarts, columnWeights, 1, width, planes, index);
      else if (columnTaps == 2) columns(rowBuffer, columnStarts, columnWeights, 2, width, planes, index);
      else if (columnTaps == 3) columns(rowBuffer, columnStarts, columnWeights, 3, width, planes, index);
      else columns(rowBuffer, columnStarts, columnWeights, columnTaps, width, planes, index);
    }
    index += width;
    // After the pixels: their last store may have run into these.
    storeBlack(planes, index, right);
    index += right;
  }
}

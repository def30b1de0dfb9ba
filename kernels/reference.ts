/** The pixel kernels in plain TypeScript: the specification, and the oracle of the tests. Single precision at every step. */
import {
  checkByteOrder,
  checkChip,
  checkEvenWidth,
  checkLayout,
  checkPicture,
  checkPixels,
  checkPlacement,
  checkRegion,
  checkTarget,
  checkYuv420,
} from './checks.ts';
import { planChip } from './chip-plan.ts';
import type {
  LoadedPicture,
  LumaStatistics,
  Picture,
  PixelKernels,
  Placement,
  Region,
  Similarity,
  TensorLayout,
  Yuv420Layout,
  Yuv420Picture,
} from './picture.ts';
import { cutChip } from './reference-chip.ts';
import { axisTaps } from './resampling.ts';
import { type LumaSums, lumaStatistics } from './statistics.ts';

const { fround } = Math;

export function createReferenceKernels(): PixelKernels {
  return {
    implementation: 'reference',
    load: loadPicture,
    unpackRgb565,
    unpackGrayscale,
    unpackYuv420,
    unpackYuv422,
  };
}

function unpackRgb565(bytes: Uint8Array, width: number, height: number, byteOrder: 'BE' | 'LE'): Picture {
  checkPixels('bytes', bytes, width, height, 2);
  checkByteOrder(byteOrder);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [high, low] =
      byteOrder === 'BE' ? [bytes[2 * i]!, bytes[2 * i + 1]!] : [bytes[2 * i + 1]!, bytes[2 * i]!];
    const code = high * 256 + low;
    data[3 * i] = Math.round(((code >> 11) * 255) / 31);
    data[3 * i + 1] = Math.round((((code >> 5) & 63) * 255) / 63);
    data[3 * i + 2] = Math.round(((code & 31) * 255) / 31);
  }
  return { width, height, data };
}

function unpackGrayscale(bytes: Uint8Array, width: number, height: number): Picture {
  checkPixels('bytes', bytes, width, height, 1);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < bytes.length; i++) data.fill(bytes[i]!, 3 * i, 3 * i + 3);
  return { width, height, data };
}

/** ITU-R BT.601 limited range: R = 1.164 Y + 1.596 V, G = 1.164 Y - 0.392 U - 0.813 V, B = 1.164 Y + 2.017 U, in multiples of 1/8192. */
function unpackYuv420(bytes: Uint8Array, width: number, height: number, layout?: Yuv420Layout): Picture {
  checkYuv420(bytes, width, height, layout);
  const data = new Uint8ClampedArray(width * height * 3);
  const chroma = width * height;
  // From one U to the next, and from U to its V.
  const [step, toV] = layout === 'NV12' ? [2, 1] : [1, chroma / 4];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const i = row * width + column;
      const pair = chroma + ((row >> 1) * (width >> 1) + (column >> 1)) * step;
      const luma = (bytes[i]! - 16) * 9539 + 4096;
      const u = bytes[pair]! - 128;
      const v = bytes[pair + toV]! - 128;
      data[3 * i] = (luma + 13075 * v) >> 13;
      data[3 * i + 1] = (luma - 3209 * u - 6660 * v) >> 13;
      data[3 * i + 2] = (luma + 16525 * u) >> 13;
    }
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

/** ITU-T T.871: R = Y + 1.402 V, G = Y - 0.344136 U - 0.714136 V, B = Y + 1.772 U, in multiples of 1/8192. */
function unpackYuv422(bytes: Uint8Array, width: number, height: number): Picture {
  checkEvenWidth(width);
  checkPixels('bytes', bytes, width, height, 2);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const pair = (i >> 1) * 4;
    const y = bytes[2 * i]!;
    const u = bytes[pair + 1]! - 128;
    const v = bytes[pair + 3]! - 128;
    data[3 * i] = y + ((11485 * v + 4096) >> 13);
    data[3 * i + 1] = y + ((-2819 * u - 5850 * v + 4096) >> 13);
    data[3 * i + 2] = y + ((14516 * u + 4096) >> 13);
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

function loadPicture(picture: Picture | Yuv420Picture): LoadedPicture {
  const { width, height } = picture;
  const own =
    'yuv420' in picture ? unpackYuv420(picture.yuv420, width, height, picture.layout) : copied(picture);
  return {
    width,
    height,
    letterbox(region, placement, layout, target) {
      checkRegion(region, width, height);
      checkPlacement(placement);
      checkLayout(layout);
      checkTarget(target, placement.tensorWidth, placement.tensorHeight);
      letterbox(own, region, placement, layout, target);
    },
    chip(map, sizePx, layout, target) {
      checkChip(map, sizePx);
      checkLayout(layout);
      checkTarget(target, sizePx, sizePx);
      const pixels = cutChip(own, planChip(map, sizePx, width, height), sizePx);
      normalise(pixels, layout, (plane, i, value) => {
        target[plane * sizePx * sizePx + i] = value;
      });
    },
    chipStatistics: (map, sizePx) => chipStatistics(own, map, sizePx),
  };
}

function copied(picture: Picture): Picture {
  checkPicture(picture);
  return { ...picture, data: picture.data.slice() };
}

/** Interleaved floats to planes: value = (byte - mean) x scale. */
function normalise(
  pixels: Float32Array,
  { channels, mean, scale }: TensorLayout,
  store: (plane: number, index: number, value: number) => void,
): void {
  for (let plane = 0; plane < 3; plane++) {
    const colour = channels === 'RGB' ? plane : 2 - plane;
    const m = fround(mean[plane]!);
    const s = fround(scale[plane]!);
    for (let i = 0; 3 * i < pixels.length; i++)
      store(plane, i, fround(fround(pixels[3 * i + colour]! - m) * s));
  }
}

function letterbox(
  picture: Picture,
  region: Region,
  { tensorWidth, tensorHeight, left, top, width, height }: Placement,
  layout: TensorLayout,
  target: Float32Array,
): void {
  const rows = axisTaps(region.height, height);
  const columns = axisTaps(region.width, width);
  const tensor = new Float32Array(3 * tensorWidth * tensorHeight);
  const sums = new Float32Array(3 * region.width);
  for (let v = 0; v < height; v++) {
    // Rows first, then columns: each target value is a sum of sums, in this order.
    for (let k = 0; k < rows.taps; k++) {
      const start = ((region.top + rows.starts[v]! + k) * picture.width + region.left) * 3;
      const weight = rows.weights[v * rows.taps + k]!;
      for (let i = 0; i < sums.length; i++) {
        const weighted = fround(picture.data[start + i]! * weight);
        sums[i] = k === 0 ? weighted : sums[i]! + weighted;
      }
    }
    for (let u = 0; u < width; u++) {
      for (let colour = 0; colour < 3; colour++) {
        let sum = 0;
        for (let k = 0; k < columns.taps; k++) {
          const weighted = fround(
            sums[(columns.starts[u]! + k) * 3 + colour]! * columns.weights[u * columns.taps + k]!,
          );
          sum = k === 0 ? weighted : fround(sum + weighted);
        }
        tensor[((top + v) * tensorWidth + left + u) * 3 + colour] = sum;
      }
    }
  }
  normalise(tensor, layout, (plane, i, value) => {
    target[plane * tensorWidth * tensorHeight + i] = value;
  });
}

function chipStatistics(picture: Picture, map: Similarity, sizePx: number): LumaStatistics {
  checkChip(map, sizePx);
  const pixels = cutChip(picture, planChip(map, sizePx, picture.width, picture.height), sizePx);
  const grey = new Float32Array(sizePx * sizePx);
  for (let i = 0; i < grey.length; i++) {
    const redGreen = fround(
      fround(fround(0.299) * pixels[3 * i]!) + fround(fround(0.587) * pixels[3 * i + 1]!),
    );
    grey[i] = redGreen + fround(fround(0.114) * pixels[3 * i + 2]!);
  }
  return lumaStatistics(lumaSums(grey, sizePx), sizePx);
}

/** Sums over a square grey picture; the Laplacian over its inner pixels. */
function lumaSums(grey: Float32Array, sizePx: number): LumaSums {
  let [sum, squares, bright, dark, laplacian, laplacianSquares] = [0, 0, 0, 0, 0, 0];
  for (const value of grey) {
    sum += value;
    squares += value * value;
    if (value >= 250) bright++;
    if (value <= 5) dark++;
  }
  for (let y = 1; y < sizePx - 1; y++) {
    for (let x = 1; x < sizePx - 1; x++) {
      const i = y * sizePx + x;
      const value = grey[i - 1]! + grey[i + 1]! + grey[i - sizePx]! + grey[i + sizePx]! - 4 * grey[i]!;
      laplacian += value;
      laplacianSquares += value * value;
    }
  }
  return { sum, squares, bright, dark, laplacian, laplacianSquares };
}

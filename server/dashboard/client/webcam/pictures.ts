/** Frames of a camera as the pixel kernels want them. Runs in a worker. */

import type { LoadedPicture } from '../../../../kernels/picture.ts';
import { rgbRows } from '../../../../kernels/pixel-rows.ts';
import pixelsWasm from '../../../../kernels/pixels-baseline.wasm';
import { type PixelExports, SimdPicture } from '../../../../kernels/simd-picture.ts';
import { WasmMemory } from '../../../../kernels/wasm-memory.ts';

/** Below it lie the module's own constants. */
const FIRST_BYTE = 1024;
const MAX_MEMORY_BYTES = 2 ** 28;

export interface PictureReader {
  /**
   * @param scale of the loaded picture to the bitmap, at most 1
   * @returns valid until the next call
   */
  load(bitmap: ImageBitmap, scale: number): LoadedPicture & { readonly meanLuma: number };
}

/** One pixel in so many is enough for a mean. */
const LUMA_STEP = 16;

export async function createPictureReader(): Promise<PictureReader> {
  const { instance } = await WebAssembly.instantiate(pixelsWasm, {});
  const simd = instance.exports as unknown as PixelExports;
  const memory = new WasmMemory(simd.memory, FIRST_BYTE, MAX_MEMORY_BYTES);
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  let loads = 0;
  return {
    load(bitmap, scale) {
      const width = Math.max(1, Math.round(bitmap.width * scale));
      const height = Math.max(1, Math.round(bitmap.height * scale));
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      context.imageSmoothingQuality = 'high';
      context.drawImage(bitmap, 0, 0, width, height);
      const rgba = context.getImageData(0, 0, width, height).data;
      memory.release(FIRST_BYTE);
      const address = memory.take(3 * width * height);
      const rgb = memory.bytes;
      for (let from = 0, to = address; from < rgba.length; from += 4, to += 3) {
        rgb[to] = rgba[from]!;
        rgb[to + 1] = rgba[from + 1]!;
        rgb[to + 2] = rgba[from + 2]!;
      }
      const load = ++loads;
      const picture = new SimdPicture(simd, memory, rgbRows(address, width, height), () => load === loads);
      return Object.assign(picture, { meanLuma: meanLumaOf(rgba) });
    },
  };
}

/** Luma of ITU-R BT.601. */
function meanLumaOf(rgba: Uint8ClampedArray): number {
  let sum = 0;
  let count = 0;
  for (let from = 0; from < rgba.length; from += 4 * LUMA_STEP, count++)
    sum += 0.299 * rgba[from]! + 0.587 * rgba[from + 1]! + 0.114 * rgba[from + 2]!;
  return sum / count;
}

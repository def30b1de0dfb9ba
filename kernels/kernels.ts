/** Picture kernels: loads the SIMD module, owns its memory, checks arguments before it is touched. */
import { readFileSync } from 'node:fs';
import { checkByteOrder, checkEvenWidth, checkPicture, checkPixels, checkYuv420 } from './checks.ts';
import type { LoadedPicture, Picture, PixelKernels, Yuv420Layout, Yuv420Picture } from './picture.ts';
import { loadYuv420, rgbRows } from './pixel-rows.ts';
import { createReferenceKernels } from './reference.ts';
import { bandPixels, type PixelExports, SimdPicture } from './simd-picture.ts';
import { WasmMemory } from './wasm-memory.ts';

/** Below it lie the module's own constants, some tens of bytes. */
const firstByte = 1024;
const maxMemoryBytes = 2 ** 30;
/** A memory that one giant picture has blown up beyond this is given back when pictures are small again. */
const keptMemoryBytes = 128 * 2 ** 20;
/** `reference` is the plain twin: the specification, a hundred times slower. A loaded picture is valid until the next `load`. */
export async function createPixelKernels(implementation: 'simd' | 'reference'): Promise<PixelKernels> {
  if (implementation === 'reference') return createReferenceKernels();
  return new SimdKernels(new WebAssembly.Module(readFileSync(new URL('./pixels.wasm', import.meta.url))));
}

class SimdKernels implements PixelKernels {
  readonly implementation = 'simd';
  readonly #module: WebAssembly.Module;
  #simd: PixelExports;
  #memory: WasmMemory;
  #loads = 0;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#simd = instantiate(module);
    this.#memory = new WasmMemory(this.#simd.memory, firstByte, maxMemoryBytes);
  }

  load(picture: Picture | Yuv420Picture): LoadedPicture {
    const { width, height } = picture;
    const isVideo = 'yuv420' in picture;
    if (isVideo) checkYuv420(picture.yuv420, width, height, picture.layout);
    else checkPicture(picture);
    if (this.#memory.bytes.length > keptMemoryBytes && width * height * 12 < keptMemoryBytes) {
      this.#simd = instantiate(this.#module);
      this.#memory = new WasmMemory(this.#simd.memory, firstByte, maxMemoryBytes);
    }
    const load = ++this.#loads;
    this.#memory.release(firstByte);
    const pixels = isVideo
      ? loadYuv420(this.#simd, this.#memory, picture)
      : rgbRows(this.#memory.takeBytes(picture.data), width, height);
    return new SimdPicture(this.#simd, this.#memory, pixels, () => load === this.#loads);
  }

  unpackRgb565(bytes: Uint8Array, width: number, height: number, byteOrder: 'BE' | 'LE'): Picture {
    checkPixels('bytes', bytes, width, height, 2);
    checkByteOrder(byteOrder);
    const bigEndian = byteOrder === 'BE' ? 1 : 0;
    return this.#unpack(bytes, width, height, 2, (source, target, pixels) =>
      this.#simd.unpackRgb565(source, target, pixels, bigEndian),
    );
  }

  unpackGrayscale(bytes: Uint8Array, width: number, height: number): Picture {
    checkPixels('bytes', bytes, width, height, 1);
    return this.#unpack(bytes, width, height, 1, this.#simd.unpackGrayscale);
  }

  unpackYuv422(bytes: Uint8Array, width: number, height: number): Picture {
    checkEvenWidth(width);
    checkPixels('bytes', bytes, width, height, 2);
    return this.#unpack(bytes, width, height, 2, this.#simd.unpackYuv422);
  }

  unpackYuv420(bytes: Uint8Array, width: number, height: number, layout?: Yuv420Layout): Picture {
    checkYuv420(bytes, width, height, layout);
    const nv12 = layout === 'NV12' ? 1 : 0;
    const data = new Uint8Array(Buffer.allocUnsafeSlow(width * height * 3).buffer);
    const mark = this.#memory.mark;
    const source = this.#memory.take(bytes.length);
    const rows = Math.min(height, Math.max(1, Math.floor(bandPixels / width)));
    const target = this.#memory.take(rows * width * 3);
    const memory = this.#memory.bytes;
    memory.set(bytes, source);
    for (let first = 0; first < height; first += rows) {
      const count = Math.min(rows, height - first);
      this.#simd.unpackYuv420(source, width, height, first, count, target, nv12);
      data.set(memory.subarray(target, target + count * width * 3), first * width * 3);
    }
    this.#memory.release(mark);
    return { width, height, data };
  }

  #unpack(
    bytes: Uint8Array,
    width: number,
    height: number,
    bytesPerPixel: number,
    kernel: (source: number, target: number, pixels: number) => void,
  ): Picture {
    // Not zeroed first: every byte is written.
    const data = new Uint8Array(Buffer.allocUnsafeSlow(width * height * 3).buffer);
    const mark = this.#memory.mark;
    const source = this.#memory.take(bandPixels * bytesPerPixel);
    const target = this.#memory.take(bandPixels * 3);
    const memory = this.#memory.bytes;
    for (let first = 0; first < width * height; first += bandPixels) {
      const pixels = Math.min(bandPixels, width * height - first);
      memory.set(bytes.subarray(first * bytesPerPixel, (first + pixels) * bytesPerPixel), source);
      kernel(source, target, pixels);
      data.set(memory.subarray(target, target + pixels * 3), first * 3);
    }
    this.#memory.release(mark);
    return { width, height, data };
  }
}

function instantiate(module: WebAssembly.Module): PixelExports {
  return new WebAssembly.Instance(module, {}).exports as unknown as PixelExports;
}

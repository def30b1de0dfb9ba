/** What the enhancement module exports, and one memory laid out for frames of one size. Addresses are bytes. */
import { readFileSync } from 'node:fs';
import { higherWeights } from './noise-estimate.ts';
import { WasmMemory } from './wasm-memory.ts';

/** See kernels/assembly for each function; strides are in bytes. */
export interface EnhanceExports {
  readonly memory: WebAssembly.Memory;
  unpackGrayscale(source: number, target: number, pixels: number): void;
  unpackYuv422(source: number, target: number, pixels: number): void;
  unpackRgb565(source: number, target: number, pixels: number, bigEndian: number): void;
  mapBytes(bytes: number, count: number, table: number): void;
  splitRgb888(
    source: number,
    width: number,
    height: number,
    s: number,
    sStride: number,
    d: number,
    e: number,
    halfStride: number,
  ): void;
  splitRgb565(
    source: number,
    width: number,
    height: number,
    bigEndian: number,
    s: number,
    sStride: number,
    d: number,
    e: number,
    halfStride: number,
  ): void;
  padPlane(plane: number, width: number, height: number, stride: number): void;
  cellSums(
    plane: number,
    stride: number,
    width: number,
    height: number,
    scratch: number,
    levels: number,
  ): void;
  noiseMap(
    levels: number,
    counts: number,
    levelColumns: number,
    columns: number,
    rows: number,
    step: number,
    table: number,
    target: number,
  ): void;
  blockSpectra(
    plane: number,
    stride: number,
    width: number,
    height: number,
    step: number,
    table: number,
    weights: number,
    target: number,
    energies: number,
  ): number;
  shrinkPlane(
    plane: number,
    target: number,
    stride: number,
    width: number,
    height: number,
    sigmas: number,
    table: number,
    scratch: number,
  ): void;
  wienerPlane(
    plane: number,
    target: number,
    stride: number,
    width: number,
    height: number,
    sigmas: number,
    scratch: number,
  ): void;
  smoothPlane(
    plane: number,
    other: number,
    stride: number,
    width: number,
    height: number,
    spacing: number,
  ): void;
  sharpenPlane(
    plane: number,
    other: number,
    stride: number,
    width: number,
    height: number,
    strength: number,
  ): void;
  cellChanges(
    plane: number,
    merged: number,
    stride: number,
    width: number,
    height: number,
    target: number,
  ): void;
  mergePlane(
    plane: number,
    merged: number,
    stride: number,
    width: number,
    height: number,
    shares: number,
    shareColumns: number,
    shift: number,
  ): void;
  halvePlane(
    plane: number,
    stride: number,
    width: number,
    height: number,
    target: number,
    targetStride: number,
  ): void;
  guideSums(
    guide: number,
    d: number,
    e: number,
    stride: number,
    width: number,
    height: number,
    target: number,
  ): void;
  composePicture(
    s: number,
    sStride: number,
    d: number,
    e: number,
    guide: number,
    slopes: number,
    halfStride: number,
    width: number,
    height: number,
    correction: number,
    scratch: number,
    target: number,
  ): void;
}

export function compileEnhance(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL('./enhance.wasm', import.meta.url)));
}

export function instantiateEnhance(module: WebAssembly.Module): EnhanceExports {
  return new WebAssembly.Instance(module, {}).exports as unknown as EnhanceExports;
}

const maxMemoryBytes = 2 ** 30;
const firstByte = 1024;
/** Elements of padding round every plane. */
const padding = 8;

/** One of the three opponent planes: S at full size, D and E at half. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  /** First inner element of the frame's plane, of the denoised one, and of the one merged over time. */
  readonly frame: number;
  readonly denoised: number;
  readonly merged: number;
  /** Bytes of the merged plane's inner rows. */
  readonly mergedBytes: number;
  /** Noise level of each block, noise table and threshold table. */
  readonly sigmas: number;
  readonly noiseTable: number;
  readonly thresholds: number;
  /** Merging's changes per 8x8 elements: four 32-bit integers each. */
  readonly changes: number;
}

/** Frames come in and pictures go out in bands of so many rows. */
export const bandRows = 16;
const roundedSize = (size: number) => (size + 15) & ~15;

/** Rows and columns are rounded up to multiples of 16; what is added repeats the edge and is cut off again at the end. */
export class EnhanceWorkspace {
  readonly kernels: EnhanceExports;
  readonly width: number;
  readonly height: number;
  readonly source: number;
  readonly rgb: number;
  /** 256 bytes that codes are looked up in as they are read. */
  readonly byteTable: number;
  readonly planes: readonly [Plane, Plane, Plane];
  readonly levels: number;
  readonly counts: number;
  readonly levelColumns: number;
  readonly levelRows: number;
  readonly shares: number;
  readonly spectra: number;
  readonly energies: number;
  readonly weights: number;
  readonly correction: number;
  /** Per cell of 16x16 pixels: guideSums' six 32-bit integers, and composePicture's two slopes. */
  readonly guideSums: number;
  readonly slopes: number;
  readonly scratch: number;
  readonly target: number;
  readonly #memory: WasmMemory;

  constructor(kernels: EnhanceExports, frameWidth: number, frameHeight: number) {
    this.kernels = kernels;
    this.width = roundedSize(frameWidth);
    this.height = roundedSize(frameHeight);
    const memory = new WasmMemory(kernels.memory, firstByte, maxMemoryBytes);
    this.#memory = memory;
    const pixels = this.width * this.height;
    this.levelColumns = this.width / 4 + 1;
    this.levelRows = this.height / 4 + 1;
    this.source = memory.take(bandRows * this.width * 2);
    this.rgb = memory.take(bandRows * this.width * 3);
    this.byteTable = memory.take(256);
    this.planes = [this.#takePlane(1), this.#takePlane(2), this.#takePlane(2)];
    this.levels = memory.take(this.levelColumns * this.levelRows);
    this.counts = memory.take(this.levelColumns * this.levelRows);
    this.shares = memory.take((pixels / 64) * 2);
    this.spectra = memory.take(maxSampledBlocks * 128);
    this.energies = memory.take(maxSampledBlocks * 4);
    this.weights = memory.takeFloats(higherWeights);
    this.correction = memory.take(64);
    this.guideSums = memory.take((pixels / 256) * 24);
    this.slopes = memory.take((pixels / 256) * 4);
    this.scratch = memory.take(this.width * 48 + 4096);
    this.target = memory.take(bandRows * this.width * 3);
  }

  #takePlane(shrink: 1 | 2): Plane {
    const width = this.width / shrink;
    const height = this.height / shrink;
    const stride = (width + 2 * padding) * 2;
    const inner = () => this.#memory.take(stride * (height + 2 * padding)) + padding * stride + padding * 2;
    return {
      width,
      height,
      stride,
      frame: inner(),
      denoised: inner(),
      merged: inner(),
      mergedBytes: stride * height,
      sigmas: this.#memory.take((width / 4 + 1) * (height / 4 + 1) * 2),
      noiseTable: this.#memory.take(16 * 256 * 2),
      thresholds: this.#memory.take(144),
      changes: this.#memory.take((width / 8) * (height / 8) * 16),
    };
  }

  /** Whether frames of that size need this one's rounded size. */
  fits(frameWidth: number, frameHeight: number): boolean {
    return this.width === roundedSize(frameWidth) && this.height === roundedSize(frameHeight);
  }

  get bytes(): Uint8Array {
    return this.#memory.bytes;
  }

  integers16(address: number, count: number): Int16Array {
    return new Int16Array(this.kernels.memory.buffer, address, count);
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.kernels.memory.buffer, address, count);
  }

  integers32(address: number, count: number): Int32Array {
    return new Int32Array(this.kernels.memory.buffer, address, count);
  }
}

/** Blocks of one plane that the noise is estimated from, at most. */
export const maxSampledBlocks = 2048;

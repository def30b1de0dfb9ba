/**
 * Baseline JPEG (ITU-T T.81, JFIF 1.01), 4:2:0, standard Huffman tables, quality 1 to 100 as the Independent JPEG Group scales it.
 *
 * Why not by sharp, which decodes everything here: libjpeg-turbo encodes a frame of 320x240 in 0.3 ms, but the way there (a hundred options
 * through N-API, a pipeline, two more threads, copies) takes 0.6 ms of processor time more. This takes 0.2 ms in all, on the thread that
 * has the pixels, and is ahead at every size: 3.7 ms against 5.8 at 1920x1080 (`npm run bench -- kernels`).
 */
import { readFileSync } from 'node:fs';
import { checkInteger, checkPicture } from './checks.ts';
import { endOfImage, type JpegTables, jpegTables, writeSize, zigzag } from './jpeg-tables.ts';
import type { Picture } from './picture.ts';
import { encodeReferenceJpeg } from './reference-jpeg.ts';
import { WasmMemory } from './wasm-memory.ts';

export interface JpegEncoder {
  readonly implementation: 'simd' | 'reference';
  /**
   * The whole file of an RGB888 picture, both sides from 1 to 65,535 px; the bytes are the caller's own, in a buffer of their length.
   * @throws RangeError where the quality is no whole number from 1 to 100, or the picture has not the bytes that its size demands
   */
  encode(picture: Picture, quality: number): Uint8Array;
}

interface JpegExports {
  readonly memory: WebAssembly.Memory;
  encodeRow(
    source: number,
    width: number,
    rows: number,
    tables: number,
    scan: number,
    scratch: number,
    words: number,
  ): void;
  endScan(scan: number): void;
}

/** `reference` is the plain twin: the same bytes, slowly. */
export async function createJpegEncoder(implementation: 'simd' | 'reference'): Promise<JpegEncoder> {
  if (implementation === 'simd') return new SimdEncoder();
  return {
    implementation,
    encode(picture, quality) {
      checkEncoding(picture, quality);
      return encodeReferenceJpeg(picture, jpegTables(quality));
    },
  };
}

function checkEncoding(picture: Picture, quality: number): void {
  checkPicture(picture);
  checkInteger('quality', quality, 1, 100);
}

const firstByte = 1024;
const maxMemoryBytes = 2 ** 26;
const mcuSide = 16;
/** The most that the kernel writes for an MCU, every byte stuffed; and what it may write beyond a row of them. */
const mcuBytes = 6 * 2 * 208;
const spareBytes = 64;
/** Data of at most so many bytes and one row of MCUs stay in the module's memory until they are whole; more goes out in pieces. */
const pieceBytes = 2 ** 18;

/** Where each table lies: as in assembly/jpeg.ts. */
const tableOffsets = {
  luma: 0,
  chroma: 256,
  lumaDc: 512,
  lumaAc: 576,
  chromaDc: 1600,
  chromaAc: 1664,
  order: 2688,
  places: 2944,
} as const;
const tablesBytes = 3008;
const scratchBytes = 1664;
/** 32-bit fields of Scan in assembly/jpeg-huffman.ts. */
const scanFields = 12;
const scanField = { target: 4, lumaShift: 8, chromaShift: 9 } as const;

class SimdEncoder implements JpegEncoder {
  readonly implementation = 'simd';
  readonly #simd: JpegExports;
  readonly #memory: WasmMemory;
  readonly #tables: number;
  readonly #scan: number;
  readonly #scratch: number;
  readonly #firstFree: number;
  #current: { readonly quality: number; readonly tables: JpegTables } | null = null;

  constructor() {
    const module = new WebAssembly.Module(readFileSync(new URL('./jpeg.wasm', import.meta.url)));
    this.#simd = new WebAssembly.Instance(module, {}).exports as unknown as JpegExports;
    this.#memory = new WasmMemory(this.#simd.memory, firstByte, maxMemoryBytes);
    this.#tables = this.#memory.take(tablesBytes);
    this.#scan = this.#memory.take(scanFields * 4);
    this.#scratch = this.#memory.take(scratchBytes);
    this.#firstFree = this.#memory.mark;
    this.#write(tableOffsets.order, codingOrder());
    this.#write(
      tableOffsets.places,
      Uint8Array.from(zigzag, (position) => 2 * turned(position)),
    );
  }

  encode(picture: Picture, quality: number): Uint8Array {
    checkEncoding(picture, quality);
    const { header, luma, chroma } = this.#use(quality);
    const { width, height, data } = picture;
    const rowBytes = Math.ceil(width / mcuSide) * mcuBytes + spareBytes;
    this.#memory.release(this.#firstFree);
    const source = this.#memory.take(mcuSide * width * 3);
    const words = this.#memory.take(rowBytes / 2);
    const target = this.#memory.take(pieceBytes + rowBytes);
    const memory = this.#memory.bytes;
    const scan = new Uint32Array(memory.buffer, this.#scan, scanFields);
    scan.fill(0);
    scan[scanField.lumaShift] = luma.shift;
    scan[scanField.chromaShift] = chroma.shift;
    memory.set(header, target);
    writeSize(memory, target, width, height);
    scan[scanField.target] = target + header.length;
    const pieces: Uint8Array[] = [];
    for (let first = 0; first < height; first += mcuSide) {
      if (scan[scanField.target]! > target + pieceBytes) {
        pieces.push(memory.slice(target, scan[scanField.target]!));
        scan[scanField.target] = target;
      }
      const rows = Math.min(mcuSide, height - first);
      memory.set(data.subarray(first * width * 3, (first + rows) * width * 3), source);
      this.#simd.encodeRow(source, width, rows, this.#tables, this.#scan, this.#scratch, words);
    }
    this.#simd.endScan(this.#scan);
    const end = scan[scanField.target]!;
    memory.set(endOfImage, end);
    const last = memory.slice(target, end + endOfImage.length);
    return pieces.length === 0 ? last : joined([...pieces, last]);
  }

  /** Boards' frames all have the same quality: its tables stay. */
  #use(quality: number): JpegTables {
    if (quality === this.#current?.quality) return this.#current.tables;
    const tables = jpegTables(quality);
    for (const component of ['luma', 'chroma'] as const) {
      this.#write(tableOffsets[component], tables[component].multipliers);
      this.#write(tableOffsets[component] + 128, tables[component].roundings);
    }
    this.#write(tableOffsets.lumaDc, tables.lumaDc);
    this.#write(tableOffsets.lumaAc, tables.lumaAc);
    this.#write(tableOffsets.chromaDc, tables.chromaDc);
    this.#write(tableOffsets.chromaAc, tables.chromaAc);
    this.#current = { quality, tables };
    return tables;
  }

  #write(offset: number, { buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.#memory.bytes.set(new Uint8Array(buffer, byteOffset, byteLength), this.#tables + offset);
  }
}

/** From rows to the order [across][down], in which the transform leaves a block. */
const turned = (position: number) => 8 * (position & 7) + (position >> 3);

/** Of every 16 coefficients in the order of coding, which of each 16 bytes of a block they are; 128 where they are none of them. */
function codingOrder(): Uint8Array {
  const order = new Uint8Array(256).fill(128);
  zigzag.forEach((position, k) => {
    const from = turned(position);
    order[64 * (k >> 4) + 16 * (from >> 4) + (k & 15)] = from & 15;
  });
  return order;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const piece of pieces) {
    whole.set(piece, position);
    position += piece.length;
  }
  return whole;
}

/** Rows of RGB888 in the module's memory: there already, or made from a 4:2:0 picture when somebody asks for them. */
import type { Yuv420Picture } from './picture.ts';
import type { PixelExports } from './simd-picture.ts';
import type { WasmMemory } from './wasm-memory.ts';

export interface PixelRows {
  readonly width: number;
  readonly height: number;
  /** Sees to it that those rows are there; gives the address of row 0. */
  rows(first: number, count: number): number;
  /** Gives a function from rows, at most `mostRows` of them, to the address of the first. What it gives is valid until it is called again. */
  takeBand(mostRows: number): (first: number, count: number) => number;
}

/** Of a picture that lies at that address. */
export function rgbRows(address: number, width: number, height: number): PixelRows {
  return {
    width,
    height,
    rows: () => address,
    takeBand: () => (first) => address + first * width * 3,
  };
}

/** Keeps room for every row, and converts those that chips ask for; tensors are filled from bands that stay in the cache. */
export function loadYuv420(
  simd: PixelExports,
  memory: WasmMemory,
  { yuv420, width, height, layout }: Yuv420Picture,
): PixelRows {
  const nv12 = layout === 'NV12' ? 1 : 0;
  const yuv = memory.takeBytes(yuv420);
  const address = memory.take(width * height * 3);
  const strideBytes = width * 3;
  // A row of its own first: what is written beyond a row's end must not fall on one that is there already.
  const oneRow = memory.take(strideBytes);
  const present = new Uint8Array(height);
  return {
    width,
    height,
    rows(first, count) {
      for (let row = first; row < first + count; row++) {
        if (present[row]) continue;
        present[row] = 1;
        simd.unpackYuv420(yuv, width, height, row, 1, oneRow, nv12);
        memory.bytes.copyWithin(address + row * strideBytes, oneRow, oneRow + strideBytes);
      }
      return address;
    },
    takeBand(mostRows) {
      const band = memory.take(mostRows * strideBytes);
      return (first, count) => {
        simd.unpackYuv420(yuv, width, height, first, count, band, nv12);
        return band;
      };
    },
  };
}

/** A picture in the memory of the SIMD module: resized into tensors, cut into chips, measured. */
import { checkChip, checkLayout, checkPlacement, checkRegion, checkTarget } from './checks.ts';
import { type ChipPlan, planChip } from './chip-plan.ts';
import type {
  LoadedPicture,
  LumaStatistics,
  Placement,
  Region,
  Similarity,
  TensorLayout,
} from './picture.ts';
import type { PixelRows } from './pixel-rows.ts';
import { type AxisTaps, axisTaps } from './resampling.ts';
import { lumaStatistics } from './statistics.ts';
import type { WasmMemory } from './wasm-memory.ts';

export interface PixelExports {
  readonly memory: WebAssembly.Memory;
  unpackRgb565(source: number, target: number, pixels: number, bigEndian: number): void;
  unpackGrayscale(source: number, target: number, pixels: number): void;
  unpackYuv420(
    yuv: number,
    width: number,
    height: number,
    first: number,
    rows: number,
    target: number,
    nv12: number,
  ): void;
  unpackYuv422(source: number, target: number, pixels: number): void;
  letterboxRows(...addressesAndSizes: number[]): void;
  halve(
    source: number,
    sourceStride: number,
    width: number,
    height: number,
    target: number,
    targetStride: number,
  ): void;
  copyRows(
    source: number,
    sourceStride: number,
    target: number,
    targetStride: number,
    bytes: number,
    rows: number,
  ): void;
  blackenBorder(buffer: number, strideBytes: number, width: number, height: number): void;
  chip(
    crop: number,
    strideBytes: number,
    map: number,
    size: number,
    supersampled: number,
    sums: number,
    planes: number,
  ): void;
  luma(red: number, green: number, blue: number, target: number, count: number): void;
  lumaSums(plane: number, width: number, height: number, sums: number): void;
}

/** Unpacking and letterboxing go in bands that stay in the processor's cache on their way to the caller's own arrays. */
export const bandPixels = 16_384;

const greyLevels: TensorLayout = { channels: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] };

export class SimdPicture implements LoadedPicture {
  readonly width: number;
  readonly height: number;
  readonly #simd: PixelExports;
  readonly #memory: WasmMemory;
  readonly #pixels: PixelRows;
  readonly #isCurrent: () => boolean;

  constructor(simd: PixelExports, memory: WasmMemory, pixels: PixelRows, isCurrent: () => boolean) {
    this.#simd = simd;
    this.#memory = memory;
    this.#pixels = pixels;
    this.width = pixels.width;
    this.height = pixels.height;
    this.#isCurrent = isCurrent;
  }

  letterbox(region: Region, placement: Placement, layout: TensorLayout, target: Float32Array): void {
    checkRegion(region, this.width, this.height);
    checkPlacement(placement);
    checkLayout(layout);
    checkTarget(target, placement.tensorWidth, placement.tensorHeight);
    this.#inScratch(() => this.#letterbox(region, placement, layout, target));
  }

  chip(map: Similarity, sizePx: number, layout: TensorLayout, target: Float32Array): void {
    checkChip(map, sizePx);
    checkLayout(layout);
    checkTarget(target, sizePx, sizePx);
    this.#inScratch(() => {
      const plane = sizePx * sizePx;
      const { red, green, blue } = this.#chip(planChip(map, sizePx, this.width, this.height), sizePx, layout);
      const planes = layout.channels === 'RGB' ? [red, green, blue] : [blue, green, red];
      const floats = this.#memory.floats;
      planes.forEach((address, i) => {
        target.set(floats.subarray(address / 4, address / 4 + plane), i * plane);
      });
    });
  }

  chipStatistics(map: Similarity, sizePx: number): LumaStatistics {
    checkChip(map, sizePx);
    return this.#inScratch(() => {
      const { red, green, blue } = this.#chip(
        planChip(map, sizePx, this.width, this.height),
        sizePx,
        greyLevels,
      );
      const sums = this.#memory.take(6 * 8);
      this.#simd.luma(red, green, blue, red, sizePx * sizePx);
      this.#simd.lumaSums(red, sizePx, sizePx, sums);
      const [sum, squares, bright, dark, laplacian, laplacianSquares] = new Float64Array(
        this.#memory.bytes.buffer,
        sums,
        6,
      );
      return lumaStatistics(
        {
          sum: sum!,
          squares: squares!,
          bright: bright!,
          dark: dark!,
          laplacian: laplacian!,
          laplacianSquares: laplacianSquares!,
        },
        sizePx,
      );
    });
  }

  #inScratch<T>(work: () => T): T {
    if (!this.#isCurrent()) throw new Error('a loaded picture was used after the next load took its memory');
    const mark = this.#memory.mark;
    try {
      return work();
    } finally {
      this.#memory.release(mark);
    }
  }

  #letterbox(region: Region, placement: Placement, layout: TensorLayout, target: Float32Array): void {
    const { tensorWidth, tensorHeight, left, top, width, height } = placement;
    const rows = axisTaps(region.height, height);
    const columns = axisTaps(region.width, width);
    const rowTables = this.#takeTaps(rows);
    // As byte offsets into the row buffer, 12 bytes a pixel.
    const columnTables = this.#takeTaps({ ...columns, starts: columns.starts.map((start) => start * 12) });
    const rowBuffer = this.#memory.take(region.width * 12 + 64);
    const bandRows = Math.min(height, Math.max(1, Math.floor(bandPixels / tensorWidth)));
    const planes = [0, 1, 2].map(() => this.#memory.take(bandRows * tensorWidth * 4)) as [
      number,
      number,
      number,
    ];
    const parameters = this.#takePlanes(planes, layout);
    const strideBytes = this.width * 3;
    /** The region's rows that target rows `first` up to `first + count` are made from. */
    const sourceRows = (first: number, count: number): [from: number, count: number] => {
      const from = rows.starts[first]!;
      return [from, rows.starts[first + count - 1]! + rows.taps - from];
    };
    let mostRows = 0;
    for (let first = 0; first < height; first += bandRows) {
      mostRows = Math.max(mostRows, sourceRows(first, Math.min(bandRows, height - first))[1]);
    }
    const band = this.#pixels.takeBand(mostRows);
    const floats = this.#memory.floats;

    const planeSize = tensorWidth * tensorHeight;
    for (let plane = 0; plane < 3; plane++) {
      const black = Math.fround(
        Math.fround(0 - Math.fround(layout.mean[plane]!)) * Math.fround(layout.scale[plane]!),
      );
      target.fill(black, plane * planeSize, plane * planeSize + top * tensorWidth);
      target.fill(black, plane * planeSize + (top + height) * tensorWidth, (plane + 1) * planeSize);
    }
    for (let first = 0; first < height; first += bandRows) {
      const count = Math.min(bandRows, height - first);
      const [from, fromCount] = sourceRows(first, count);
      // Where the region's first row would be: the kernel counts from there.
      const source = band(region.top + from, fromCount) - from * strideBytes + region.left * 3;
      this.#simd.letterboxRows(
        source,
        strideBytes,
        region.width,
        ...rowTables,
        rows.taps,
        ...columnTables,
        columns.taps,
        first,
        count,
        width,
        left,
        tensorWidth - left - width,
        rowBuffer,
        parameters,
      );
      for (let plane = 0; plane < 3; plane++) {
        const address = planes[plane]! / 4;
        const band = floats.subarray(address, address + count * tensorWidth);
        target.set(band, plane * planeSize + (top + first) * tensorWidth);
      }
    }
  }

  #takeTaps({ starts, weights, taps }: AxisTaps): [starts: number, weights: number] {
    // Columns go in fours: up to three more entries are read, and must point inside the row.
    return [this.#memory.takeIntegers(starts, 3), this.#memory.takeFloats(weights, 3 * taps)];
  }

  /** The parameter block `Planes`: addresses, means and scales in the order red, green, blue; `addresses` are in the layout's order. */
  #takePlanes(addresses: readonly [number, number, number], { channels, mean, scale }: TensorLayout): number {
    const order = channels === 'RGB' ? [0, 1, 2] : [2, 1, 0];
    const block = this.#memory.take(36);
    const integers = new Uint32Array(this.#memory.bytes.buffer, block, 3);
    order.forEach((plane, colour) => {
      integers[colour] = addresses[plane]!;
      this.#memory.floats[block / 4 + 3 + colour] = mean[plane]!;
      this.#memory.floats[block / 4 + 6 + colour] = scale[plane]!;
    });
    return block;
  }

  #chip(plan: ChipPlan, sizePx: number, layout: TensorLayout): { red: number; green: number; blue: number } {
    const crop = this.#crop(plan);
    const planeBytes = sizePx * sizePx * 4;
    const red = this.#memory.take(planeBytes);
    const green = this.#memory.take(planeBytes);
    const blue = this.#memory.take(planeBytes);
    const planes = this.#takePlanes(
      layout.channels === 'RGB' ? [red, green, blue] : [blue, green, red],
      layout,
    );
    const map = this.#memory.takeFloats(plan.map);
    const sums = this.#memory.take(sizePx * 16);
    this.#simd.chip(crop.address, crop.strideBytes, map, sizePx, plan.supersampled ? 1 : 0, sums, planes);
    return { red, green, blue };
  }

  /** Halves what the plan needs of the picture, and puts it into a black frame. */
  #crop({ halvings, left, top, width, height }: ChipPlan): { address: number; strideBytes: number } {
    const strideBytes = (width + 2) * 3 + 8;
    // One row more than the frame: a sample on the last row looks at the one below it.
    const address = this.#memory.take(strideBytes * (height + 3));
    const inner = address + strideBytes + 3;
    if (halvings === 0) {
      const source = this.#pixels.rows(top, height) + (top * this.width + left) * 3;
      this.#simd.copyRows(source, this.width * 3, inner, strideBytes, width * 3, height);
    } else {
      let sourceStride = this.width * 3;
      let sourceWidth = Math.min(this.width, (left + width) << halvings) - (left << halvings);
      let sourceHeight = Math.min(this.height, (top + height) << halvings) - (top << halvings);
      let source =
        this.#pixels.rows(top << halvings, sourceHeight) +
        ((top << halvings) * this.width + (left << halvings)) * 3;
      for (let level = 1; width > 0 && height > 0 && level <= halvings; level++) {
        const halfWidth = (sourceWidth + 1) >> 1;
        const halfHeight = (sourceHeight + 1) >> 1;
        const halfStride = level === halvings ? strideBytes : halfWidth * 3 + 8;
        const half = level === halvings ? inner : this.#memory.take(halfStride * halfHeight);
        this.#simd.halve(source, sourceStride, sourceWidth, sourceHeight, half, halfStride);
        [source, sourceStride, sourceWidth, sourceHeight] = [half, halfStride, halfWidth, halfHeight];
      }
    }
    this.#simd.blackenBorder(address, strideBytes, width, height);
    return { address, strideBytes };
  }
}

/** The vocabulary of the kernels: pictures, tensors and maps between them. Types only. */

/** RGB888, interleaved, rows without padding: `data.length` is 3 x width x height. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Where the chroma of 4:2:0 lies behind Y, in FFmpeg's words: all U, then all V; or U and V in turn, as hardware decoders give it. */
export type Yuv420Layout = 'YUV420P' | 'NV12';

/** A picture as video comes: 4:2:0 without padding, BT.601 limited range, both sides even. */
export interface Yuv420Picture {
  readonly width: number;
  readonly height: number;
  /** 1.5 x width x height bytes. */
  readonly yuv420: Uint8Array;
  /** YUV420P where it is missing. */
  readonly layout?: Yuv420Layout;
}

/**
 * A similarity (rotation, one scale, shift) from target pixels (u, v) to source pixels:
 * x = a u - b v + tx, y = b u + a v + ty. Integer coordinates are pixel centres in both.
 */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly tx: number;
  readonly ty: number;
}

/** How bytes become a network's input: planar, value = (byte - mean[plane]) x scale[plane]; planes in the order of `channels`. */
export interface TensorLayout {
  readonly channels: 'RGB' | 'BGR';
  /** In the order of the planes. */
  readonly mean: readonly [number, number, number];
  readonly scale: readonly [number, number, number];
}

/** A rectangle of whole source pixels. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where a resized region lies in a tensor; around it, black (byte 0) before normalisation. */
export interface Placement {
  readonly tensorWidth: number;
  readonly tensorHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Brightness and sharpness of a grey picture; luma weights of ITU-R BT.601. */
export interface LumaStatistics {
  readonly mean: number;
  readonly standardDeviation: number;
  /** Variance of the 4-neighbour Laplacian over the inner pixels. */
  readonly laplacianVariance: number;
  /** Share of pixels at 250 or above, and at 5 or below. */
  readonly brightShare: number;
  readonly darkShare: number;
}

/** A picture in a kernel implementation's own memory, until the next `load` of the same implementation. */
export interface LoadedPicture {
  readonly width: number;
  readonly height: number;
  /**
   * Resizes a region into a planar float32 tensor [3, tensorHeight, tensorWidth]: bilinear upwards; downwards each target pixel
   * is the area mean of what it covers, so nothing aliases. `target` must hold exactly 3 x tensorWidth x tensorHeight values.
   */
  letterbox(region: Region, placement: Placement, layout: TensorLayout, target: Float32Array): void;
  /**
   * Cuts a square, rotated chip: planar float32 [3, sizePx, sizePx], bilinear, supersampled where the map shrinks; black outside the
   * picture.
   */
  chip(map: Similarity, sizePx: number, layout: TensorLayout, target: Float32Array): void;
  /** Statistics of the grey chip of that map and size. */
  chipStatistics(map: Similarity, sizePx: number): LumaStatistics;
}

export interface PixelKernels {
  readonly implementation: 'simd' | 'reference';
  /**
   * A 4:2:0 picture is converted in bands on the way into a tensor, and otherwise only in the rows that chips are cut from: where
   * only detection runs, no RGB888 picture is ever made. The values are those of the unpacked picture.
   */
  load(picture: Picture | Yuv420Picture): LoadedPicture;
  /** RGB565 to RGB888, each code to Math.round(v x 255 / 31) and Math.round(v x 255 / 63). The answer is the caller's own. */
  unpackRgb565(bytes: Uint8Array, width: number, height: number, byteOrder: 'BE' | 'LE'): Picture;
  unpackGrayscale(bytes: Uint8Array, width: number, height: number): Picture;
  /** 4:2:0, BT.601 limited range, as video comes; width and height even; YUV420P unless `layout` says NV12. */
  unpackYuv420(bytes: Uint8Array, width: number, height: number, layout?: Yuv420Layout): Picture;
  /** YUYV, BT.601 full range, as the OV2640 sends it; width even. */
  unpackYuv422(bytes: Uint8Array, width: number, height: number): Picture;
}

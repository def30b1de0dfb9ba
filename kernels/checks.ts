/** What both implementations demand of their arguments before a byte is touched. Every message names field, expectation and what came. */
import type { Picture, Placement, Region, Similarity, TensorLayout, Yuv420Layout } from './picture.ts';

/** Sides of pictures and tensors; beyond it, offsets in 32 bits would need care everywhere. */
const maxSidePx = 65_535;

/** The most pixels of one picture: 3 bytes each, and the memory of a module ends at 1 GiB. */
export const maxPicturePixels = 200_000_000;

export function checkInteger(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${field}: expected a whole number from ${least} to ${most}, received ${value}`);
  }
}

function checkFinite(field: string, value: number): void {
  if (!Number.isFinite(value)) throw new RangeError(`${field}: expected a finite number, received ${value}`);
}

/** Width and height of a picture, and that there are exactly `bytesPerPixel` bytes for each pixel. */
export function checkPixels(
  field: string,
  bytes: Uint8Array,
  width: number,
  height: number,
  bytesPerPixel: number,
): void {
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`${field}: expected a Uint8Array, received ${typeof bytes}`);
  checkInteger('width', width, 1, maxSidePx);
  checkInteger('height', height, 1, maxSidePx);
  if (width * height > maxPicturePixels) {
    throw new RangeError(
      `width x height: expected at most ${maxPicturePixels} pixels, received ${width} x ${height}`,
    );
  }
  const expected = width * height * bytesPerPixel;
  if (bytes.length !== expected) {
    throw new RangeError(
      `${field}: expected ${width} x ${height} x ${bytesPerPixel} = ${expected} bytes, received ${bytes.length}`,
    );
  }
}

/** 4:2:0: U and V each have half the width and half the height. */
export function checkYuv420(
  bytes: Uint8Array,
  width: number,
  height: number,
  layout: Yuv420Layout = 'YUV420P',
): void {
  if (layout !== 'YUV420P' && layout !== 'NV12') {
    throw new RangeError(`layout: expected 'YUV420P' or 'NV12', received ${JSON.stringify(layout)}`);
  }
  for (const [name, side] of Object.entries({ width, height })) {
    if (side % 2 !== 0) throw new RangeError(`${name}: expected an even number for YUV420, received ${side}`);
  }
  checkPixels('bytes', bytes, width, height, 1.5);
}

export function checkPicture(picture: Picture): void {
  checkPixels('data', picture.data, picture.width, picture.height, 3);
}

export function checkEvenWidth(width: number): void {
  if (width % 2 !== 0) throw new RangeError(`width: expected an even number for YUV422, received ${width}`);
}

export function checkByteOrder(byteOrder: string): void {
  if (byteOrder !== 'BE' && byteOrder !== 'LE') {
    throw new RangeError(`byteOrder: expected 'BE' or 'LE', received ${JSON.stringify(byteOrder)}`);
  }
}

export function checkRegion(region: Region, width: number, height: number): void {
  checkInteger('region.left', region.left, 0, width - 1);
  checkInteger('region.top', region.top, 0, height - 1);
  checkInteger('region.width', region.width, 1, width - region.left);
  checkInteger('region.height', region.height, 1, height - region.top);
}

export function checkPlacement(placement: Placement): void {
  checkInteger('placement.tensorWidth', placement.tensorWidth, 1, maxSidePx);
  checkInteger('placement.tensorHeight', placement.tensorHeight, 1, maxSidePx);
  checkInteger('placement.left', placement.left, 0, placement.tensorWidth - 1);
  checkInteger('placement.top', placement.top, 0, placement.tensorHeight - 1);
  checkInteger('placement.width', placement.width, 1, placement.tensorWidth - placement.left);
  checkInteger('placement.height', placement.height, 1, placement.tensorHeight - placement.top);
}

export function checkLayout(layout: TensorLayout): void {
  if (layout.channels !== 'RGB' && layout.channels !== 'BGR') {
    throw new RangeError(
      `layout.channels: expected 'RGB' or 'BGR', received ${JSON.stringify(layout.channels)}`,
    );
  }
  for (let plane = 0; plane < 3; plane++) {
    checkFinite(`layout.mean[${plane}]`, layout.mean[plane]!);
    checkFinite(`layout.scale[${plane}]`, layout.scale[plane]!);
  }
}

export function checkTarget(target: Float32Array, width: number, height: number): void {
  if (!(target instanceof Float32Array)) {
    throw new TypeError(`target: expected a Float32Array, received ${typeof target}`);
  }
  if (target.length !== 3 * width * height) {
    throw new RangeError(
      `target: expected 3 x ${height} x ${width} = ${3 * width * height} values, received ${target.length}`,
    );
  }
}

/** A chip's map may turn, move and scale; its coordinates must stay where 32-bit floats still tell neighbouring pixels apart. */
export function checkChip(map: Similarity, sizePx: number): void {
  checkInteger('sizePx', sizePx, 1, 2048);
  for (const field of ['a', 'b', 'tx', 'ty'] as const) checkFinite(`map.${field}`, map[field]);
  const scale = Math.hypot(map.a, map.b);
  if (!(scale > 1e-6 && scale < 1e6)) {
    throw new RangeError(`map: expected a scale from 1e-6 to 1e6, received ${scale}`);
  }
}

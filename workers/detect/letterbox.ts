/** How a region of a picture lies in a network's input, and how coordinates come back. */
import type { LoadedPicture, Placement, Region, TensorLayout } from '../../kernels/picture.ts';
import type { Box, Point } from '../protocol.ts';

export interface Letterbox {
  readonly region: Region;
  readonly placement: Placement;
}

/** The whole region, as large as it fits, at the top left of the input. */
export function fitTopLeft(region: Region, inputWidth: number, inputHeight: number): Letterbox {
  return fit(region, inputWidth, inputHeight, inputWidth, inputHeight, 0);
}

/** The whole region within the middle of the input: `share` of each side, black around it. A face that fills the picture gets room. */
export function fitCentred(
  region: Region,
  inputWidth: number,
  inputHeight: number,
  share: number,
): Letterbox {
  return fit(region, inputWidth, inputHeight, inputWidth * share, inputHeight * share, 0.5);
}

function fit(
  region: Region,
  inputWidth: number,
  inputHeight: number,
  maxWidth: number,
  maxHeight: number,
  anchor: number,
): Letterbox {
  const scale = Math.min(maxWidth / region.width, maxHeight / region.height);
  const width = Math.max(1, Math.min(inputWidth, Math.round(region.width * scale)));
  const height = Math.max(1, Math.min(inputHeight, Math.round(region.height * scale)));
  const left = Math.floor((inputWidth - width) * anchor);
  const top = Math.floor((inputHeight - height) * anchor);
  return {
    region,
    placement: { tensorWidth: inputWidth, tensorHeight: inputHeight, left, top, width, height },
  };
}

export const wholePicture = (picture: { width: number; height: number }): Region => ({
  left: 0,
  top: 0,
  width: picture.width,
  height: picture.height,
});

/** Fills a tensor that is kept for each input size: the network does not hold on to it. */
export class TensorStore {
  readonly #tensors = new Map<string, Float32Array>();
  readonly #limit: number;

  /** @param limit how many sizes are kept; the least recently used one goes first */
  constructor(limit = 4) {
    this.#limit = limit;
  }

  fill(picture: LoadedPicture, letterbox: Letterbox, layout: TensorLayout): Float32Array {
    const { tensorWidth, tensorHeight } = letterbox.placement;
    const key = `${tensorWidth}x${tensorHeight}`;
    const tensor = this.#tensors.get(key) ?? new Float32Array(3 * tensorWidth * tensorHeight);
    this.#tensors.delete(key);
    this.#tensors.set(key, tensor);
    if (this.#tensors.size > this.#limit) this.#tensors.delete(this.#tensors.keys().next().value!);
    picture.letterbox(letterbox.region, letterbox.placement, layout, tensor);
    return tensor;
  }
}

export function pointToPicture({ region, placement }: Letterbox, x: number, y: number): Point {
  return [
    region.left + ((x - placement.left) * region.width) / placement.width,
    region.top + ((y - placement.top) * region.height) / placement.height,
  ];
}

export function boxToPicture(
  letterbox: Letterbox,
  left: number,
  top: number,
  right: number,
  bottom: number,
): Box {
  const [x, y] = pointToPicture(letterbox, left, top);
  const [farX, farY] = pointToPicture(letterbox, right, bottom);
  return { x, y, width: farX - x, height: farY - y };
}

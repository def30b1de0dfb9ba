/** How a chip is cut: which part of the picture is needed, how often it is halved first, and the map in that crop's pixels. */
import type { Similarity } from './picture.ts';

export interface ChipPlan {
  /** How often the picture is halved first, so that a step of the map is at most two pixels. */
  readonly halvings: number;
  /** The crop, in pixels of the halved picture; it lies inside a black frame of one pixel. Empty where the chip sees nothing. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Whether each target pixel is the mean of 2x2 samples. */
  readonly supersampled: boolean;
  /** xu, xv, x0, yu, yv, y0, maxX, maxY: from target pixels to pixels of the framed crop, single precision. */
  readonly map: Float32Array;
}

const maxHalvings = 12;
/** Up to this many pixels a step, bilinear samples miss next to nothing. */
const maxPlainStep = 1.25;

export function planChip(
  { a, b, tx, ty }: Similarity,
  sizePx: number,
  pictureWidth: number,
  pictureHeight: number,
): ChipPlan {
  const scale = Math.hypot(a, b);
  let halvings = 0;
  while (halvings < maxHalvings && scale / 2 ** halvings > 2) halvings++;
  const shrink = 2 ** halvings;
  const levelWidth = Math.ceil(pictureWidth / shrink);
  const levelHeight = Math.ceil(pictureHeight / shrink);

  // Pixel x of the picture is pixel (x + 0.5) / shrink - 0.5 of the halved one.
  const xu = a / shrink;
  const xv = -b / shrink;
  const yu = b / shrink;
  const yv = a / shrink;
  const x0 = (tx + 0.5) / shrink - 0.5;
  const y0 = (ty + 0.5) / shrink - 0.5;

  const [left, right] = extent(x0, xu, xv, sizePx, levelWidth);
  const [top, bottom] = extent(y0, yu, yv, sizePx, levelHeight);
  const width = right - left;
  const height = bottom - top;
  return {
    halvings,
    left,
    top,
    width,
    height,
    supersampled: scale / shrink > maxPlainStep,
    map: Float32Array.of(xu, xv, x0 - left + 1, yu, yv, y0 - top + 1, width + 1, height + 1),
  };
}

/** The whole pixels that samples of one axis can touch, with a margin for rounding, inside 0..size; [0, 0] where there are none. */
function extent(
  start: number,
  alongU: number,
  alongV: number,
  sizePx: number,
  size: number,
): [from: number, to: number] {
  const reach = [-0.5, sizePx - 0.5];
  const corners = reach.flatMap((u) => reach.map((v) => start + alongU * u + alongV * v));
  const from = Math.max(0, Math.floor(Math.min(...corners)) - 1);
  const to = Math.min(size, Math.ceil(Math.max(...corners)) + 2);
  return from < to ? [from, to] : [0, 0];
}

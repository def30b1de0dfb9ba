/** Tiles: parts of a large picture that are looked at one by one, so that small faces stay large enough for the network. */
import type { Region } from '../../kernels/picture.ts';
import { intersectionOverSmaller, suppressNonMaxima } from '../geometry.ts';
import type { DetectedFace } from './detector.ts';

export interface TileSize {
  readonly width: number;
  readonly height: number;
  /** Neighbours overlap by at least this much. */
  readonly overlapPx: number;
}

/** Tiles that cover a picture, row by row; none where the picture is not larger than one. */
export function tilesOf(width: number, height: number, tile: TileSize): Region[] {
  if (width <= tile.width && height <= tile.height) return [];
  const lefts = offsets(width, tile.width, tile.overlapPx);
  const tops = offsets(height, tile.height, tile.overlapPx);
  return tops.flatMap((top) =>
    lefts.map((left) => ({
      left,
      top,
      width: Math.min(tile.width, width),
      height: Math.min(tile.height, height),
    })),
  );
}

function offsets(length: number, sidePx: number, overlapPx: number): number[] {
  if (length <= sidePx) return [0];
  const count = Math.ceil((length - overlapPx) / (sidePx - overlapPx));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - sidePx)) / (count - 1)));
}

/** Whether a box touches an edge of its tile that is not an edge of the picture: half a face, whose whole lies elsewhere. */
export function isCutOff(face: DetectedFace, tile: Region, width: number, height: number): boolean {
  const marginPx = 2;
  const { box } = face;
  return (
    (tile.left > 0 && box.x <= tile.left + marginPx) ||
    (tile.top > 0 && box.y <= tile.top + marginPx) ||
    (tile.left + tile.width < width && box.x + box.width >= tile.left + tile.width - marginPx) ||
    (tile.top + tile.height < height && box.y + box.height >= tile.top + tile.height - marginPx)
  );
}

/** One list from the whole picture and its tiles: a face that was seen at several scales counts once. */
export function mergeScales(faces: readonly DetectedFace[], overlapThreshold: number): DetectedFace[] {
  const apart = suppressNonMaxima(faces, overlapThreshold);
  return suppressNonMaxima(apart, SMALLER_BOX_INSIDE, intersectionOverSmaller);
}

/** Boxes of one face from two scales differ in size: the smaller lies in the larger, though their union is large. */
const SMALLER_BOX_INSIDE = 0.7;

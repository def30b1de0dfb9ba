/** Boxes, points and similarities: pure functions. Pixels, y down, integer coordinates are pixel centres. */
import type { Similarity } from '../kernels/picture.ts';
import type { Box, FivePoints, Point } from './protocol.ts';

export interface ScoredBox {
  readonly box: Box;
  readonly score: number;
}

/** Intersection over union, 0 to 1. */
export function intersectionOverUnion(first: Box, second: Box): number {
  const overlap = intersectionArea(first, second);
  const union = first.width * first.height + second.width * second.height - overlap;
  return union > 0 ? overlap / union : 0;
}

/** Intersection over the area of the smaller box: 1 where one contains the other. */
export function intersectionOverSmaller(first: Box, second: Box): number {
  const smaller = Math.min(first.width * first.height, second.width * second.height);
  return smaller > 0 ? intersectionArea(first, second) / smaller : 0;
}

function intersectionArea(first: Box, second: Box): number {
  const width = Math.min(first.x + first.width, second.x + second.width) - Math.max(first.x, second.x);
  const height = Math.min(first.y + first.height, second.y + second.height) - Math.max(first.y, second.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/**
 * Greedy non-maximum suppression: the best first, without those that overlap a better one by more than the threshold.
 * @param overlap the measure of overlap, intersection over union unless given
 */
export function suppressNonMaxima<T extends ScoredBox>(
  candidates: readonly T[],
  overlapThreshold: number,
  overlap: (first: Box, second: Box) => number = intersectionOverUnion,
): T[] {
  const kept: T[] = [];
  for (const candidate of [...candidates].sort((first, second) => second.score - first.score)) {
    if (kept.every((better) => overlap(better.box, candidate.box) <= overlapThreshold)) kept.push(candidate);
  }
  return kept;
}

/** The part of a box inside a picture; null where nothing is left. */
export function clipBox(box: Box, width: number, height: number): Box | null {
  const x = Math.max(0, box.x);
  const y = Math.max(0, box.y);
  const right = Math.min(width, box.x + box.width);
  const bottom = Math.min(height, box.y + box.height);
  return right - x >= 1 && bottom - y >= 1 ? { x, y, width: right - x, height: bottom - y } : null;
}

/** A square around the centre of a box; `padding` is the share of the longer side added on each side. */
export function squareAround(box: Box, padding: number): Box {
  const side = Math.max(box.width, box.height) * (1 + 2 * padding);
  return {
    x: box.x + box.width / 2 - side / 2,
    y: box.y + box.height / 2 - side / 2,
    width: side,
    height: side,
  };
}

/**
 * The similarity that maps `from` onto `to` with the least sum of squared distances, without reflection.
 * Source: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991; in two
 * dimensions the solution is a complex quotient.
 * @throws RangeError where the points of `from` all coincide
 */
export function fitSimilarity(from: readonly Point[], to: readonly Point[]): Similarity {
  const fromCentre = centroid(from);
  const toCentre = centroid(to);
  let real = 0;
  let imaginary = 0;
  let spread = 0;
  for (let i = 0; i < from.length; i++) {
    const fromX = from[i]![0] - fromCentre[0];
    const fromY = from[i]![1] - fromCentre[1];
    const toX = to[i]![0] - toCentre[0];
    const toY = to[i]![1] - toCentre[1];
    real += fromX * toX + fromY * toY;
    imaginary += fromX * toY - fromY * toX;
    spread += fromX * fromX + fromY * fromY;
  }
  if (!(spread > 0))
    throw new RangeError('fitSimilarity: expected points that differ, received coinciding ones');
  const a = real / spread;
  const b = imaginary / spread;
  return {
    a,
    b,
    tx: toCentre[0] - a * fromCentre[0] + b * fromCentre[1],
    ty: toCentre[1] - b * fromCentre[0] - a * fromCentre[1],
  };
}

export function mapPoint(map: Similarity, point: Point): Point {
  return [map.a * point[0] - map.b * point[1] + map.tx, map.b * point[0] + map.a * point[1] + map.ty];
}

/** Source pixels per target pixel. */
export const scaleOf = (map: Similarity): number => Math.hypot(map.a, map.b);

/** The unrotated map from a square chip of `sizePx` pixels to a square of the picture: edges meet edges, not pixel centres. */
export function mapToSquare(square: Box, sizePx: number): Similarity {
  const scale = square.width / sizePx;
  return { a: scale, b: 0, tx: square.x + scale / 2 - 0.5, ty: square.y + scale / 2 - 0.5 };
}

export function centroid(points: readonly Point[]): Point {
  let x = 0;
  let y = 0;
  for (const point of points) {
    x += point[0];
    y += point[1];
  }
  return [x / points.length, y / points.length];
}

export const distance = (first: Point, second: Point): number =>
  Math.hypot(first[0] - second[0], first[1] - second[1]);

export function scalePoints(points: FivePoints, factor: number): FivePoints {
  return points.map(([x, y]) => [x * factor, y * factor] as const) as unknown as FivePoints;
}

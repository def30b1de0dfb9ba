/** What YuNet says of the cells of one size, as its file gives it or from its heads merged (models/build/yunet-heads.ts). */
import type { GraphOutputs } from '../session.ts';

/**
 * Each of `count` cells has two factors of its score, four numbers of the box and ten of the points, those of cell i at
 * `i x cellStride + k x valueStride`. Lengths are in cells.
 */
export interface YunetCells {
  readonly count: number;
  /** Factors are logits; else they are the network's own shares, 0 to 1. */
  readonly logits: boolean;
  readonly classes: Float32Array;
  readonly objectness: Float32Array;
  readonly boxes: Float32Array;
  readonly boxCellStride: number;
  readonly points: Float32Array;
  readonly pointCellStride: number;
  readonly valueStride: number;
}

/**
 * @param outputs for the cell size s either `heads_s` [1, 16, rows, columns]: class, objectness, box, points; or `cls_s`, `obj_s`
 *   [1, cells, 1], `bbox_s` [1, cells, 4] and `kps_s` [1, cells, 10]
 */
export function cellsOf(outputs: GraphOutputs, cellPx: number): YunetCells {
  const heads = outputs[`heads_${cellPx}`];
  if (heads !== undefined) {
    const count = heads.length / 16;
    return {
      count,
      logits: true,
      classes: heads.subarray(0, count),
      objectness: heads.subarray(count, 2 * count),
      boxes: heads.subarray(2 * count, 6 * count),
      boxCellStride: 1,
      points: heads.subarray(6 * count),
      pointCellStride: 1,
      valueStride: count,
    };
  }
  const classes = outputs[`cls_${cellPx}`]!;
  return {
    count: classes.length,
    logits: false,
    classes,
    objectness: outputs[`obj_${cellPx}`]!,
    boxes: outputs[`bbox_${cellPx}`]!,
    boxCellStride: 4,
    points: outputs[`kps_${cellPx}`]!,
    pointCellStride: 10,
    valueStride: 1,
  };
}

/** Factors below it belong to scores below the least one: both are at most 1, and a score is the root of their product. */
export function leastFactorOf({ logits }: YunetCells, leastScore: number): number {
  const least = leastScore ** 2;
  // A hair lower than the inverse of the sigmoid, which is rounded: this only spares work.
  return logits ? Math.log(least / (1 - least)) - 1e-6 : least;
}

/** 0 to 1. */
export function scoreOf({ logits, classes, objectness }: YunetCells, i: number): number {
  const [first, second] = [classes[i]!, objectness[i]!];
  return Math.sqrt(logits ? sigmoid(first) * sigmoid(second) : clampToUnit(first) * clampToUnit(second));
}

export function highestScore(cells: YunetCells): number {
  let highest = 0;
  for (let i = 0; i < cells.count; i++) highest = Math.max(highest, scoreOf(cells, i));
  return highest;
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));
const clampToUnit = (value: number): number => Math.min(1, Math.max(0, value));

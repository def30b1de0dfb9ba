/** What YuNet says of the cells of one size, as its file gives it or from its heads merged (models/build/yunet-heads.ts). */
import type { HEADS, CELL_SIZES_PX as MERGED_CELL_SIZES_PX } from '../../models/build/yunet-heads.ts';
import type { GraphOutputs } from '../session.ts';

// The page shares this file and takes no code of models/: the numbers stand here once more, and the compiler refuses any but those there.
export const CELL_SIZES_PX: typeof MERGED_CELL_SIZES_PX = [8, 16, 32];
/** How many numbers each head has for a cell. */
const CHANNELS: { readonly [Head in (typeof HEADS)[number] as Head['name']]: Head['channels'] } = {
  cls: 1,
  obj: 1,
  bbox: 4,
  kps: 10,
};

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
    const { cls, obj, bbox, kps } = CHANNELS;
    const count = heads.length / (cls + obj + bbox + kps);
    const boxStart = (cls + obj) * count;
    const pointStart = boxStart + bbox * count;
    return {
      count,
      logits: true,
      classes: heads.subarray(0, cls * count),
      objectness: heads.subarray(cls * count, boxStart),
      boxes: heads.subarray(boxStart, pointStart),
      boxCellStride: 1,
      points: heads.subarray(pointStart),
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
    boxCellStride: CHANNELS.bbox,
    points: outputs[`kps_${cellPx}`]!,
    pointCellStride: CHANNELS.kps,
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

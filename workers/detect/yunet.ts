/**
 * YuNet: a small detector that also gives five points.
 * Source: W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023; anchor-free cells of
 * 8, 16 and 32 px, score = sqrt(class x objectness).
 */
import type { LoadedPicture, TensorLayout } from '../../kernels/picture.ts';
import { suppressNonMaxima } from '../geometry.ts';
import type { FivePoints, Point } from '../protocol.ts';
import type { Graph, GraphOutputs } from '../session.ts';
import type { DetectedFace, Detector } from './detector.ts';
import {
  boxToPicture,
  fitCentred,
  type Letterbox,
  pointToPicture,
  TensorStore,
  wholePicture,
} from './letterbox.ts';
import { CELL_SIZES_PX, cellsOf, highestScore, leastFactorOf, scoreOf } from './yunet-cells.ts';

export interface YunetOptions {
  readonly scoreThreshold: number;
  readonly overlapThreshold: number;
  readonly layout: TensorLayout;
}

const LARGEST_CELL_PX = Math.max(...CELL_SIZES_PX);
/** Both sides of the input are multiples of the largest cell. */
const SIDE_MULTIPLE_PX = LARGEST_CELL_PX;
const MIN_LONG_SIDE_PX = 320;
/** Measured on 12 group pictures at 1280, 640 and 320 px: from 384 to 640 px the same faces are found, and the time is the area. */
const USUAL_LONG_SIDE_PX = 512;
const MAX_LONG_SIDE_PX = 1280;
/** A face of 20 px keeps about 7 px in the input: the smallest that is still found reliably. */
const LARGEST_REDUCTION = 3;
/**
 * The second look, for faces that fill the picture: a small input in its shape, the picture in the middle. Measured on 272 close-ups of
 * 320x240, faces up to twice as high as the picture: of the 40 that the first look misses, 128 px on the long side finds 33, and an
 * input of 256x256, which takes three times as long, 31.
 */
const CLOSE_UP_LONG_SIDE_PX = 128;
const CLOSE_UP_SHARE = 0.8;
/**
 * Least score of any of the first look's largest cells for which the second one is worth its time. Measured on 593 close-ups of 320x240
 * out of photographs, each clean, at gain 2, and at gain 8 in a third of the light: the 109 faces that only the second look finds score
 * 0.087 and more there, and seven of ten parts of the same photos without a face stay below this.
 */
const CLOSE_UP_SUSPICION = 0.05;

interface Look {
  readonly faces: DetectedFace[];
  /** How much anything in it resembles a large face, 0 to 1. */
  readonly suspicion: number;
}

export function createYunetDetector(graph: Graph, options: YunetOptions): Detector {
  const tensors = new TensorStore();
  /** Of the last run with each tensor: decoded before the next. */
  const outputsOf = new WeakMap<Float32Array, GraphOutputs>();

  async function look(picture: LoadedPicture, letterbox: Letterbox, leastScore: number): Promise<Look> {
    const { tensorWidth, tensorHeight } = letterbox.placement;
    const tensor = tensors.fill(picture, letterbox, options.layout);
    const outputs = await graph.run(tensor, [1, 3, tensorHeight, tensorWidth], outputsOf.get(tensor));
    outputsOf.set(tensor, outputs);
    const faces = decode(outputs, letterbox, { ...options, scoreThreshold: leastScore });
    return { faces, suspicion: faces.length > 0 ? 1 : highestScore(cellsOf(outputs, LARGEST_CELL_PX)) };
  }

  return {
    async detect(picture, smallFaces = true, leastScore = options.scoreThreshold) {
      if (!smallFaces) {
        const large = await look(picture, letterboxFor(picture, MIN_LONG_SIDE_PX), leastScore);
        if (large.faces.length > 0) return large.faces;
      }
      const { faces, suspicion } = await look(picture, letterboxFor(picture), leastScore);
      if (faces.length > 0 || suspicion < CLOSE_UP_SUSPICION) return faces;
      return (await look(picture, closeUpOf(picture), leastScore)).faces;
    },
    release: () => graph.release(),
  };
}

/** @param wanted the input's long side: unless given 512 px, for very large pictures up to 1280 px; smaller ones stay as they are */
export function letterboxFor(
  picture: { width: number; height: number },
  wanted = usualLongSideOf(picture),
): Letterbox {
  const longSide = Math.max(picture.width, picture.height);
  const scale = Math.max(MIN_LONG_SIDE_PX, Math.min(longSide, wanted)) / longSide;
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  return {
    region: wholePicture(picture),
    placement: {
      tensorWidth: Math.ceil(width / SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX,
      tensorHeight: Math.ceil(height / SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX,
      left: 0,
      top: 0,
      width,
      height,
    },
  };
}

function usualLongSideOf({ width, height }: { width: number; height: number }): number {
  const longSide = Math.max(width, height);
  return Math.min(MAX_LONG_SIDE_PX, Math.max(USUAL_LONG_SIDE_PX, longSide / LARGEST_REDUCTION));
}

/** The whole picture in the middle of an input that leaves it room on all sides. */
export function closeUpOf(picture: { width: number; height: number }): Letterbox {
  const scale = CLOSE_UP_LONG_SIDE_PX / CLOSE_UP_SHARE / Math.max(picture.width, picture.height);
  const [width, height] = [toMultiple(picture.width * scale), toMultiple(picture.height * scale)];
  return fitCentred(wholePicture(picture), width, height, CLOSE_UP_SHARE);
}

const toMultiple = (side: number): number =>
  Math.max(1, Math.ceil(Math.round(side) / SIDE_MULTIPLE_PX)) * SIDE_MULTIPLE_PX;

function decode(outputs: GraphOutputs, letterbox: Letterbox, options: YunetOptions): DetectedFace[] {
  const faces: DetectedFace[] = [];
  for (const cellPx of CELL_SIZES_PX) {
    const cells = cellsOf(outputs, cellPx);
    const { classes, objectness, boxes, boxCellStride, points, pointCellStride, valueStride } = cells;
    const leastFactor = leastFactorOf(cells, options.scoreThreshold);
    const columns = letterbox.placement.tensorWidth / cellPx;
    for (let i = 0; i < cells.count; i++) {
      // Most cells are dismissed by one comparison, without a root.
      if (classes[i]! < leastFactor || objectness[i]! < leastFactor) continue;
      const score = scoreOf(cells, i);
      if (score < options.scoreThreshold) continue;
      const column = i % columns;
      const row = Math.floor(i / columns);
      const boxValue = (k: number) => boxes[i * boxCellStride + k * valueStride]!;
      const pointValue = (k: number) => points[i * pointCellStride + k * valueStride]!;
      const centreX = (column + boxValue(0)) * cellPx;
      const centreY = (row + boxValue(1)) * cellPx;
      const halfWidth = (Math.exp(boxValue(2)) * cellPx) / 2;
      const halfHeight = (Math.exp(boxValue(3)) * cellPx) / 2;
      const box = boxToPicture(
        letterbox,
        centreX - halfWidth,
        centreY - halfHeight,
        centreX + halfWidth,
        centreY + halfHeight,
      );
      const five: Point[] = [];
      for (let k = 0; k < 5; k++) {
        const x = (column + pointValue(2 * k)) * cellPx;
        const y = (row + pointValue(2 * k + 1)) * cellPx;
        five.push(pointToPicture(letterbox, x, y));
      }
      faces.push({ box, score, points: five as unknown as FivePoints });
    }
  }
  return suppressNonMaxima(faces, options.overlapThreshold);
}

/** From aligned faces to unit vectors of 512 numbers. */
import type { LoadedPicture, Similarity } from '../kernels/picture.ts';
import { createLift } from '../models/lift.ts';
import { EMBEDDING_DIMENSIONS, type EmbedderModel } from '../models/manifest.ts';
import { chipFromLandmarks } from './dlib-face-chip.ts';
import { fitSimilarity } from './geometry.ts';
import { fivePointsOf } from './landmarks.ts';
import type { EmbeddedView, Point } from './protocol.ts';
import type { Graph } from './session.ts';

export interface Embedder {
  /**
   * Unless one view is named, each embedding is the mean of two, of the chip and of its mirror image: measured, that lifts the true match
   * rate at a false match rate of 5e-4 by three points (npm run bench -- calibration), at the price of a second run.
   * @param landmarks 68 points of each face, pixels of the picture
   * @returns for each face a vector of shape [512] and length 1
   */
  embed(picture: LoadedPicture, landmarks: readonly Point[][], view?: EmbeddedView): Promise<Float32Array[]>;
  /** See models/manifest.ts; null where it is not known. */
  readonly mirrorShift: number | null;
  release(): Promise<void>;
}

/** Chips in one run, mirror images included. */
const MAX_BATCH = 16;
/** The padding that dlib's network was trained with. */
const DLIB_CHIP_PADDING = 0.25;

export function createEmbedder(graph: Graph, model: EmbedderModel): Embedder {
  const sidePx = model.inputSizePx;
  const chipLength = 3 * sidePx * sidePx;
  const batchLimit = model.batch ? MAX_BATCH : 1;
  const tensor = new Float32Array(MAX_BATCH * chipLength);
  const lift = createLift(model.lift, model.rawDimensions);

  async function run(first: number, count: number): Promise<Float32Array[]> {
    const input = tensor.subarray(first * chipLength, (first + count) * chipLength);
    const outputs = await graph.run(input, [count, 3, sidePx, sidePx]);
    const values = outputs[model.outputName]!;
    const dimensions = values.length / count;
    return Array.from({ length: count }, (_, i) => lift(values.slice(i * dimensions, (i + 1) * dimensions)));
  }

  /** Faces that fit into the tensor, with all of their views. */
  async function embedGroup(
    picture: LoadedPicture,
    group: readonly Point[][],
    view: EmbeddedView,
  ): Promise<Float32Array[]> {
    const views = view === 'both' ? 2 : 1;
    const slots = views * group.length;
    const slot = (index: number) => tensor.subarray(index * chipLength, (index + 1) * chipLength);
    group.forEach((points, i) => {
      const chip = slot(views * i);
      picture.chip(alignFace(points, model), sidePx, model.layout, chip);
      if (view === 'both') slot(views * i + 1).set(chip);
      if (view !== 'straight') mirror(slot(views * (i + 1) - 1), sidePx);
    });
    const embeddings: Float32Array[] = [];
    for (let first = 0; first < slots; first += batchLimit) {
      embeddings.push(...(await run(first, Math.min(batchLimit, slots - first))));
    }
    if (view !== 'both') return embeddings;
    return group.map((_, i) => meanDirection([embeddings[2 * i]!, embeddings[2 * i + 1]!]));
  }

  return {
    mirrorShift: model.mirrorShift ?? null,
    async embed(picture, landmarks, view = 'both') {
      const embeddings: Float32Array[] = [];
      const facesAtOnce = MAX_BATCH / 2;
      for (let start = 0; start < landmarks.length; start += facesAtOnce) {
        embeddings.push(...(await embedGroup(picture, landmarks.slice(start, start + facesAtOnce), view)));
      }
      return embeddings;
    },
    release: () => graph.release(),
  };
}

/** Each row backwards: the chip as a mirror shows it. */
function mirror(chip: Float32Array, sidePx: number): void {
  for (let row = 0; row < chip.length; row += sidePx) chip.subarray(row, row + sidePx).reverse();
}

/** The map from the embedder's chip to the picture: the face upright, at the size and place that the network was trained on. */
export function alignFace(landmarks: readonly Point[], model: EmbedderModel): Similarity {
  if (model.alignment === 'landmarks-68')
    return chipFromLandmarks(landmarks, model.inputSizePx, DLIB_CHIP_PADDING);
  return fitSimilarity(model.template, fivePointsOf(landmarks));
}

/** The mean of unit vectors of 512 numbers, brought back to unit length. */
export function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(EMBEDDING_DIMENSIONS);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

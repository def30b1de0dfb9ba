/** Whether a vector can be an embedding of a model: each lift fills only a part of the 512 dimensions. */
import { createLift } from '../models/lift.ts';
import type { EmbedderModel } from '../models/manifest.ts';

/**
 * Share of a unit vector's length that may lie outside of the space. Embeddings of the model itself are off by 1e-6, and by 0.006 where
 * somebody stored three decimals; a vector of another model lies outside with 0.8 of its length and more.
 */
const MAX_LENGTH_OUTSIDE = 0.05;
const DIMENSIONS = 512;

/** Takes a unit vector of 512 numbers. */
export type SpaceCheck = (vector: Float32Array) => boolean;

export function createSpaceCheck(model: EmbedderModel): SpaceCheck {
  if (model.lift.kind === 'angular') return angularCheck(model);
  // Only of dlib's graph is known what it does to its 128 numbers.
  return model.family === 'dlib-resnet' ? sphereCheck(model.rawDimensions + 1) : () => true;
}

/** models/sphere-lift.ts: rows 1 to `rows` of the Hadamard matrix span the space. */
function sphereCheck(rows: number): SpaceCheck {
  const spectrum = new Float64Array(DIMENSIONS);
  return (vector) => {
    spectrum.set(vector);
    walshHadamardTransform(spectrum);
    let outside = spectrum[0]! ** 2;
    for (let row = rows + 1; row < DIMENSIONS; row++) outside += spectrum[row]! ** 2;
    // The last of them is the height above the descriptors' ball: never below it.
    return (
      Math.sqrt(outside / DIMENSIONS) <= MAX_LENGTH_OUTSIDE &&
      isAtLeast(spectrum[rows]! / Math.sqrt(DIMENSIONS), 0)
    );
  };
}

/** models/lift.ts: a constant follows the network's own numbers, then zeros. The mean of several embeddings only makes it larger. */
function angularCheck(model: EmbedderModel): SpaceCheck {
  const probe = new Float32Array(model.rawDimensions);
  probe[0] = 1;
  const lifted = createLift(model.lift, model.rawDimensions)(probe);
  const constantAt = Math.min(model.rawDimensions, DIMENSIONS - 1);
  const constant = lifted[constantAt]!;
  return (vector) => {
    let outside = 0;
    for (let index = constantAt + 1; index < DIMENSIONS; index++) outside += vector[index]! ** 2;
    return Math.sqrt(outside) <= MAX_LENGTH_OUTSIDE && isAtLeast(vector[constantAt]!, constant);
  };
}

const isAtLeast = (value: number, least: number): boolean => value >= least - MAX_LENGTH_OUTSIDE;

/** In place, rows in Sylvester's order, not divided by sqrt(length): Fino and Algazi, IEEE Transactions on Computers C-25, 1976. */
function walshHadamardTransform(values: Float64Array): void {
  for (let half = 1; half < values.length; half *= 2) {
    for (let start = 0; start < values.length; start += 2 * half) {
      for (let index = start; index < start + half; index++) {
        const sum = values[index]! + values[index + half]!;
        values[index + half] = values[index]! - values[index + half]!;
        values[index] = sum;
      }
    }
  }
}

import { OPERATING_SIMILARITY } from './calibration.ts';
import { EMBEDDING_DIMENSIONS, type LiftSpec } from './manifest.ts';

/** Takes a network's own embedding [rawDimensions] to a new vector of shape [512] and length 1. */
export type Lift = (raw: Float32Array) => Float32Array;

/**
 * The fixed map that puts a network's operating point at plain cosine 0.85.
 *
 * `in-graph`: the graph has done it; the vector's size and finiteness are checked.
 *
 * `angular`: for networks of the ArcFace family, whose own cosine is their measure. The direction x of the embedding becomes
 * e = (a x, b, 0, ...), so that cos e = a^2 cos x + b^2, with a^2 = 0.15 / (1 - rawSimilarity) and b^2 = 1 - a^2: affine, it changes no
 * order. A network that fills all 512 dimensions leaves no room for b: one fixed direction of its space is given up
 * (`withoutMainDiagonal`), which moves a cosine by about 1/512.
 *
 * The returned function throws RangeError for another number of values, for values that are not finite and for a vector of length 0.
 *
 * @throws RangeError where rawDimensions is not a whole number from 1 to 512, or rawSimilarity not from -1 to below 0.85
 */
export function createLift(spec: LiftSpec, rawDimensions: number): Lift {
  if (!Number.isInteger(rawDimensions) || rawDimensions < 1 || rawDimensions > EMBEDDING_DIMENSIONS) {
    throw new RangeError(
      `rawDimensions: expected a whole number from 1 to ${EMBEDDING_DIMENSIONS}, received ${rawDimensions}`,
    );
  }
  if (spec.kind === 'in-graph') {
    return (raw) => direction(raw, EMBEDDING_DIMENSIONS);
  }
  const { rawSimilarity } = spec;
  if (!(rawSimilarity >= -1 && rawSimilarity < OPERATING_SIMILARITY)) {
    throw new RangeError(
      `rawSimilarity: expected a cosine from -1 to below ${OPERATING_SIMILARITY}, received ${rawSimilarity}`,
    );
  }
  const squaredScale = (1 - OPERATING_SIMILARITY) / (1 - rawSimilarity);
  const scale = Math.sqrt(squaredScale);
  const offset = Math.sqrt(1 - squaredScale);
  const full = rawDimensions === EMBEDDING_DIMENSIONS;
  return (raw) => {
    const unit = direction(raw, rawDimensions);
    const kept = full ? direction(withoutMainDiagonal(unit), rawDimensions - 1) : unit;
    const embedding = new Float32Array(EMBEDDING_DIMENSIONS);
    for (const [index, value] of kept.entries()) embedding[index] = scale * value;
    embedding[kept.length] = offset;
    return embedding;
  };
}

/**
 * Coordinates in an orthonormal basis of the space across the main diagonal (1, ..., 1): the Householder reflection that takes the
 * diagonal's direction u to the last axis, I - 2 v v^T / |v|^2 with v = u - axis, without its last row (Golub and Van Loan, Matrix
 * Computations, section 5.1). No axis of the network is thrown away alone, and nothing is drawn by chance.
 *
 * @param vector [n]
 * @returns [n - 1]
 */
export function withoutMainDiagonal(vector: Float32Array): Float32Array {
  const size = vector.length;
  const diagonal = 1 / Math.sqrt(size);
  let sum = 0;
  for (const value of vector) sum += value;
  const last = vector[size - 1]!;
  // v is `diagonal` everywhere and `diagonal - 1` at the end; |v|^2 = 2 (1 - diagonal).
  const factor = (diagonal * sum - last) / (1 - diagonal);
  return vector.subarray(0, size - 1).map((value) => value - factor * diagonal);
}

function direction(raw: Float32Array, dimensions: number): Float32Array {
  if (raw.length !== dimensions) {
    throw new RangeError(`embedding: expected ${dimensions} numbers, received ${raw.length}`);
  }
  let squaredLength = 0;
  for (const value of raw) squaredLength += value * value;
  if (!(Number.isFinite(squaredLength) && squaredLength > 0)) {
    throw new RangeError(
      `embedding: expected finite numbers, not all 0; their squares add up to ${squaredLength}`,
    );
  }
  const length = Math.sqrt(squaredLength);
  return raw.map((value) => value / length);
}

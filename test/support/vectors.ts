/** Seeded random numbers and unit vectors in 512 dimensions. */

/** Marsaglia's xorshift32 ("Xorshift RNGs", 2003): numbers from 0 up to 1. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const DIMENSIONS = 512;

export function randomUnitVector(random: () => number): Float32Array {
  return normalised(Float64Array.from({ length: DIMENSIONS }, () => gaussian(random)));
}

/** A unit vector whose cosine with `centre` is about 1 / sqrt(1 + spread^2). */
export function near(centre: Float32Array, spread: number, random: () => number): Float32Array {
  const aside = randomUnitVector(random);
  return normalised(Float64Array.from(centre, (value, i) => value + spread * aside[i]!));
}

function normalised(vector: Float64Array): Float32Array {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => value / length);
}

/** Box and Muller. */
const gaussian = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** A face that nothing is wrong with. */
export const PERFECT_QUALITY = { overall: 1, size: 1, clarity: 1, lighting: 1, angle: 1 } as const;

/** Seeded randomness, so that a failure can be seen again. */

/** Numbers from 0 (included) to 1, by the generator mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box and Muller). */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function randomBytes(count: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
}

/** A whole number from `least` to `most`. */
export function wholeNumber(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** [512], length 1; `towards` times `share` is added before normalising, which makes such vectors alike. */
export function unitVector(
  normal: () => number,
  towards: Float32Array | null = null,
  share = 0,
): Float32Array {
  const values = Float64Array.from(
    { length: 512 },
    (_, i) => normal() / Math.sqrt(512) + share * (towards?.[i] ?? 0),
  );
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

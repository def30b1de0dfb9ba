// Nearest rows of an index of 512-d unit vectors: an int16 copy of each row decides whether the float row is worth looking at, so
// that a scan reads half the memory; what is reported comes from the float rows alone.

const DIMENSIONS: usize = 512;

// Both vectors are x 32,700 and rounded: each rounding error has a length of at most sqrt(512) / 2 = 11.32, the vectors one of at
// most 1.001, so (Cauchy-Schwarz) the scaled dot product is off by at most 2 x 11.32 x 32,733 + 11.32^2 = 741,200. The float sum's own rounding adds
// less than 3,000 (2.5e-6 x 32,700^2). No partial sum of the integers overflows: |sum| <= (32,700 x 1.001 + 11.4)^2 < 2^31.
const SCALE: f32 = 32700;
const SLACK: f64 = 745000;

/** What a search finds, 4-byte fields; a person of -1 means none. */
// @ts-ignore: decorator
@unmanaged
class Match {
  person: i32;
  similarity: f32;
  secondPerson: i32;
  secondSimilarity: f32;
  /** Rows whose floats were read. */
  rescored: i32;
}

/** The int16 copy of one vector: round(value x 32,700), ties to even. */
export function quantise(source: usize, target: usize): void {
  const scale = f32x4.splat(SCALE);
  for (let i: usize = 0; i < DIMENSIONS; i += 8) {
    const p = source + (i << 2);
    v128.store(target + (i << 1), i16x8.narrow_i32x4_s(
      i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(p), scale))),
      i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(p, 16), scale)))));
  }
}

/** Sixteen running sums (four vectors of four), added pairwise: the order that the plain twin repeats. */
export function dotProduct(a: usize, b: usize): f32 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  for (let end = a + (DIMENSIONS << 2); a < end; a += 64, b += 64) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(a), v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(a, 32), v128.load(b, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(a, 48), v128.load(b, 48)));
  }
  const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  return (f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1)) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
}

// @ts-ignore: decorator
@inline function integerDot(a: usize, b: usize): i32 {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  for (let i: usize = 0; i < DIMENSIONS << 1; i += 128) {
    const p = a + i;
    const q = b + i;
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(p), v128.load(q)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(p, 16), v128.load(q, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load(p, 32), v128.load(q, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load(p, 48), v128.load(q, 48)));
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(p, 64), v128.load(q, 64)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(p, 80), v128.load(q, 80)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load(p, 96), v128.load(q, 96)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load(p, 112), v128.load(q, 112)));
  }
  const s = i32x4.add(i32x4.add(s0, s1), i32x4.add(s2, s3));
  return i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3);
}

/**
 * The best row, and the best row of any other person. Of equal rows the earlier one wins. `query` and `quantisedQuery` are the
 * caller's own; rows, copies and persons lie one after another, row i at i x 2,048, i x 1,024 and i x 4 bytes.
 */
export function search(
  rows: usize, copies: usize, persons: usize, count: i32, query: usize, quantisedQuery: usize, match: Match,
): void {
  let person = -1;
  let similarity: f32 = -Infinity;
  let secondPerson = -1;
  let secondSimilarity: f32 = -Infinity;
  let rescored = 0;
  // A row whose integer product is not above this cannot change the answer.
  let bar: i32 = i32.MIN_VALUE;
  for (let i = 0; i < count; i++) {
    if (integerDot(copies + (<usize>i << 10), quantisedQuery) < bar) continue;
    rescored++;
    const s = dotProduct(rows + (<usize>i << 11), query);
    const p = load<i32>(persons + (<usize>i << 2));
    if (s > similarity) {
      if (p != person) {
        secondPerson = person;
        secondSimilarity = similarity;
      }
      person = p;
      similarity = s;
    } else if (p != person && s > secondSimilarity) {
      secondPerson = p;
      secondSimilarity = s;
    } else continue;
    if (secondPerson >= 0) bar = <i32>Math.floor(<f64>secondSimilarity * (<f64>SCALE * <f64>SCALE) - SLACK);
  }
  match.person = person;
  match.similarity = similarity;
  match.secondPerson = secondPerson;
  match.secondSimilarity = secondSimilarity;
  match.rescored = rescored;
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLift, withoutMainDiagonal } from '../../models/lift.ts';
import {
  hadamardBasis,
  SPHERE_LIFT_DISTANCE,
  SPHERE_LIFT_MEAN,
  sphereLift,
} from '../../models/sphere-lift.ts';

/** Repeatable numbers from -1 to 1 (a linear congruential generator). */
function numbers(seed: number, length: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** A vector at exactly this cosine from `from`, in the plane with `towards`. */
function atCosine(from: Float32Array, towards: Float32Array, wanted: number): Float32Array {
  const along = dot(from, towards) / dot(from, from);
  const across = towards.map((value, index) => value - along * from[index]!);
  const ratio = Math.sqrt(dot(from, from) / dot(across, across));
  return from.map((value, index) => wanted * value + Math.sqrt(1 - wanted ** 2) * ratio * across[index]!);
}

describe('angular lift', () => {
  for (const dimensions of [1, 128, 511, 512]) {
    test(`gives unit vectors of 512 numbers for ${dimensions}`, () => {
      const lifted = createLift({ kind: 'angular', rawSimilarity: 0.3 }, dimensions)(numbers(1, dimensions));
      assert.equal(lifted.length, 512);
      assert.ok(Math.abs(dot(lifted, lifted) - 1) < 1e-6);
    });
  }

  for (const dimensions of [128, 511]) {
    test(`is affine in the cosine of ${dimensions} numbers, with the operating point at 0.85`, () => {
      const rawSimilarity = 0.362;
      const lift = createLift({ kind: 'angular', rawSimilarity }, dimensions);
      const from = numbers(2, dimensions);
      for (const raw of [-1, -0.4, 0, rawSimilarity, 0.7, 1]) {
        const other = atCosine(from, numbers(3, dimensions), raw);
        const expected = 1 - (0.15 / (1 - rawSimilarity)) * (1 - raw);
        assert.ok(Math.abs(dot(lift(from), lift(other)) - expected) < 1e-6);
      }
      const atPoint = atCosine(from, numbers(3, dimensions), rawSimilarity);
      assert.ok(Math.abs(dot(lift(from), lift(atPoint)) - 0.85) < 1e-6);
    });
  }

  test('stays near the affine map for a network that fills all 512 dimensions', () => {
    const rawSimilarity = 0.3;
    const lift = createLift({ kind: 'angular', rawSimilarity }, 512);
    let worst = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const a = numbers(seed, 512);
      const b = atCosine(a, numbers(seed + 1000, 512), rawSimilarity);
      worst = Math.max(worst, Math.abs(dot(lift(a), lift(b)) - 0.85));
    }
    // One of 512 directions is lost; a single pair may have a few times its share there.
    assert.ok(worst < 0.005, `worst ${worst}`);
  });

  test('gives the same vector for a longer embedding', () => {
    const lift = createLift({ kind: 'angular', rawSimilarity: 0.3 }, 128);
    const raw = numbers(4, 128);
    const lifted = lift(raw);
    for (const [index, value] of lift(raw.map((v) => 25 * v)).entries()) {
      assert.ok(Math.abs(value - lifted[index]!) < 1e-6);
    }
  });

  test('refuses what has no direction or another size', () => {
    const lift = createLift({ kind: 'angular', rawSimilarity: 0.3 }, 4);
    assert.throws(() => lift(new Float32Array(4)), /not all 0; their squares add up to 0/);
    assert.throws(() => lift(Float32Array.of(1, Number.NaN, 0, 0)), /expected finite numbers/);
    assert.throws(() => lift(new Float32Array(5)), /expected 4 numbers, received 5/);
  });

  test('refuses a point that no real map brings to 0.85, and sizes beyond 512', () => {
    assert.throws(() => createLift({ kind: 'angular', rawSimilarity: 0.9 }, 128), /below 0.85, received 0.9/);
    assert.throws(
      () => createLift({ kind: 'angular', rawSimilarity: 0.3 }, 513),
      /from 1 to 512, received 513/,
    );
  });
});

describe('lift in the graph', () => {
  test('passes 512 numbers on at length 1', () => {
    const raw = numbers(5, 512);
    const lifted = createLift({ kind: 'in-graph' }, 128)(raw);
    assert.ok(Math.abs(dot(lifted, lifted) - 1) < 1e-6);
    assert.ok(Math.abs(cosine(raw, lifted) - 1) < 1e-6);
  });
});

describe('withoutMainDiagonal', () => {
  test('keeps lengths and angles of vectors across the diagonal', () => {
    const across = (seed: number) => {
      const vector = numbers(seed, 512);
      const mean = vector.reduce((sum, value) => sum + value, 0) / 512;
      return vector.map((value) => value - mean);
    };
    const [a, b] = [across(6), across(7)];
    assert.equal(withoutMainDiagonal(a).length, 511);
    assert.ok(Math.abs(dot(withoutMainDiagonal(a), withoutMainDiagonal(b)) - dot(a, b)) < 1e-4);
  });

  test('takes the diagonal to nothing', () => {
    const rest = withoutMainDiagonal(new Float32Array(512).fill(1));
    assert.ok(dot(rest, rest) < 1e-9);
  });
});

describe('sphere lift', () => {
  /** A descriptor at this distance and seed from the mean. */
  const around = (seed: number, distance: number) => {
    const way = numbers(seed, 128);
    const length = Math.sqrt(dot(way, way));
    return SPHERE_LIFT_MEAN.map((value, index) => value + (distance * way[index]!) / length);
  };
  const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - b[i]!));

  test('gives unit vectors, also for a descriptor outside of the ball', () => {
    for (const radius of [0, 0.6, 1, 3]) {
      const lifted = sphereLift(around(8, radius));
      assert.ok(Math.abs(dot(lifted, lifted) - 1) < 1e-6);
    }
  });

  test('is 0.85 at the stated distance, and 1 - d^2 / (2 radius^2) at any other', () => {
    const a = around(9, 0.6);
    for (const seed of [10, 11, 12]) {
      const b = around(seed, 0.6);
      const expected = 1 - (0.15 * distance(a, b) ** 2) / SPHERE_LIFT_DISTANCE ** 2;
      assert.ok(Math.abs(dot(sphereLift(a), sphereLift(b)) - expected) < 1e-5);
    }
  });

  test('has an orthonormal basis', () => {
    const basis = hadamardBasis(129);
    const row = (index: number) => basis.subarray(512 * index, 512 * (index + 1));
    for (const [a, b] of [
      [0, 0],
      [0, 1],
      [3, 77],
      [127, 128],
      [128, 128],
    ] as const) {
      assert.ok(Math.abs(dot(row(a), row(b)) - (a === b ? 1 : 0)) < 1e-6);
    }
  });
});

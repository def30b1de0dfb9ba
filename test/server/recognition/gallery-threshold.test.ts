import assert from 'node:assert/strict';
import { test } from 'node:test';
import { similarityAtFalseMatchRate } from '../../../models/calibration.ts';
import { embedderModels } from '../../../models/manifest.ts';
import { SPHERE_LIFT_DISTANCE, SPHERE_LIFT_RADIUS } from '../../../models/sphere-lift.ts';
import { galleryThreshold, similarityOfDistance } from '../../../server/recognition/gallery-threshold.ts';

const { calibration } = embedderModels[0]!;
const rule = { similarityThreshold: 0.85, falsePositiveIdentificationRate: 0.01, calibration };

test('the threshold never falls below the setting and never falls as people come', () => {
  let last = 0;
  for (const pictures of [0, 1, 2, 5, 10, 30, 100, 1000, 10_000, 1_000_000]) {
    const threshold = galleryThreshold(rule, pictures);
    assert.ok(threshold >= 0.85 && threshold <= 1 && threshold >= last);
    last = threshold;
  }
  assert.ok(last > galleryThreshold(rule, 10));
  assert.equal(galleryThreshold({ ...rule, similarityThreshold: 0.99 }, 10), 0.99);
});

test('with N pictures, a stranger is accepted at most as often as the rate says', () => {
  for (const pictures of [20, 500, 20_000]) {
    const threshold = galleryThreshold({ ...rule, similarityThreshold: 0 }, pictures);
    const falseMatchRate = 1 - 0.99 ** (1 / pictures);
    const expected = similarityAtFalseMatchRate(calibration, falseMatchRate);
    assert.ok(Math.abs(threshold - expected) < 1e-9);
    assert.ok(1 - (1 - falseMatchRate) ** pictures <= 0.01 + 1e-9);
  }
});

test('a rate of 1 sets no limit', () => {
  assert.equal(galleryThreshold({ ...rule, falsePositiveIdentificationRate: 1 }, 100_000), 0.85);
});

test("the older recogniser's distance becomes the cosine of the same pairs", () => {
  assert.ok(Math.abs(similarityOfDistance(SPHERE_LIFT_DISTANCE, SPHERE_LIFT_RADIUS) - 0.85) < 1e-12);
  assert.ok(similarityOfDistance(0.6, SPHERE_LIFT_RADIUS) < 0.85);
  assert.ok(similarityOfDistance(0.4, SPHERE_LIFT_RADIUS) > 0.91);
  for (const distance of [0, -1, Number.NaN, 9])
    assert.throws(() => similarityOfDistance(distance, SPHERE_LIFT_RADIUS), /distance: expected/);
});

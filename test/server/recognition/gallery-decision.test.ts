import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../../server/recognition/gallery-decision.ts';
import type { IndexMatch } from '../../../workers/protocol.ts';
import { PERFECT_QUALITY } from '../../support/vectors.ts';

const names = new Map([
  [1, 'Ada'],
  [2, 'Grace'],
]);
const match: IndexMatch = { person: 1, similarity: 0.9, secondPerson: 2, secondSimilarity: 0.7 };
const THRESHOLD = 0.85;

test('the nearest person is named from the threshold on, with the margin to the second', () => {
  assert.deepEqual(decide(match, PERFECT_QUALITY, names, 0.9), {
    recognizedAs: 'Ada',
    confidence: 0.9,
    similarity: 0.9,
    threshold: 0.9,
    margin: 0.9 - 0.7,
    unjudged: null,
  });
  const { recognizedAs, confidence, similarity } = decide(match, PERFECT_QUALITY, names, 0.91);
  assert.deepEqual([recognizedAs, confidence, similarity], [null, 0, 0.9]);
});

for (const [measure, reason] of [
  ['size', 'too_small'],
  ['clarity', 'blurred'],
  ['lighting', 'badly_lit'],
  ['angle', 'turned_away'],
] as const) {
  test(`a face that is ${reason} gets no name, and the reason is told`, () => {
    const decision = decide(match, { ...PERFECT_QUALITY, [measure]: 0.01 }, names, THRESHOLD);
    assert.deepEqual([decision.recognizedAs, decision.similarity, decision.unjudged], [null, 0.9, reason]);
  });
}

test('a person removed meanwhile is not named: the second person counts', () => {
  const { recognizedAs, similarity } = decide(match, PERFECT_QUALITY, new Map([[2, 'Grace']]), 0.6);
  assert.deepEqual([recognizedAs, similarity], ['Grace', 0.7]);
  assert.equal(decide(match, PERFECT_QUALITY, new Map(), 0.6).similarity, null);
});

test('without anybody enrolled there is nothing to compare with', () => {
  const { recognizedAs, similarity, margin } = decide(null, PERFECT_QUALITY, names, THRESHOLD);
  assert.deepEqual([recognizedAs, similarity, margin], [null, null, null]);
});

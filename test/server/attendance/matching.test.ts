import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MatchingLimits, matchFaces } from '../../../server/attendance/matching.ts';
import type { AnalysedFace, IndexMatch } from '../../../workers/protocol.ts';

const LIMITS: MatchingLimits = { similarityThreshold: 0.85, minMargin: 0, minFacePx: 24, minQuality: 0.25 };

function face(match: IndexMatch | null, { sidePx = 100, quality = 0.9 } = {}): AnalysedFace {
  return {
    box: { x: 0, y: 0, width: sidePx, height: sidePx },
    landmarks: [
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 2],
      [1, 2],
    ],
    score: 0.99,
    quality: { overall: quality, size: 1, clarity: 1, lighting: 1, angle: 1 },
    embedding: null,
    match,
  };
}

const near = (
  person: number,
  similarity: number,
  secondPerson: number | null = null,
  secondSimilarity: number | null = null,
): IndexMatch => ({ person, similarity, secondPerson, secondSimilarity });

const outcomes = (faces: AnalysedFace[], limits: Partial<MatchingLimits> = {}) =>
  matchFaces(faces, { ...LIMITS, ...limits }).map(({ outcome, student }) => [outcome, student]);

test('a face gets the best student from the threshold on, and nobody below it', () => {
  assert.deepEqual(outcomes([face(near(3, 0.85)), face(near(4, 0.8499)), face(null)]), [
    ['recognized', 3],
    ['unknown', null],
    ['unknown', null],
  ]);
});

test('of two faces that look like one student, the nearer one gets the name', () => {
  assert.deepEqual(outcomes([face(near(1, 0.88)), face(near(1, 0.95))]), [
    ['uncertain', null],
    ['recognized', 1],
  ]);
});

test('the face that lost its student gets its second best where that one is above the threshold', () => {
  assert.deepEqual(outcomes([face(near(1, 0.95, 2, 0.9)), face(near(1, 0.97, 2, 0.6))]), [
    ['recognized', 2],
    ['recognized', 1],
  ]);
  assert.deepEqual(outcomes([face(near(1, 0.95, 2, 0.84)), face(near(1, 0.97))]), [
    ['uncertain', null],
    ['recognized', 1],
  ]);
});

test('a second best never takes a student from a face that is nearer to them', () => {
  const faces = [face(near(1, 0.95, 2, 0.9)), face(near(1, 0.97)), face(near(2, 0.93))];
  assert.deepEqual(outcomes(faces), [
    ['uncertain', null],
    ['recognized', 1],
    ['recognized', 2],
  ]);
});

test('no student stands twice in a picture, whatever the faces look like', () => {
  const faces = Array.from({ length: 40 }, (_, i) =>
    face(near(i % 7, 0.86 + (i % 11) / 100, (i + 1) % 7, 0.85 + (i % 5) / 1000)),
  );
  const given = matchFaces(faces, LIMITS).flatMap(({ student }) => (student === null ? [] : [student]));
  assert.equal(new Set(given).size, given.length);
  assert.equal(given.length, 7);
});

test('where the two best students are closer than the margin, the face is uncertain', () => {
  const limits = { minMargin: 0.05 };
  assert.deepEqual(outcomes([face(near(1, 0.95, 2, 0.92)), face(near(3, 0.95, 4, 0.89))], limits), [
    ['uncertain', null],
    ['recognized', 3],
  ]);
});

test('with a margin asked for, the face that lost its student gets no other: its third best is not known', () => {
  const faces = [face(near(1, 0.95, 2, 0.88)), face(near(1, 0.97, 3, 0.5))];
  assert.deepEqual(outcomes(faces, { minMargin: 0.05 }), [
    ['uncertain', null],
    ['recognized', 1],
  ]);
});

test('faces too small or too poor to judge are told apart and get no name', () => {
  assert.deepEqual(outcomes([face(near(1, 0.99), { sidePx: 23 }), face(near(1, 0.99), { quality: 0.2 })]), [
    ['too_small', null],
    ['too_poor', null],
  ]);
});

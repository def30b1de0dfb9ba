import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advise,
  createCalmAdvice,
  createSteadiness,
  type Seen,
} from '../../server/dashboard/client/webcam/advice.ts';
import type { LookedFace } from '../../server/dashboard/client/webcam/detector-protocol.ts';
import {
  BACKGROUND_WIDTH_SHARE,
  LEAST_FACE_WIDTH_PX,
  LEAST_QUALITY,
} from '../../server/recognition/enrolment.ts';
import { PERFECT_QUALITY } from '../support/vectors.ts';

const limits = {
  leastFaceWidthPx: LEAST_FACE_WIDTH_PX,
  backgroundWidthShare: BACKGROUND_WIDTH_SHARE,
  leastQuality: LEAST_QUALITY,
};

const face = (changes: Partial<LookedFace['box']> = {}, quality: Partial<LookedFace['quality']> = {}) =>
  ({
    box: { x: 540, y: 210, width: 200, height: 250, ...changes },
    landmarks: [
      [590, 300],
      [690, 300],
      [640, 350],
      [600, 400],
      [680, 400],
    ],
    score: 0.99,
    quality: { ...PERFECT_QUALITY, ...quality },
  }) as LookedFace;

const seen = (atMs: number, ...faces: LookedFace[]): Seen => ({
  look: { width: 1280, height: 720, faces, meanLuma: 110, timings: { readMs: 0, detectMs: 0, assessMs: 0 } },
  atMs,
});

const adviceOn = (...faces: LookedFace[]) => advise(seen(100, ...faces), seen(0, ...faces), limits).code;

test('each fault of a picture has its advice, the gravest first', () => {
  assert.equal(adviceOn(), 'nobody');
  const dark = { ...seen(0), look: { ...seen(0).look, meanLuma: 20 } };
  assert.equal(advise(dark, null, limits).code, 'light');
  assert.equal(adviceOn(face(), face({ x: 900 })), 'several');
  assert.equal(adviceOn(face(), face({ x: 1000, width: 50, height: 60 })), 'ready');
  assert.equal(adviceOn(face({ width: 80, height: 100 })), 'closer');
  assert.equal(adviceOn(face({ y: 20, height: 690, width: 500 })), 'back');
  assert.equal(adviceOn(face({ x: 1070 })), 'middle');
  assert.equal(adviceOn(face({}, { lighting: 0.2, angle: 0.2 })), 'light');
  assert.equal(adviceOn(face({}, { angle: 0.45 })), 'look');
  assert.equal(adviceOn(face({}, { clarity: 0.35 })), 'still');
  assert.equal(adviceOn(face()), 'ready');
});

test('who moves is asked to hold still, and nobody is ready at the first look', () => {
  assert.equal(advise(seen(100, face()), null, limits).code, 'still');
  assert.equal(advise(seen(100, face({ x: 560 })), seen(0, face()), limits).code, 'still');
  assert.equal(advise(seen(100, face({ x: 545 })), seen(0, face()), limits).code, 'ready');
});

test('whatever the webcam is content with, enrolment takes too', () => {
  const least = { ...LEAST_QUALITY };
  for (const measure of ['clarity', 'angle', 'lighting'] as const)
    assert.notEqual(adviceOn(face({}, { [measure]: least[measure] })), 'ready');
  assert.notEqual(adviceOn(face({ width: LEAST_FACE_WIDTH_PX })), 'ready');
});

test('the picture is taken after a steady second, and one bad look begins it again', () => {
  const steadiness = createSteadiness();
  assert.equal(steadiness.next('ready', 0), 0);
  assert.equal(steadiness.next('ready', 500), 0.5);
  assert.equal(steadiness.next('look', 600), 0);
  assert.equal(steadiness.next('ready', 700), 0);
  assert.equal(steadiness.next('ready', 1700), 1);
  steadiness.reset();
  assert.equal(steadiness.next('ready', 1800), 0);
});

test('an advice is shown once it has lasted, so that it can be read', () => {
  const calm = createCalmAdvice();
  assert.equal(calm('closer', 0), 'closer');
  assert.equal(calm('light', 100), 'closer');
  assert.equal(calm('closer', 200), 'closer');
  assert.equal(calm('light', 300), 'closer');
  assert.equal(calm('light', 599), 'closer');
  assert.equal(calm('light', 600), 'light');
  assert.equal(calm('ready', 610), 'ready');
  assert.equal(calm('light', 620), 'ready');
});

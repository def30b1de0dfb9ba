import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placeLabels } from '../../server/dashboard/client/parts/face-labels.ts';
import type { SeenFace } from '../../server/live/messages.ts';

const WIDTH = 320;
const HEIGHT = 240;

const face = (x: number, y: number, recognizedAs: string | null = 'Ada'): SeenFace => ({
  box: { x, y, width: 30, height: 40 },
  recognizedAs,
  similarity: 0.9,
});
const place = (...faces: SeenFace[]) => placeLabels(faces, WIDTH, HEIGHT);

test('a name goes over its box, under it at the top of the picture, and to the left near the right edge', () => {
  assert.deepEqual(place(face(50, 100)), [{ below: false, fromRight: false, mostBoxWidths: null }]);
  assert.deepEqual(place(face(50, 10)), [{ below: true, fromRight: false, mostBoxWidths: null }]);
  assert.deepEqual(place(face(250, 100)), [{ below: false, fromRight: true, mostBoxWidths: null }]);
});

test('of two who stand close the one on the left has the name under the box', () => {
  const [right, left] = place(face(90, 102), face(50, 100));
  assert.deepEqual(left, { below: true, fromRight: false, mostBoxWidths: null });
  assert.deepEqual(right, { below: false, fromRight: false, mostBoxWidths: null });
});

test('where nothing can go under or over a box, at the edges, names part to the left and the right', () => {
  for (const y of [5, 195]) {
    const [left, right] = place(face(100, y), face(140, y));
    assert.deepEqual(left, { below: y === 5, fromRight: true, mostBoxWidths: null });
    assert.deepEqual(right, { below: y === 5, fromRight: false, mostBoxWidths: null });
  }
});

test('of many in a row each has the most room that there is, and the name ends where the next begins', () => {
  const labels = place(face(20, 100), face(60, 100), face(100, 100), face(140, 100));
  assert.deepEqual(
    labels.map(({ below }) => below),
    [true, false, true, false],
  );
  assert.deepEqual(
    labels.map(({ mostBoxWidths }) => mostBoxWidths),
    [80 / 30, 80 / 30, null, null],
  );
});

test('faces that nobody knows move no name', () => {
  assert.deepEqual(place(face(50, 100), face(80, 100, null))[0], place(face(50, 100))[0]);
});

test('whatever the faces: no two names of one line reach over each other', () => {
  const faces = fc.array(fc.tuple(fc.integer({ min: 0, max: 290 }), fc.integer({ min: 0, max: 200 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(faces, (corners) => {
      const all = corners.map(([x, y]) => face(x, y));
      const labels = placeLabels(all, WIDTH, HEIGHT).map(({ below, fromRight, mostBoxWidths }, i) => {
        const { x, y, width, height } = all[i]!.box;
        const length = (mostBoxWidths ?? Number.POSITIVE_INFINITY) * width;
        const [from, to] = fromRight ? [x + width - length, x + width] : [x, x + length];
        return { top: below ? y + height : y - 0.12 * HEIGHT, from, to };
      });
      for (const [i, a] of labels.entries())
        for (const b of labels.slice(i + 1))
          if (Math.abs(a.top - b.top) < 0.12 * HEIGHT)
            assert.ok(Math.min(a.to, b.to) - Math.max(a.from, b.from) < 1e-6);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clipBox,
  fitSimilarity,
  intersectionOverSmaller,
  intersectionOverUnion,
  mapPoint,
  mapToSquare,
  suppressNonMaxima,
} from '../../workers/geometry.ts';
import type { Point } from '../../workers/protocol.ts';

const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

test('boxes that share half of each have a third of their union in common', () => {
  assert.equal(intersectionOverUnion(box(0, 0, 2, 2), box(1, 0, 2, 2)), 1 / 3);
});

test('boxes that only touch have nothing in common', () => {
  assert.equal(intersectionOverUnion(box(0, 0, 2, 2), box(2, 0, 2, 2)), 0);
});

test('a box inside another covers all of the smaller one', () => {
  assert.equal(intersectionOverSmaller(box(0, 0, 10, 10), box(2, 2, 3, 3)), 1);
});

test('of overlapping candidates the best score stays, whatever their order', () => {
  const good = { box: box(0, 0, 10, 10), score: 0.9 };
  const worse = { box: box(1, 1, 10, 10), score: 0.8 };
  const apart = { box: box(50, 50, 10, 10), score: 0.7 };
  assert.deepEqual(suppressNonMaxima([apart, worse, good], 0.5), [good, apart]);
});

test('a box that reaches over the edge is cut there, and one outside is nothing', () => {
  assert.deepEqual(clipBox(box(-5, 90, 20, 20), 100, 100), box(0, 90, 15, 10));
  assert.equal(clipBox(box(120, 0, 20, 20), 100, 100), null);
});

test('a similarity is found again from the points that it mapped', () => {
  const map = { a: 0.6, b: -1.3, tx: 17, ty: -4 };
  const from: Point[] = [
    [0, 0],
    [10, 0],
    [3, 8],
    [-4, 5],
  ];
  const found = fitSimilarity(
    from,
    from.map((point) => mapPoint(map, point)),
  );
  for (const key of ['a', 'b', 'tx', 'ty'] as const) assert.ok(Math.abs(found[key] - map[key]) < 1e-12);
});

test('points that coincide give an error, not a map full of NaN', () => {
  assert.throws(
    () =>
      fitSimilarity(
        [
          [1, 1],
          [1, 1],
        ],
        [
          [0, 0],
          [1, 1],
        ],
      ),
    /expected points that differ/,
  );
});

test('the map of a square puts the corners of the chip on the corners of the square', () => {
  const map = mapToSquare(box(10, 20, 30, 30), 3);
  // Pixel centres of a chip of 3 lie a sixth of the side inside.
  assert.deepEqual(mapPoint(map, [0, 0]), [10 + 5 - 0.5, 20 + 5 - 0.5]);
  assert.deepEqual(mapPoint(map, [2, 2]), [10 + 25 - 0.5, 20 + 25 - 0.5]);
});

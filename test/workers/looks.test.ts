import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeLooks } from '../../workers/detect/looks.ts';

const face = (x: number, score: number) => ({
  box: { x, y: 10, width: 40, height: 50 },
  score,
  points: null,
});

describe('two looks at a very dark frame', () => {
  it('keep a face that one look shows clearly, and one that both show', () => {
    const faces = mergeLooks([[face(0, 0.8), face(100, 0.6)], [face(104, 0.55)]], 0.74);
    assert.deepEqual(
      faces.map(({ box, score }) => [box.x, score]),
      [
        [0, 0.8],
        [100, 0.6],
      ],
    );
  });

  it('drop a faint face that only one look shows, however often', () => {
    assert.deepEqual(mergeLooks([[face(0, 0.6), face(2, 0.59)], []], 0.74), []);
  });

  it('give a face the box of the look that shows it best, best first', () => {
    const faces = mergeLooks([[face(0, 0.5), face(200, 0.9)], [face(3, 0.95)]], 0.74);
    assert.deepEqual(
      faces.map(({ box }) => box.x),
      [3, 200],
    );
  });
});

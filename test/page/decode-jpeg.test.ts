import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eighthsFor } from '../../server/dashboard/client/views/wall/decode-jpeg.ts';

test('a JPEG is decoded at the least number of eighths that fills its tile to nine tenths both ways', () => {
  const tile = { width: 177, height: 133 };
  const filled = { width: 0.9 * tile.width, height: 0.9 * tile.height };
  for (const [width, height] of [
    [320, 240],
    [640, 480],
    [800, 600],
    [1600, 1200],
    [1920, 1080],
    [240, 320],
  ] as const) {
    const eighths = eighthsFor({ width, height }, tile);
    const fills = (n: number) => (n * width) / 8 >= filled.width && (n * height) / 8 >= filled.height;
    assert.ok(fills(eighths), `${width} x ${height}: ${eighths}/8`);
    assert.ok(eighths === 1 || !fills(eighths - 1), `${width} x ${height}: ${eighths}/8`);
  }
});

test('never more than the whole picture, and something of the largest', () => {
  assert.equal(eighthsFor({ width: 160, height: 120 }, { width: 1000, height: 750 }), 8);
  assert.equal(eighthsFor({ width: 10_000, height: 7500 }, { width: 1, height: 1 }), 1);
});

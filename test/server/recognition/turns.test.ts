import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../server/recognition/turns.ts';

test('a source keeps the time of its last turn, and a new one stands behind all others', () => {
  let nowMs = 10;
  const turns = new Turns({ monotonicMs: () => nowMs });
  assert.equal(turns.asked('board'), 10);
  nowMs = 20;
  assert.equal(turns.asked('board'), 10);
  turns.taken('board');
  nowMs = 30;
  assert.equal(turns.asked('board'), 20);
  assert.equal(turns.asked('newcomer'), 30);
});

test('a flood of made-up names neither grows the table nor drives out those who are there', () => {
  let nowMs = 0;
  const turns = new Turns({ maxSources: 100, forgetAfterMs: 1000, monotonicMs: () => nowMs });
  turns.asked('board');
  for (nowMs = 1; nowMs < 5000; nowMs++) {
    assert.equal(turns.asked(`made up ${nowMs}`), nowMs);
    if (nowMs % 500 === 0) assert.equal(turns.asked('board'), 0);
    assert.ok(turns.size <= 100);
  }
});

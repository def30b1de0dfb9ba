import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSystemLoad } from '../../../server/devices/system-load.ts';

test('the load is the share of the processors that was in use since the last look', () => {
  let times = { busyMs: 100_000, totalMs: 1_000_000 };
  let nowMs = 0;
  const load = createSystemLoad(
    () => times,
    () => nowMs,
  );
  assert.equal(load(), 0.1);
  times = { busyMs: 101_500, totalMs: 1_002_000 };
  assert.equal(load(), 0.1, 'looked at again too soon');
  nowMs = 1000;
  assert.equal(load(), 0.75);
  nowMs = 2000;
  assert.equal(load(), 0.75, 'nothing has been counted since');
});

test('this machine is looked at', () => {
  const load = createSystemLoad()();
  assert.ok(load >= 0 && load <= 1);
});

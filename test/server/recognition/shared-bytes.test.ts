import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedBytes } from '../../../server/recognition/shared-bytes.ts';

test('bytes that are lent hold a copy, and what came back is lent again', () => {
  const lending = new SharedBytes(1);
  const given = Uint8Array.of(1, 2, 3, 4);
  const first = lending.lend(given);
  given[0] = 9;
  assert.deepEqual([...first.bytes], [1, 2, 3, 4]);
  first.giveBack();
  const second = lending.lend(Uint8Array.of(5, 6));
  assert.deepEqual([...second.bytes], [5, 6]);
  assert.equal(second.bytes.buffer, first.bytes.buffer);
});

test('bytes that are out are lent to nobody else, and a larger frame gets a larger buffer', () => {
  const lending = new SharedBytes(1);
  const first = lending.lend(Uint8Array.of(1));
  const second = lending.lend(Uint8Array.of(2));
  assert.notEqual(second.bytes.buffer, first.bytes.buffer);
  first.giveBack();
  const larger = lending.lend(new Uint8Array(100).fill(7));
  assert.ok(larger.bytes.every((byte) => byte === 7));
  assert.equal(larger.bytes.length, 100);
});

test('no more buffers are kept than are needed at a time', () => {
  const lending = new SharedBytes(1);
  const lent = [lending.lend(Uint8Array.of(1)), lending.lend(Uint8Array.of(2))];
  for (const one of lent) one.giveBack();
  const again = [lending.lend(Uint8Array.of(3)), lending.lend(Uint8Array.of(4))];
  const kept = again.filter(({ bytes }) => lent.some((one) => one.bytes.buffer === bytes.buffer));
  assert.equal(kept.length, 1);
});

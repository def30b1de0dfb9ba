import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLastFrames, type LastFrame } from '../../../server/devices/last-frames.ts';

const frame = (deviceId: string, number: number, bytes = 100): LastFrame => ({
  deviceId,
  name: `${deviceId}_${number}.jpg`,
  atMs: number,
  width: 4,
  height: 3,
  faces: [],
  enhancement: null,
  sensor: {},
  warnings: [],
  original: { kind: 'encoded', bytes: new Uint8Array(bytes) },
});

test('the newest frame of a device is kept, and the one before by its name', () => {
  const lastFrames = createLastFrames({ maxDevices: 10, maxOriginalBytes: 1000 });
  for (let i = 1; i <= 3; i++) lastFrames.put(frame('a', i));
  assert.equal(lastFrames.get('a')!.name, 'a_3.jpg');
  assert.equal(lastFrames.get('a', 'a_2.jpg')!.atMs, 2);
  assert.equal(lastFrames.get('a', 'a_1.jpg'), null);
  assert.equal(lastFrames.get('b'), null);
  assert.equal(lastFrames.originalBytes, 200);
});

test('the device that was heard longest ago makes room for a new one', () => {
  const lastFrames = createLastFrames({ maxDevices: 2, maxOriginalBytes: 1000 });
  for (const id of ['a', 'b', 'a', 'c']) lastFrames.put(frame(id, 1));
  assert.deepEqual(
    lastFrames.list().map(({ deviceId }) => deviceId),
    ['c', 'a'],
  );
  assert.equal(lastFrames.originalBytes, 300);
});

test('frames as they came are given up within the limit of bytes, those of the longest silent devices first', () => {
  const lastFrames = createLastFrames({ maxDevices: 10, maxOriginalBytes: 250 });
  for (const id of ['a', 'b', 'c']) lastFrames.put(frame(id, 1));
  assert.equal(lastFrames.get('a')!.original, null);
  assert.equal(lastFrames.get('b')!.original!.bytes.length, 100);
  assert.equal(lastFrames.originalBytes, 200);
  // One that is larger than the limit by itself is not kept either.
  lastFrames.put(frame('d', 1, 300));
  assert.equal(lastFrames.originalBytes, 0);
  assert.equal(lastFrames.list().length, 4);
});

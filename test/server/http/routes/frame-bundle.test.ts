import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DeviceServer, startDeviceServer } from '../../../support/device-server.ts';

let server: DeviceServer;
before(async () => {
  server = await startDeviceServer();
});
after(() => server?.dispose());

const ask = (names: string) => server.call(`/api/v1/stream/frames/bundle?names=${names}`);

test('several frames come in one answer, each behind its length, and 0 for one that is not there', async () => {
  const pictures = [Buffer.from('one'), Buffer.from('another')];
  const stored = [];
  for (const picture of pictures) stored.push(await server.frames.store('board', picture, null));
  const response = await ask(`${stored[0]!.name},board_1.jpg,${stored[1]!.name}`);
  assert.equal(response.status, 200);
  assert.equal(
    Buffer.from(await response.arrayBuffer()).toString('latin1'),
    '\0\0\0\x03one\0\0\0\0\0\0\0\x07another',
  );
});

test('nothing outside of the frames is read, and a bundle has an end', async () => {
  const outside = Buffer.from(await (await ask('..%2Fapi-key,%2Fetc%2Fpasswd')).arrayBuffer());
  assert.deepEqual([...outside], [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal((await ask('')).status, 400);
  assert.equal((await ask(Array.from({ length: 65 }, (_, i) => `a_${i}.jpg`).join())).status, 400);
  const refused = await server.call('/api/v1/stream/frames/bundle?names=a_1.jpg', { key: null });
  assert.equal(refused.status, 401);
});

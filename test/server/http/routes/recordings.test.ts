import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { type DeviceServer, startDeviceServer } from '../../../support/device-server.ts';
import { API_KEY } from '../../../support/server.ts';

const hasFfmpeg = (() => {
  try {
    execFileSync('ffmpeg', ['-version']);
    return true;
  } catch {
    return false;
  }
})();

describe('recordings over HTTP', { skip: hasFfmpeg ? false : 'ffmpeg is not on the PATH' }, () => {
  let server: DeviceServer;
  before(async () => {
    server = await startDeviceServer();
    const jpeg = await sharp({ create: { width: 32, height: 24, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    for (let i = 0; i < 3; i++) {
      await server.frames.store('cam/1', jpeg, null);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  after(() => server.dispose());

  async function made(body?: BodyInit, headers: Record<string, string> = {}) {
    const response = await server.call('/api/v1/stream/record', { method: 'POST', body, headers });
    assert.equal(response.status, 200);
    return (await response.json()) as {
      success: boolean;
      message?: string;
      data?: { recordingId: string; frameCount: number; videoUrl: string };
    };
  }
  async function list() {
    const response = await server.call('/api/v1/stream/recordings');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    return ((await response.json()) as { data: Record<string, unknown>[] }).data;
  }

  test('a recording is made, listed newest first, served with ranges, and deleted', async () => {
    const json = { 'Content-Type': 'application/json' };
    const first = await made(JSON.stringify({ deviceId: 'cam/1' }), json);
    assert.equal(first.success, true);
    assert.equal(first.data!.frameCount, 3);
    const second = await made();
    assert.notEqual(first.data!.recordingId, second.data!.recordingId);
    const listed = await list();
    assert.deepEqual(
      listed.map(({ url, type }) => [url, type]),
      [
        [second.data!.videoUrl, 'video'],
        [first.data!.videoUrl, 'video'],
      ],
    );
    assert.deepEqual(Object.keys(listed[0]!), ['id', 'name', 'url', 'createdAt', 'size', 'type']);

    const url = first.data!.videoUrl;
    const whole = await server.call(url);
    assert.equal(whole.headers.get('content-type'), 'video/mp4');
    const bytes = Buffer.from(await whole.arrayBuffer());
    const part = await server.call(url, { headers: { Range: 'bytes=10-19' } });
    assert.equal(part.status, 206);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20)));
    assert.equal((await server.call(`${url}?token=${server.token()}`, { key: null })).status, 200);
    assert.equal((await server.call(url, { key: null })).status, 401);

    const remove = (name: string) => server.call(`/api/v1/stream/recordings/${name}`, { method: 'DELETE' });
    const name = String(listed[1]!.name);
    assert.equal((await remove(name)).status, 200);
    assert.equal((await remove(name)).status, 404);
    assert.equal((await server.call(url)).status, 404);
    assert.equal((await list()).length, 1);
  });

  test('only plain names of .mp4 files can be deleted', async () => {
    const statusOf = async (name: string) =>
      (await server.call(`/api/v1/stream/recordings/${name}`, { method: 'DELETE' })).status;
    for (const name of [
      '..%2Fframes%2Fx.mp4',
      '%2e%2e%2fx.mp4',
      'x.jpg',
      '.mp4',
      'x.mp4%00.jpg',
      'a%5Cb.mp4',
    ])
      assert.equal(await statusOf(name), 400, name);
    assert.equal(await statusOf('nothing.mp4'), 404);
  });

  test('where there is no frame of a device, that is said, and nothing is made', async () => {
    const before = await list();
    const answer = await made(new URLSearchParams({ deviceId: 'nobody' }));
    assert.equal(answer.success, false);
    assert.match(answer.message!, /no frame of nobody/);
    assert.deepEqual(await list(), before);
  });

  test('recording needs the key, and a read token is no key', async () => {
    const path = '/api/v1/stream/record';
    assert.equal((await server.call(path, { method: 'POST', key: null })).status, 401);
    assert.equal(
      (await server.call(`${path}?token=${server.token()}`, { method: 'POST', key: null })).status,
      401,
    );
    const list = await fetch(`${server.url}/api/v1/stream/recordings`, { headers: { 'X-API-Key': API_KEY } });
    assert.equal(list.status, 200);
  });
});

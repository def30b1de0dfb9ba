import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const SIZE = { width: 64, height: 48 };

describe('the pictures of a board, without end', { timeout: 60_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ LIVE_VIEWERS: '2', MEDIASOUP_WORKER_BIN: '/nowhere/media' });
    await sendFrame(0);
  });
  after(() => server.dispose());

  async function sendFrame(grey: number, to = server): Promise<void> {
    const background = { r: grey, g: grey, b: grey };
    const jpeg = await sharp({ create: { ...SIZE, channels: 3, background } })
      .jpeg()
      .toBuffer();
    const response = await to.call('/api/v1/stream/stream', {
      method: 'POST',
      body: new Uint8Array(jpeg),
      headers: { 'Content-Type': 'image/jpeg', 'X-Device-Id': 'door-1' },
    });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
  }

  const watch = (signal?: AbortSignal, deviceId = 'door-1') =>
    server.call(`/api/v1/devices/${deviceId}/mjpeg`, { signal });

  async function viewers(): Promise<number> {
    const text = await (await server.call('/metrics')).text();
    return Number(/^face_live_viewers\{by="mjpeg"\} (\d+)$/m.exec(text)?.[1]);
  }

  /** The next picture of a stream, and what came behind it. */
  async function nextPicture(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    held: Buffer,
  ): Promise<{ jpeg: Buffer; rest: Buffer }> {
    for (let received = held; ; ) {
      const headEnd = received.indexOf('\r\n\r\n');
      const head = received.toString('latin1', 0, Math.max(0, headEnd));
      const length = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? Number.NaN);
      const start = headEnd + 4;
      if (headEnd >= 0 && received.length >= start + length + 2) {
        assert.match(head, /^--facepool-picture\r\nContent-Type: image\/jpeg\r\n/);
        return {
          jpeg: received.subarray(start, start + length),
          rest: received.subarray(start + length + 2),
        };
      }
      const { value, done } = await reader.read();
      assert.equal(done, false, 'the stream ended');
      received = Buffer.concat([received, value!]);
    }
  }

  test('each frame comes as a picture of its own, and nothing is left when the viewer goes', async () => {
    const leaving = new AbortController();
    const response = await watch(leaving.signal);
    assert.equal(response.status, 200);
    assert.equal(
      response.headers.get('Content-Type'),
      'multipart/x-mixed-replace; boundary=facepool-picture',
    );
    assert.equal(response.headers.get('Cache-Control'), 'no-store');
    assert.equal(response.headers.get('X-Accel-Buffering'), 'no');
    assert.equal(await viewers(), 1);
    const reader = response.body!.getReader();
    let rest: Buffer = Buffer.alloc(0);
    for (const grey of [60, 200]) {
      await sendFrame(grey);
      const next = await nextPicture(reader, rest);
      rest = next.rest;
      const { info, data } = await sharp(next.jpeg).raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height], [SIZE.width, SIZE.height]);
      assert.ok(Math.abs(data[0]! - grey) <= 8, `${data[0]} in place of ${grey}`);
    }
    leaving.abort();
    await until(async () => (await viewers()) === 0);
  });

  test('more viewers than the limit are told so, and let in when one has gone', async () => {
    const leaving = [new AbortController(), new AbortController(), new AbortController()];
    const first = await watch(leaving[0]!.signal);
    const second = await watch(leaving[1]!.signal);
    assert.deepEqual([first.status, second.status], [200, 200]);
    const refused = await watch();
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('Retry-After'), '10');
    assert.equal(((await refused.json()) as { code: string }).code, 'TOO_MANY_VIEWERS');
    leaving[0]!.abort();
    await until(async () => (await viewers()) === 1);
    assert.equal((await watch(leaving[2]!.signal)).status, 200);
    for (const each of leaving) each.abort();
    await until(async () => (await viewers()) === 0);
  });

  test('a board that is not known has none; who asks for the head alone is no viewer', async () => {
    const unknown = await watch(undefined, 'nobody-1');
    assert.equal(unknown.status, 404);
    assert.equal(((await unknown.json()) as { code: string }).code, 'NOT_FOUND');
    const head = await server.call('/api/v1/devices/door-1/mjpeg', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.match(head.headers.get('Content-Type')!, /^multipart\/x-mixed-replace/);
    assert.equal(await viewers(), 0);
  });

  test('those who watch do not hold up the end of the server', async () => {
    const own = await startTestServer({ MEDIASOUP_WORKER_BIN: '/nowhere/media' });
    try {
      await sendFrame(100, own);
      const response = await own.call('/api/v1/devices/door-1/mjpeg');
      assert.equal(response.status, 200);
      const ended = response.arrayBuffer().then(
        () => 'ended',
        () => 'ended',
      );
      await own.stop();
      assert.equal(await ended, 'ended');
      assert.ok(own.lines.every((line) => !line.includes('requests were cut off')));
    } finally {
      await own.dispose();
    }
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import WebSocket from 'ws';
import { childProcesses, ffmpegOrReason, LIVE_PROGRAMS, smallClip } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const { program, reason } = await ffmpegOrReason();
const PASSWORD = 'p@s:s/w%rd#1';

describe('saved cameras', { skip: reason, timeout: 120_000 }, () => {
  let camera: RtspServer;
  let server: TestServer;
  before(async () => {
    const clip = await smallClip(program!, { width: 320, height: 240, keyFrameIntervalFrames: 10 });
    camera = await RtspServer.start({
      clip,
      access: { scheme: 'Digest', user: 'admin', password: PASSWORD },
    });
    server = await startTestServer({
      SCAN_INTERVAL: '1',
      MAX_SAVED_CAMERAS: '2',
      MEDIASOUP_WORKER_BIN: '/nowhere/media',
    });
  });
  after(async () => {
    const encoded = encodeURIComponent(PASSWORD);
    assert.ok(server.lines.every((line) => !line.includes(PASSWORD) && !line.includes(encoded)));
    await server.dispose();
    await camera.close();
    assert.deepEqual(childProcesses(LIVE_PROGRAMS) ?? [], []);
  });

  const url = () => camera.url(`admin:${PASSWORD}`);
  async function call(method: string, path: string, body?: unknown) {
    const response = await server.call(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    const text = await response.text();
    assert.ok(!text.includes(PASSWORD) && !text.includes(encodeURIComponent(PASSWORD)), text);
    return { status: response.status, body: JSON.parse(text) };
  }
  const first = async () => (await call('GET', '/api/v1/cameras')).body.data[0];

  test('one is saved, shows what it sends, and tells its password to nobody', async () => {
    assert.deepEqual((await call('GET', '/api/v1/cameras')).body.data, []);
    const { status, body } = await call('POST', '/api/v1/cameras', { name: 'Hall', rtspUrl: url() });
    assert.equal(status, 201);
    assert.equal(body.data.cameraId, '1');
    await until(async () => (await first()).state === 'live');
    const { lastFrameAt, frameRate, restarts, faces, ...rest } = await first();
    assert.ok(faces === null || faces.length === 0, 'nobody is in the picture, once it is looked at');
    assert.ok(Date.now() - Date.parse(lastFrameAt) < 10_000 && restarts === 0);
    assert.ok(frameRate === null || Math.abs(frameRate - 25) < 3);
    assert.deepEqual(rest, {
      cameraId: '1',
      name: 'Hall',
      url: `rtsp://***@127.0.0.1:${camera.port}/stream`,
      saved: true,
      recognise: true,
      slots: [],
      state: 'live',
      trouble: null,
      width: 320,
      height: 240,
      codec: 'h264',
      preview: { kind: 'mjpeg', why: 'MEDIASOUP_WORKER_BIN: expected a program, received /nowhere/media' },
    });
  });

  test('its last picture, and the page hears of each one', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws?page=1`, {
      headers: { 'X-API-Key': server.apiKey },
    });
    const messages: { type: string; source?: unknown; url?: string; width?: number }[] = [];
    socket.on('message', (data) => messages.push(JSON.parse(String(data))));
    await until(() => messages.some(({ type }) => type === 'looked-at'));
    socket.terminate();
    const seen = messages.find(({ type }) => type === 'looked-at')!;
    assert.deepEqual(seen.source, { kind: 'camera', id: '1' });
    assert.equal(seen.width, 320);
    const response = await server.call(seen.url!);
    assert.equal(response.status, 200);
    assert.ok(Date.parse(response.headers.get('X-Frame-At')!) > 0);
    const { width, height, format } = await sharp(await response.arrayBuffer()).metadata();
    assert.deepEqual({ width, height, format }, { width: 320, height: 240, format: 'jpeg' });
  });

  test('as JPEG pictures without end, from one transcoder that ends with the last who watches', async () => {
    const before = childProcesses(LIVE_PROGRAMS)?.length ?? 0;
    const leaving = new AbortController();
    const response = await server.call('/api/v1/cameras/1/mjpeg', { signal: leaving.signal });
    assert.match(response.headers.get('Content-Type')!, /^multipart\/x-mixed-replace; boundary=/);
    let received = Buffer.alloc(0);
    const reader = response.body!.getReader();
    while (received.toString('latin1').split('Content-Type: image/jpeg').length < 4)
      received = Buffer.concat([received, (await reader.read()).value!]);
    const start = received.indexOf('\r\n\r\n') + 4;
    const length = Number(/Content-Length: (\d+)/.exec(received.toString('latin1', 0, start))![1]);
    const { width } = await sharp(received.subarray(start, start + length)).metadata();
    assert.equal(width, 320);
    leaving.abort();
    await until(() => (childProcesses(LIVE_PROGRAMS)?.length ?? 0) === before);
    assert.equal(camera.openConnections, 1);
  });

  test('its number is its address where there is no backend: for tests, pictures and sessions', async () => {
    const tested = await call('GET', '/api/v1/cameras/test-connection?cameraId=1');
    assert.equal(tested.body.data.connected, true);
    assert.equal(tested.body.data.rtspUrl, `rtsp://***@127.0.0.1:${camera.port}/stream`);
    const captured = await call('GET', '/api/v1/cameras/capture-frame?cameraId=1');
    assert.equal(captured.status, 200);
    const missing = await call('GET', '/api/v1/cameras/capture-frame?cameraId=9');
    assert.deepEqual([missing.status, missing.body.code], [404, 'CAMERA_NOT_FOUND']);
    const session = (id: number) => ({
      slotId: 7,
      roomId: 1,
      cameras: [{ id, name: 'Hall' }],
      students: [
        {
          userId: 1,
          fullName: 'A',
          rollNumber: 'A1',
          embeddingVersion: 1,
          embeddingVector: [1, ...Array(511).fill(0)],
        },
      ],
      config: { similarityThreshold: 0.85, scanInterval: 1, callbackUrl: 'http://127.0.0.1:9/callback' },
    });
    const unknown = await call('POST', '/api/v1/recognition/process-session', session(9));
    assert.deepEqual([unknown.status, unknown.body.code], [400, 'INVALID_FIELD']);
    assert.match(
      unknown.body.message,
      /^cameras\[0\]\.rtspUrl: expected .* \(no camera 9 is saved here\), received nothing/,
    );
    const started = await call('POST', '/api/v1/recognition/process-session', session(1));
    assert.deepEqual(
      [started.status, started.body.data?.activeCameras],
      [200, 1],
      JSON.stringify(started.body),
    );
    const stopped = await call('POST', '/api/v1/recognition/stop-session', { slotId: 7 });
    assert.equal(stopped.status, 200);
  });

  test('what is wrong with a camera is said, and nothing is saved', async () => {
    const bad = await call('POST', '/api/v1/cameras', { name: 'X', rtspUrl: 'http://127.0.0.1/x' });
    assert.deepEqual([bad.status, bad.body.success], [400, false]);
    const twice = await call('POST', '/api/v1/cameras', { name: 'Hall again', rtspUrl: url() });
    assert.equal(twice.status, 409);
    assert.equal((await call('GET', '/api/v1/cameras')).body.data.length, 1);
    assert.equal((await call('PUT', '/api/v1/cameras/5', { name: 'X' })).status, 404);
    assert.equal((await call('DELETE', '/api/v1/cameras/5')).status, 404);
  });

  test('a new name changes nothing of its connection; a wrong password is told', async () => {
    const connections = camera.connections;
    const renamed = await call('PUT', '/api/v1/cameras/1', { name: 'Great hall', recognise: false });
    assert.deepEqual([renamed.body.data.name, renamed.body.data.recognise], ['Great hall', false]);
    assert.equal(camera.connections, connections);
    await call('PUT', '/api/v1/cameras/1', { rtspUrl: camera.url('admin:wrong') });
    await until(async () => (await first()).trouble !== null);
    assert.match((await first()).trouble, /401 Unauthorized/);
    await call('PUT', '/api/v1/cameras/1', { rtspUrl: url() });
    await until(async () => (await first()).state === 'live');
  });

  test('a deleted one is gone, with its connection', async () => {
    assert.equal((await call('DELETE', '/api/v1/cameras/1')).status, 200);
    assert.deepEqual((await call('GET', '/api/v1/cameras')).body.data, []);
    await until(() => camera.openConnections === 0);
    assert.equal((await call('GET', '/api/v1/cameras/1/picture')).status, 404);
  });
});

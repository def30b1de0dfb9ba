import assert from 'node:assert/strict';
import { readFile, stat, utimes } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { TEST_KEY } from '../support/attendance.ts';
import { type AttendanceBed, openAttendanceBed } from '../support/attendance-bed.ts';
import type { AttendanceServer } from '../support/attendance-server.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { ffmpegOrReason, smallClip } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';

const { program, reason } = await ffmpegOrReason();
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const PASSWORD = 'p@s:s/w%rd#1';

describe('cameras over HTTP', { skip: reason, timeout: 120_000 }, () => {
  let bed: AttendanceBed;
  let server: AttendanceServer;
  let backend: Backend;
  let camera: RtspServer;

  before(async () => {
    const clip = await smallClip(program!);
    camera = await RtspServer.start({
      clip,
      access: { scheme: 'Digest', user: 'admin', password: PASSWORD },
    });
    backend = await startBackend();
    bed = await openAttendanceBed(program!, { JAVA_BACKEND_URL: `${backend.url}/` });
    server = bed.server;
  });
  after(async () => {
    // Neither logs nor anything else of the server tells a camera's password.
    assert.ok(
      server.lines.every((line) => !line.includes(PASSWORD) && !line.includes(encodeURIComponent(PASSWORD))),
    );
    await camera.close();
    await backend.close();
    await bed.close();
  });

  const url = () => camera.url(`admin:${PASSWORD}`);
  const query = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
  const testConnection = (rtspUrl: string) =>
    server.ask(`/api/v1/cameras/test-connection?${query({ rtspUrl })}`);
  const capture = (fields: Record<string, string>) =>
    server.ask(`/api/v1/cameras/capture-frame?${query(fields)}`);

  test('a camera that works is told with rate, size, latency and stability', async () => {
    const { status, body } = await testConnection(url());
    assert.equal(status, 200);
    assert.equal(body.message, 'Camera connection successful');
    const { frameRate, latency, testedAt, ...rest } = body.data;
    assert.deepEqual(rest, {
      rtspUrl: url(),
      connected: true,
      resolution: { width: 160, height: 120 },
      stability: 'stable',
    });
    assert.ok(Math.abs(frameRate - 25) < 1);
    assert.ok(Number.isInteger(latency) && latency > 0);
    assert.match(testedAt, TIME);
  });

  test('a camera that does not answer as it should is told with the reason, and still with 200', async () => {
    const { status, body } = await testConnection(camera.url('admin:wrong'));
    assert.equal(status, 200);
    assert.equal(body.message, 'Camera connection failed');
    const { testedAt, error, ...rest } = body.data;
    assert.deepEqual(rest, { rtspUrl: camera.url('admin:wrong'), connected: false });
    assert.match(error, /401/);
    assert.match(testedAt, TIME);
    assert.equal((await testConnection('rtsp://127.0.0.1:1/x')).body.data.error, 'Connection refused');
  });

  test('without a URL, or with one of another kind, nothing is tried', async () => {
    assert.deepEqual((await server.ask('/api/v1/cameras/test-connection')).body, {
      status: 400,
      message: 'RTSP URL is required',
      code: 'RTSP_URL_REQUIRED',
    });
    for (const rtspUrl of ['http://127.0.0.1/', 'file:///etc/passwd', '/etc/passwd', '-i'])
      assert.equal((await testConnection(rtspUrl)).status, 400);
  });

  test('a frame comes as base64', async () => {
    const { status, body } = await capture({ rtspUrl: url() });
    assert.equal(status, 200);
    assert.equal(body.message, 'Frame captured successfully');
    const { image, capturedAt, ...rest } = body.data;
    assert.deepEqual(rest, { rtspUrl: url(), format: 'base64', resolution: { width: 160, height: 120 } });
    assert.match(capturedAt, TIME);
    const jpeg = Buffer.from(image.slice('data:image/jpeg;base64,'.length), 'base64');
    const { format, width, height } = await sharp(jpeg).metadata();
    assert.deepEqual([format, width, height], ['jpeg', 160, 120]);
  });

  test('a frame comes as a file that is served, with the key or a read token, for an hour', async () => {
    const { body } = await capture({ rtspUrl: url(), format: 'file' });
    const { filePath, fileUrl, format } = body.data;
    assert.equal(format, 'file');
    assert.match(fileUrl, /^\/api\/v1\/files\/camera_preview_\d+_[0-9a-f]+\.jpg$/);
    const answer = await server.call(fileUrl);
    assert.equal(answer.headers.get('Content-Type'), 'image/jpeg');
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), await readFile(filePath));
    assert.equal((await stat(filePath)).mode & 0o077, 0);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(filePath, anHourAgo, anHourAgo);
    assert.equal((await server.call(fileUrl)).status, 404);
    assert.equal((await server.call('/api/v1/files/..%2f..%2fetc%2fpasswd')).status, 404);
  });

  test('a camera is looked up at the backend, with the key', async () => {
    backend.answer = ({ path }, res) => {
      if (path === '/api/v1/cameras/5')
        res.end(JSON.stringify({ status: 200, data: { id: 5, rtspUrl: url() } }));
      else if (path === '/api/v1/cameras/6') res.end(JSON.stringify({ rtspUrl: url() }));
      else if (path === '/api/v1/cameras/7') res.writeHead(500).end();
      else res.writeHead(404).end();
    };
    const { body } = await capture({ cameraId: '5' });
    assert.equal(body.data.cameraId, 5);
    assert.equal(body.data.rtspUrl, url());
    assert.equal(backend.requests.at(-1)!.apiKey, TEST_KEY);
    assert.equal((await capture({ cameraId: '6' })).status, 200);
    assert.equal((await capture({ cameraId: '7' })).body.code, 'FRAME_CAPTURE_FAILED');
    assert.deepEqual((await capture({ cameraId: '8' })).body, {
      status: 404,
      message: 'Camera not found: 8',
      code: 'CAMERA_NOT_FOUND',
    });
    assert.equal((await capture({ cameraId: '70000' })).body.code, 'INVALID_FIELD');
  });

  test('what is missing and what fails is told as the contract says', async () => {
    assert.deepEqual((await server.ask('/api/v1/cameras/capture-frame')).body, {
      status: 400,
      message: 'Either cameraId or rtspUrl is required',
      code: 'CAMERA_ID_OR_RTSP_URL_REQUIRED',
    });
    assert.deepEqual((await capture({ rtspUrl: 'rtsp://127.0.0.1:1/x' })).body, {
      status: 500,
      message: 'Failed to capture frame: Connection refused',
      code: 'FRAME_CAPTURE_FAILED',
    });
    assert.equal((await capture({ rtspUrl: url(), format: 'png' })).body.code, 'INVALID_FIELD');
  });
});

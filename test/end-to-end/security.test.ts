import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import type { Route } from '../../server/http/route.ts';
import { openDoor, UNDESCRIBED } from '../support/door.ts';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer({ LOG_LEVEL: 'trace', MAX_CONNECTIONS: '40' });
});
after(() => server?.dispose());

const post = (path: string, body: unknown, init: RequestInit = {}) =>
  server.call(path, {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
    headers: { 'Content-Type': 'application/json', ...init.headers },
  });

test('secrets that pass through requests are in no line of the log, at its most talkative', async () => {
  const password = 'planted-password-7361';
  const token = ((await (await server.call('/api/v1/token')).json()) as { token: string }).token;
  const link = new URL(server.signInLink());
  const signedIn = await post(
    '/api/v1/sign-in',
    { key: server.apiKey },
    { headers: { 'X-Requested-With': 'facepool' } },
  );
  const cookie = /facepool_session=([^;]+)/.exec(signedIn.headers.get('Set-Cookie') ?? '')?.[1];
  assert.ok(cookie);
  const camera = `rtsp://admin:${password}@127.0.0.1:9/stream?user=admin&password=${password}`;
  await server.call(`${link.pathname}${link.search}`, { key: null, redirect: 'manual' });
  await server.call(`/api/v1/stream/frames?token=${token}`, { key: null });
  await server.call('/api/v1/devices', { key: 'planted-wrong-key-1234' });
  await server.call('/api/v1/devices', {
    key: null,
    headers: { Authorization: 'Bearer planted-wrong-key-1234' },
  });
  await server.call('/api/v1/devices', { key: null, headers: { Cookie: `facepool_session=${cookie}` } });
  await server.call(`/api/v1/cameras/test-connection?rtspUrl=${encodeURIComponent(camera)}`);
  await server.call(`/api/v1/cameras/capture-frame?rtspUrl=${encodeURIComponent(camera)}`);
  await post('/api/v1/embeddings/generate', {
    videoUrl: `http://u:${password}@127.0.0.1:9/a.mp4`,
    submissionId: 1,
  });
  await post('/api/v1/recognition/process-session', {
    slotId: 1,
    roomId: 1,
    students: [
      {
        userId: 1,
        fullName: 'A',
        rollNumber: '1',
        embeddingVector: Array(512).fill(0.1),
        embeddingVersion: 1,
      },
    ],
    cameras: [{ id: 1, name: 'door', rtspUrl: camera }],
    config: { similarityThreshold: 0.85, scanInterval: 5, callbackUrl: `http://u:${password}@127.0.0.1:9/` },
  });
  const log = server.lines.join('');
  assert.match(log, /process-session/);
  const planted = {
    password,
    key: server.apiKey,
    wrongKey: 'planted-wrong-key-1234',
    token,
    cookie,
    link: link.search.slice(6),
  };
  for (const [what, secret] of Object.entries(planted))
    assert.ok(!log.includes(secret), `${what} is in the log`);
});

test('an unexpected error shows nothing of the inside and is in the log', async () => {
  const route: Route = {
    method: 'GET',
    path: '/broken',
    access: 'public',
    description: UNDESCRIBED,
    handle: () => {
      throw new TypeError('inside: /etc/secret');
    },
  };
  const door = await openDoor(server, 'open', { routes: [route] });
  try {
    const response = await fetch(`http://127.0.0.1:${door.port}/broken`);
    assert.equal(response.status, 500);
    const text = await response.text();
    assert.doesNotMatch(text, /inside|secret|TypeError/);
    assert.match(text, new RegExp(response.headers.get('x-request-id')!));
    assert.match(server.lines.join(''), /inside: \/etc\/secret/);
  } finally {
    await door.stop(100);
  }
});

test('text that looks like SQL, markup or a format stays text', async () => {
  const deviceName = `Robert'); DROP TABLE devices; -- <b>%s</b> \${x} \\`;
  const deviceId = `d' OR '1'='1`;
  assert.equal((await post('/api/v1/devices/register', { deviceId, deviceName })).status, 200);
  const { devices } = (await (await server.call('/api/v1/devices')).json()) as {
    devices: { id: string; name: string }[];
  };
  assert.deepEqual(
    devices.map(({ id, name }) => ({ id, name })),
    [{ id: deviceId, name: deviceName }],
  );
  await post('/api/v1/ingest/sensor-data', { deviceId, timestamp: 1, note: deviceName });
  const read = await server.call(`/api/v1/ingest/sensor-data?deviceId=${encodeURIComponent(deviceId)}`);
  assert.ok((await read.text()).includes(JSON.stringify(deviceName).slice(1, -1)));
  const others = await server.call(
    `/api/v1/ingest/sensor-data?deviceId=${encodeURIComponent("x' OR '1'='1")}`,
  );
  assert.deepEqual(((await others.json()) as { data: unknown[] }).data, []);
});

test('a body cannot change what objects inherit', async () => {
  const polluted =
    '{"deviceId":"p","timestamp":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
  const answer = await server.call('/api/v1/ingest/sensor-data', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: polluted,
  });
  assert.ok(answer.status === 200 || answer.status === 400);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('a flood of headers is refused, whether they are many or long', async () => {
  const many = Array.from({ length: 3000 }, (_, i) => `X-${i}: 1`).join('\r\n');
  for (const headers of [many, `X-Long: ${'a'.repeat(20_000)}`]) {
    const { status } = await exchange(server.port, [`GET /health HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n`]);
    assert.equal(status, 431);
  }
});

test('connections beyond the limit are closed and counted, and the others are served', async () => {
  const sockets: Socket[] = [];
  let closed = 0;
  for (let i = 0; i < 60; i++) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    sockets.push(socket);
    await once(socket, 'connect');
  }
  while (closed < 20) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const socket of sockets) socket.destroy();
  while (closed < 60) await new Promise((resolve) => setTimeout(resolve, 20));
  const metrics = await (await server.call('/metrics')).text();
  const refused = /face_http_requests_refused_total\{reason="connections"\} (\d+)/.exec(metrics)?.[1];
  assert.ok(Number(refused) >= 20);
});

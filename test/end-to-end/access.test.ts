import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccessControl } from '../../server/http/api-key.ts';
import type { Access, Route } from '../../server/http/route.ts';
import type { HttpServer } from '../../server/http/server.ts';
import { openDoor, UNDESCRIBED } from '../support/door.ts';
import { API_KEY, DEVICE_KEY, startTestServer, type TestServer } from '../support/server.ts';

/** One running server; its routes once more behind doors of each mode. */
let server: TestServer;
const doors = new Map<string, HttpServer>();
before(async () => {
  server = await startTestServer();
  for (const mode of ['devices', 'strict', 'open'] as const) doors.set(mode, await openDoor(server, mode));
});
after(async () => {
  for (const door of doors.values()) await door.stop(100);
  await server?.dispose();
});

const CREDENTIALS = {
  nothing: {},
  'a wrong key': { 'X-API-Key': 'wrong' },
  'the device key': { 'X-API-Key': DEVICE_KEY },
  'the API key': { 'X-API-Key': API_KEY },
  'a read token': {},
} as const;
type Credential = keyof typeof CREDENTIALS;

/** Who may pass: the contract's table. What is not named may not. */
const ALL = Object.keys(CREDENTIALS) as Credential[];
const MAY_PASS: Readonly<Record<string, Readonly<Record<Access, readonly Credential[]>>>> = {
  devices: {
    public: ALL,
    board: ALL,
    read: ['the API key', 'a read token'],
    key: ['the API key'],
    always: ['the API key'],
  },
  strict: {
    public: ALL,
    board: ['the API key', 'the device key'],
    read: ['the API key', 'a read token'],
    key: ['the API key'],
    always: ['the API key'],
  },
  open: { public: ALL, board: ALL, read: ALL, key: ALL, always: ['the API key'] },
};

/** What each route must be, written down once more by hand: a route whose access changes, or that is new, has to be named here. */
const EXPECTED_ACCESS: Readonly<Record<string, Access>> = {
  'GET /': 'public',
  'GET /sign-in': 'public',
  'GET /page/:name': 'public',
  'GET /api/v1/sign-in': 'public',
  'POST /api/v1/sign-in': 'public',
  'POST /api/v1/sign-out': 'always',
  'GET /api/v1': 'public',
  'GET /health': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /metrics': 'always',
  'GET /api/v1/openapi.json': 'public',
  'GET /api/docs': 'public',
  'GET /api/docs.css': 'public',
  'POST /api/v1/devices/register': 'board',
  'POST /api/v1/devices/heartbeat': 'board',
  'GET /api/v1/devices': 'key',
  'POST /api/v1/devices/:deviceId/command': 'key',
  'GET /api/v1/last-frames': 'read',
  'GET /api/v1/stream/frames/bundle': 'read',
  'GET /api/v1/devices/:deviceId/last-frame': 'read',
  'GET /api/v1/devices/:deviceId/last-frame/original.jpg': 'read',
  'POST /api/v1/ingest/sensor-data': 'board',
  'GET /api/v1/ingest/sensor-data': 'key',
  'POST /api/v1/stream/record': 'key',
  'GET /api/v1/stream/recordings': 'read',
  'DELETE /api/v1/stream/recordings/:filename': 'key',
  'GET /recordings/:filename': 'read',
  'GET /api/v1/system/status': 'key',
  'GET /api/v1/health': 'public',
  'POST /api/v1/recognition/process-session': 'always',
  'POST /api/v1/recognition/stop-session': 'always',
  'GET /api/v1/recognition/sessions': 'always',
  'POST /api/v1/embeddings/generate': 'always',
  'POST /api/v1/embeddings/validate': 'always',
  'GET /api/v1/cameras/test-connection': 'always',
  'GET /api/v1/cameras': 'key',
  'POST /api/v1/cameras': 'key',
  'PUT /api/v1/cameras/:cameraId': 'key',
  'DELETE /api/v1/cameras/:cameraId': 'key',
  'GET /api/v1/cameras/:cameraId/picture': 'read',
  'GET /api/v1/cameras/:cameraId/mjpeg': 'read',
  'GET /api/v1/devices/:deviceId/mjpeg': 'read',
  'GET /api/v1/live': 'key',
  'POST /api/v1/live/viewers': 'key',
  'POST /api/v1/live/viewers/:viewerId/connect': 'key',
  'POST /api/v1/live/viewers/:viewerId/consume': 'key',
  'POST /api/v1/live/viewers/:viewerId/resume': 'key',
  'DELETE /api/v1/live/viewers/:viewerId': 'key',
  'GET /api/v1/cameras/capture-frame': 'always',
  'GET /api/v1/files/:name': 'always',
  'GET /api/v1/metrics': 'always',
  'GET /api/v1/token': 'always',
  'POST /recognize': 'board',
  'POST /api/v1/recognize': 'board',
  'POST /api/v1/stream/stream': 'board',
  'GET /api/v1/stream/frames': 'read',
  'GET /data/:name': 'read',
  'POST /api/v1/recognition/add-permitted-face': 'key',
  'GET /api/v1/recognition/permitted-faces': 'key',
  'DELETE /api/v1/recognition/permitted-faces/:name': 'key',
  'GET /api/v1/page/detector': 'key',
  'GET /api/v1/page/detector/:file': 'key',
  'POST /api/v1/recognition/permitted-faces/from-frame': 'key',
  'GET /api/v1/recognition/permitted-faces/:name/pictures': 'key',
  'GET /api/v1/recognition/permitted-faces/:name/pictures/:pictureId': 'key',
  'DELETE /api/v1/recognition/permitted-faces/:name/pictures/:pictureId': 'key',
};

async function statusOf(port: number, route: Route, credential: Credential): Promise<number> {
  const url = new URL(`http://127.0.0.1:${port}${route.path.replace(/:\w+/g, 'nobody_1.jpg')}`);
  if (credential === 'a read token') url.searchParams.set('token', await readToken());
  const response = await fetch(url, { method: route.method, headers: CREDENTIALS[credential] });
  await response.arrayBuffer();
  return response.status;
}

async function readToken(): Promise<string> {
  const response = await server.call('/api/v1/token');
  return ((await response.json()) as { token: string }).token;
}

test('every route is of the access that the contract gives it', () => {
  const found = Object.fromEntries(
    server.routes.map((route) => [`${route.method} ${route.path}`, route.access]),
  );
  assert.deepEqual(found, EXPECTED_ACCESS);
});

for (const mode of ['devices', 'strict', 'open']) {
  test(`with ACCESS=${mode} every route lets in whom it must and nobody else`, async () => {
    for (const route of server.routes) {
      for (const credential of ALL) {
        const status = await statusOf(doors.get(mode)!.port, route, credential);
        const shouldPass = MAY_PASS[mode]![route.access].includes(credential);
        assert.equal(
          status !== 401,
          shouldPass,
          `${route.method} ${route.path} with ${credential}: ${status}`,
        );
        assert.notEqual(status, 500);
      }
    }
  });
}

test('the attendance API refuses in its own words', async () => {
  const route: Route = {
    method: 'GET',
    path: '/x',
    access: 'always',
    envelope: 'attendance',
    description: UNDESCRIBED,
    handle: () => {},
  };
  const door = await openDoor(server, 'open', { routes: [route] });
  try {
    const response = await fetch(`http://127.0.0.1:${door.port}/x`);
    assert.deepEqual(await response.json(), {
      status: 401,
      message: 'Invalid or missing API key',
      code: 'INVALID_API_KEY',
    });
  } finally {
    await door.stop(100);
  }
});

test('a token is bound to its time and cannot be changed', async () => {
  const token = await readToken();
  const call = (value: string) => server.call(`/api/v1/stream/frames?token=${value}`, { key: null });
  assert.equal((await call(token)).status, 200);
  const [expiry, signature] = token.split('.') as [string, string];
  const later = (Number.parseInt(expiry, 36) + 1000).toString(36);
  assert.equal((await call(`${later}.${signature}`)).status, 401);
  assert.equal((await call(`${expiry}.${'A'.repeat(43)}`)).status, 401);
  assert.equal((await call('')).status, 401);
  const access = createAccessControl({
    mode: 'devices',
    apiKey: API_KEY,
    deviceKey: undefined,
    tokenLifetimeS: 60,
  });
  const expired = access.issueReadToken(new Date(Date.now() - 61_000));
  assert.equal((await call(expired.token)).status, 401);
  const ofAnotherKey = createAccessControl({
    mode: 'devices',
    apiKey: `${API_KEY}x`,
    deviceKey: undefined,
    tokenLifetimeS: 60,
  });
  assert.equal((await call(ofAnotherKey.issueReadToken().token)).status, 401);
});

test('a token does not make another token', async () => {
  assert.equal((await server.call(`/api/v1/token?token=${await readToken()}`, { key: null })).status, 401);
});

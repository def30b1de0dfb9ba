import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { rgb565Frame } from '../support/pictures.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createSshd, freePort, PASSPHRASE, WITHOUT_SSHD } from '../support/sshd.ts';
import { until } from '../support/until.ts';

/** As the older services were: no keys anywhere. */
let server: TestServer;
let frame: Buffer;
before(async () => {
  server = await startTestServer({ ACCESS: 'open', WORKER_THREADS: '2' });
  frame = await rgb565Frame(0);
});
after(() => server.dispose());

const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  fetch(server.url + path, { method: 'POST', body, headers });
const sendFrame = (headers: Record<string, string> = {}) =>
  post('/api/v1/stream/stream', new Uint8Array(frame), {
    'Content-Type': 'application/octet-stream',
    'X-Frame-Width': '320',
    'X-Frame-Height': '240',
    'X-Frame-Format': 'RGB565',
    ...headers,
  });

test('a frame of a board with three headers and nothing else is told to those who listen', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const messages: Record<string, unknown>[] = [];
  client.on('message', (text) => messages.push(JSON.parse(String(text)) as Record<string, unknown>));
  await until(() => messages.length === 1);
  const answer = (await (await sendFrame()).json()) as Record<string, unknown>;
  assert.equal(answer.deviceId, 'unknown_device');
  await until(() => messages.length === 2);
  const { timestamp, ...told } = messages[1]!;
  assert.equal(typeof timestamp, 'number');
  assert.deepEqual(told, {
    type: 'new_frame',
    deviceId: 'unknown_device',
    filename: answer.filename,
    url: answer.url,
    recognition: {
      status: answer.recognitionStatus,
      recognizedAs: answer.recognizedAs,
      confidence: answer.confidence,
      error: null,
    },
  });
  client.terminate();
});

test('a frame is a sign of life of its board, a refused one an error of it', async () => {
  await post('/api/v1/devices/register', new URLSearchParams({ deviceId: 'cam-1', deviceName: 'Door' }));
  await sendFrame({ 'X-Device-Id': 'cam-1' });
  assert.equal((await sendFrame({ 'X-Device-Id': 'cam-1', 'X-Frame-Width': '321' })).status, 400);
  const { devices } = (await (await fetch(`${server.url}/api/v1/devices`)).json()) as {
    devices: { id: string; status: string; errorCount: number; errors: string[] }[];
  };
  const board = devices.find(({ id }) => id === 'cam-1')!;
  assert.deepEqual([board.status, board.errorCount], ['online', 1]);
  assert.match(board.errors[0]!, /expected 154080 bytes/);
  assert.equal(
    devices.some(({ id }) => id === 'unknown_device'),
    false,
  );
});

test('the last frames of a board become a video that is served with ranges', async () => {
  for (let i = 0; i < 3; i++) await sendFrame({ 'X-Device-Id': 'cam-2' });
  const body = JSON.stringify({ deviceId: 'cam-2' });
  const response = await post('/api/v1/stream/record', body, { 'Content-Type': 'application/json' });
  const { success, data } = (await response.json()) as {
    success: boolean;
    data: { frameCount: number; videoUrl: string };
  };
  assert.deepEqual([success, data.frameCount], [true, 3]);
  const part = await fetch(server.url + data.videoUrl, { headers: { Range: 'bytes=4-7' } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), 'ftyp');
});

test('one board that sends as fast as it can does not keep the others from being served', {
  timeout: 60_000,
}, async () => {
  let flooding = true;
  const counts = new Map<number, number>();
  const flood = Promise.all(
    Array.from({ length: 24 }, async () => {
      while (flooding) {
        const response = await sendFrame({ 'X-Device-Id': 'flooder' });
        await response.arrayBuffer();
        counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
        if (response.status === 429) assert.equal(response.headers.get('retry-after'), '1');
      }
    }),
  );
  const others = Array.from({ length: 20 }, (_, i) => `quiet-${i}`);
  for (const deviceId of others) assert.equal((await sendFrame({ 'X-Device-Id': deviceId })).status, 200);
  flooding = false;
  await flood;
  assert.deepEqual([...counts.keys()].sort(), [200, 429]);
  const { values } = await server.metrics.queueDrops.get();
  const superseded = values.find(({ labels }) => labels.reason === 'superseded')!.value;
  assert.equal(superseded, counts.get(429));
});

test('names that lead elsewhere stay where they belong', async () => {
  const response = await sendFrame({ 'X-Device-Id': '../../../../tmp/evil' });
  const { filename } = (await response.json()) as { filename: string };
  assert.ok(readdirSync(join(server.dataDir, 'frames')).includes(filename));
  for (const path of ['/data/..%2Fapi-key', '/recordings/..%2Fapi-key', '/data/%2e%2e/api-key'])
    assert.equal((await fetch(server.url + path)).status, 404);
});

test('the server is reached through its tunnel, says so, and counts those calls together', {
  skip: WITHOUT_SSHD,
  timeout: 60_000,
}, async () => {
  const sshd = await createSshd();
  await sshd.start();
  const port = await freePort();
  const tunnelled = await startTestServer({
    PUBLIC_VPS_IP: '127.0.0.1',
    SSH_SERVER_PORT: String(sshd.port),
    SSH_USER: sshd.user,
    SSH_PRIVATE_KEY_PATH: sshd.clientKey,
    SSH_PASSPHRASE: PASSPHRASE,
    SSH_HOST_KEY_SHA256: await sshd.fingerprint(),
    PUBLIC_PORT: String(port),
    RATE_LIMIT_MAX: '2',
    RATE_LIMIT_WINDOW_MS: '86400000',
  });
  try {
    const isActive = async () =>
      ((await (await fetch(`${tunnelled.url}/health`)).json()) as { ssh_tunnel_active: boolean })
        .ssh_tunnel_active;
    await until(isActive);
    const statusOf = async (url: string) => (await fetch(`${url}/api/v1/health`)).status;
    const through = `http://127.0.0.1:${port}`;
    assert.deepEqual(
      [await statusOf(through), await statusOf(through), await statusOf(through)],
      [200, 200, 429],
    );
    assert.equal(await statusOf(tunnelled.url), 200);
    assert.doesNotMatch(tunnelled.lines.join(''), new RegExp(PASSPHRASE));
    await sshd.kill();
    await until(async () => !(await isActive()));
  } finally {
    await tunnelled.dispose();
    await sshd.dispose();
  }
});

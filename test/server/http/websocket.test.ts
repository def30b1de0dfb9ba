import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import WebSocket, { type ClientOptions } from 'ws';
import {
  type DeviceServer,
  type DeviceServerOptions,
  startDeviceServer,
} from '../../support/device-server.ts';
import { exchange } from '../../support/raw-http.ts';
import { API_KEY, DEVICE_KEY } from '../../support/server.ts';
import { until } from '../../support/until.ts';

let shared: DeviceServer;
const servers: DeviceServer[] = [];
const clients: WebSocket[] = [];
before(async () => {
  shared = await startDeviceServer();
});
after(() => shared.dispose());
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  for (const server of servers.splice(0)) await server.dispose();
  await until(async () => (await shared.webSocketClients()) === 0);
});

async function start(options: DeviceServerOptions): Promise<DeviceServer> {
  const server = await startDeviceServer(options);
  servers.push(server);
  return server;
}

interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface Connected {
  readonly client: WebSocket;
  readonly messages: Message[];
}

const KEY = { headers: { 'X-API-Key': API_KEY } };

/** A client that has been greeted. @throws the HTTP status where it was refused */
function open(server: DeviceServer, path = '/', options: ClientOptions = KEY): Promise<Connected> {
  const client = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, options);
  clients.push(client);
  const messages: Message[] = [];
  return new Promise((resolve, reject) => {
    client.on('message', (text) => {
      messages.push(JSON.parse(String(text)) as Message);
      resolve({ client, messages });
    });
    client.once('unexpected-response', (_request, response) => {
      reject(response.statusCode);
      client.terminate();
    });
    client.on('error', () => {});
  });
}

const reading = (n: number, text = '') => ({ type: 'sensor-data', data: { n, text }, timestamp: n }) as const;

test('a client is greeted on any path, and hears what is broadcast', async () => {
  const all = await Promise.all(['/', '/ws', '/any/thing?x=1'].map((path) => open(shared, path)));
  for (const { messages } of all) {
    assert.deepEqual(Object.keys(messages[0]!), ['type', 'status', 'timestamp']);
    assert.deepEqual([messages[0]!.type, messages[0]!.status], ['connection', 'connected']);
  }
  shared.publish(reading(1));
  await until(() => all.every(({ messages }) => messages.length === 2));
  for (const { messages } of all) assert.deepEqual(messages[1], reading(1));
});

test('commands, and devices whose status changes, are told', async () => {
  const { messages } = await open(shared);
  await shared.post('/api/v1/devices/register', { deviceId: 'told', deviceName: 'Told' });
  await shared.post('/api/v1/devices/told/command', { command: 'restart', params: { in: 5 } }, API_KEY);
  await until(() => messages.length === 4);
  assert.deepEqual(
    messages.slice(1).map(({ timestamp: _, lastSeen: __, ...message }) => message),
    [
      { type: 'device-status', deviceId: 'told', deviceName: 'Told', status: 'online' },
      { type: 'device-status', deviceId: 'told', deviceName: 'Told', status: 'maintenance' },
      { type: 'command', deviceId: 'told', command: 'restart', params: { in: 5 } },
    ],
  );
});

test('a frame that was stored is told, and is a sign of life of its board', async () => {
  const { messages } = await open(shared);
  const page = await open(shared, '/ws?page=1');
  const frame = {
    deviceId: 'seen',
    filename: 'seen_1.jpg',
    url: '/data/seen_1.jpg',
    recognition: { status: 'recognized', recognizedAs: 'Anna', confidence: 0.93, error: null },
  } as const;
  const face = {
    box: { x: 10, y: 20, width: 60, height: 70 },
    recognizedAs: 'Anna',
    similarity: 0.93,
    score: 0.99,
  };
  shared.frameEvents.stored({ deviceId: 'seen', ipAddress: '10.0.0.5' }, frame, {
    createdAt: new Date(1000),
    width: 320,
    height: 240,
    faces: [face],
    enhancement: null,
    sensor: {},
    warnings: [],
    original: null,
  });
  await until(() => page.messages.length === 3);
  const { score: _score, ...drawn } = face;
  assert.deepEqual(page.messages[2], {
    type: 'looked-at',
    source: { kind: 'device', id: 'seen' },
    at: 1000,
    url: frame.url,
    width: 320,
    height: 240,
    faces: [drawn],
  });
  // Whoever knows only the contract has heard of the frame in its words, and nothing of what is for the page alone.
  assert.equal(messages.length, 3);
  const { timestamp, ...told } = messages[2]!;
  assert.deepEqual(told, { type: 'new_frame', ...frame });
  assert.ok(Math.abs(Number(timestamp) - Date.now()) < 5000);
  assert.equal(shared.registry.get('seen')!.status, 'unregistered');
  shared.frameEvents.refused('seen', 'body: expected 153600 bytes');
  assert.equal(shared.registry.get('seen')!.errorCount, 1);
});

test('the key or a read token lets in, nothing else does', async () => {
  await open(shared, `/ws?token=${shared.token()}`, {});
  for (const [path, options] of [
    ['/', {}],
    ['/', { headers: { 'X-API-Key': 'wrong' } }],
    ['/', { headers: { 'X-API-Key': DEVICE_KEY } }],
    ['/?token=1.AAAA', {}],
  ] as const)
    await assert.rejects(open(shared, path, options), (status) => status === 401);
});

test('a refusal tells why, in the words of the API', async () => {
  const { status, body } = await exchange(shared.port, [
    'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  ]);
  assert.equal(status, 401);
  assert.equal((JSON.parse(body) as { success: boolean; code: string }).code, 'INVALID_API_KEY');
});

test('with ACCESS=open no key is needed, but pages of other sites are refused', async () => {
  const server = await start({ mode: 'open', settings: { CORS_ORIGIN: ['https://page.example'] } });
  const from = (origin?: string) => open(server, '/', origin === undefined ? {} : { origin });
  await from();
  await from(`http://127.0.0.1:${server.port}`);
  await from('https://page.example');
  for (const origin of [
    'https://evil.example',
    'null',
    `http://127.0.0.1:${server.port + 1}`,
    'https://page.example.evil',
  ])
    await assert.rejects(from(origin), (status) => status === 403);
  // A page cannot set this header; a program that can knows the key.
  await open(server, '/', { origin: 'https://evil.example', ...KEY });
});

test('an upgrade to something else is answered as if nobody had asked for one', async () => {
  const { status } = await exchange(shared.port, [
    `GET /api/v1/devices HTTP/1.1\r\nHost: x\r\nX-API-Key: ${API_KEY}\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n`,
  ]);
  assert.equal(status, 200);
});

test('no more clients than may be are let in', async () => {
  const server = await start({ settings: { WEBSOCKET_CLIENTS: 2 } });
  await open(server);
  const second = await open(server);
  await assert.rejects(open(server), (status) => status === 503);
  second.client.close();
  await until(async () => (await server.webSocketClients()) === 1);
  await open(server);
});

test('what clients say is not listened to, and whoever says much is sent away', async () => {
  const { client, messages } = await open(shared);
  client.send('hello');
  client.send(Buffer.alloc(1000));
  shared.publish(reading(1));
  await until(() => messages.length === 2);
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.send('x'.repeat(2000));
  assert.equal(await closed, 1009);
  const talker = await open(shared);
  const ended = new Promise((resolve) => talker.client.once('close', resolve));
  for (let i = 0; i < 200; i++) talker.client.send('again');
  assert.equal(await ended, 1008);
});

test('frames that are no WebSocket end their own connection and nothing else', async () => {
  const { messages } = await open(shared);
  const broken = await open(shared);
  const socket = (broken.client as unknown as { _socket: Socket })._socket;
  const closed = new Promise((resolve) => broken.client.once('close', resolve));
  socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  await closed;
  shared.publish(reading(1));
  await until(() => messages.length === 2);
});

test('a client that answers no ping is let go', async () => {
  const server = await start({ pingEveryMs: 50 });
  const alive = await open(server);
  const dead = await open(server, '/', { ...KEY, autoPong: false });
  await new Promise((resolve) => dead.client.once('close', resolve));
  assert.equal(alive.client.readyState, WebSocket.OPEN);
});

test('the end of the server says good-bye', async () => {
  const server = await startDeviceServer();
  const { client } = await open(server);
  const closed = new Promise((resolve) => client.once('close', resolve));
  await server.dispose();
  assert.equal(await closed, 1001);
});

test('of 500 clients, 50 that never read are dropped, and the others miss nothing', {
  timeout: 60_000,
}, async () => {
  const server = await start({ settings: { WEBSOCKET_BUFFER_BYTES: 64 * 1024 }, slowAfterMs: 200 });
  const readers: Connected[] = [];
  for (let i = 0; i < 45; i++)
    readers.push(...(await Promise.all(Array.from({ length: 10 }, () => open(server)))));
  const deaf: Socket[] = [];
  for (let i = 0; i < 50; i++) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `GET / HTTP/1.1\r\nHost: x\r\nX-API-Key: ${API_KEY}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    deaf.push(socket);
  }
  try {
    await until(async () => (await server.webSocketClients()) === 500);
    const text = 'x'.repeat(16 * 1024);
    let published = 0;
    // The kernel takes some megabytes for each of them before anything waits here.
    while ((await server.webSocketClients()) > 450) {
      server.publish(reading(published++, text));
      await until(() => readers.every(({ messages }) => messages.length > published - 20));
      assert.ok(process.memoryUsage().arrayBuffers < 500e6);
    }
    server.publish(reading(published++, 'last'));
    await until(() =>
      readers.every(
        ({ messages }) => (messages.at(-1)!.data as { text?: string } | undefined)?.text === 'last',
      ),
    );
    for (const { messages } of readers)
      assert.deepEqual(
        messages.slice(1).map(({ timestamp }) => timestamp),
        Array.from({ length: published }, (_, i) => i),
      );
    const { values } = await server.metrics.queueDrops.get();
    const count = (reason: string) =>
      values.find(({ labels }) => labels.queue === 'websocket' && labels.reason === reason)!.value;
    assert.equal(count('dropped'), 50);
    assert.ok(count('missed') > 50);
  } finally {
    for (const socket of deaf) socket.destroy();
  }
});

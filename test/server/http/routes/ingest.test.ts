import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { type DeviceServer, startDeviceServer } from '../../../support/device-server.ts';
import { API_KEY } from '../../../support/server.ts';

let server: DeviceServer;
before(async () => {
  server = await startDeviceServer();
});
after(() => server.dispose());

const PATH = '/api/v1/ingest/sensor-data';
const list = async (query = '') => {
  const response = await server.call(PATH + query);
  assert.equal(response.status, 200);
  const { success, data } = (await response.json()) as { success: boolean; data: Record<string, unknown>[] };
  assert.equal(success, true);
  return data;
};

test('a reading is answered as it came, stored, and told to those who listen', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, { headers: { 'X-API-Key': API_KEY } });
  const messages: { type: string; data?: unknown; timestamp: number }[] = [];
  client.on('message', (text) => messages.push(JSON.parse(String(text))));
  await new Promise((resolve) => client.once('message', resolve));
  const reading = { deviceId: 'esp32-1', timestamp: 1234, temperature: 21.5, nested: { list: [1, null] } };
  const response = await server.post(PATH, reading);
  assert.equal(response.status, 200);
  const answer = (await response.json()) as Record<string, unknown>;
  assert.equal(answer.message, 'Data received');
  assert.deepEqual(answer.data, reading);
  while (!messages.some(({ type }) => type === 'sensor-data'))
    await new Promise((resolve) => client.once('message', resolve));
  const told = messages.find(({ type }) => type === 'sensor-data')!;
  assert.deepEqual(Object.keys(told), ['type', 'data', 'timestamp']);
  assert.deepEqual(told.data, reading);
  client.terminate();
  const [stored] = await list();
  assert.deepEqual(Object.keys(stored!), ['id', 'deviceId', 'receivedAt', 'data']);
  assert.deepEqual(stored!.data, reading);
});

test('readings are chosen by device, time and number', async () => {
  const startedAt = new Date().toISOString();
  for (let i = 0; i < 5; i++)
    await server.post(PATH, { deviceId: `board-${i % 2}`, timestamp: '2026-01-01', i });
  const numbers = async (query: string) => (await list(query)).map(({ data }) => (data as { i: number }).i);
  assert.deepEqual(await numbers(`?deviceId=board-1&since=${startedAt}`), [3, 1]);
  assert.deepEqual(await numbers(`?since=${Date.parse(startedAt)}&limit=2`), [4, 3]);
  assert.deepEqual(await numbers(`?since=${Date.now() + 60_000}`), []);
});

test('means over parts of the time come in the shape of readings', async () => {
  const since = Date.now();
  for (const t of [1, 2, 6]) await server.post(PATH, { deviceId: 'mean-1', timestamp: 1, air: { t } });
  const [mean, ...others] = await list(`?deviceId=mean-1&since=${since}&buckets=1`);
  const { id, receivedAt, ...rest } = mean!;
  assert.deepEqual(rest, {
    deviceId: 'mean-1',
    data: { 'air.t': 3 },
    readings: 3,
    least: { 'air.t': 1 },
    most: { 'air.t': 6 },
  });
  assert.ok(Number.isInteger(id) && Date.parse(String(receivedAt)) >= since);
  assert.equal(others.length, 0);
  for (const [query, field] of [
    [`deviceId=mean-1&since=${since}&buckets=0`, 'buckets'],
    [`deviceId=mean-1&since=${since}&buckets=1001`, 'buckets'],
    [`since=${since}&buckets=5`, 'deviceId'],
    ['deviceId=mean-1&buckets=5', 'since'],
  ] as const) {
    const refused = await server.call(`${PATH}?${query}`);
    assert.equal(refused.status, 400);
    assert.match(((await refused.json()) as { error: string }).error, new RegExp(`^\\?${field}: expected`));
  }
});

test('a reading without an id or a time, and a question that is none, are refused', async () => {
  const refused = async (response: Response, why: RegExp) => {
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as { error: string }).error, why);
  };
  await refused(await server.post(PATH, { timestamp: 1 }), /deviceId: expected/);
  await refused(
    await server.post(PATH, { deviceId: 'x' }),
    /timestamp: expected a number or a text, received nothing/,
  );
  await refused(await server.post(PATH, { deviceId: 'x', timestamp: {} }), /timestamp: expected/);
  for (const query of [
    'since=yesterday',
    'since=-1',
    'since=9999999999999999',
    'limit=0',
    'limit=1001',
    'limit=x',
    'deviceId=',
  ])
    await refused(await server.call(`${PATH}?${query}`), new RegExp(`\\?${query.split('=')[0]}: expected`));
});

test('a board that only measures is heard, and listed as unregistered', async () => {
  await server.post(PATH, { deviceId: 'thermometer', timestamp: 1 });
  assert.equal(server.registry.get('thermometer')!.status, 'unregistered');
});

test('reading back needs the key', async () => {
  assert.equal((await server.call(PATH, { key: null })).status, 401);
});

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { createOutboxStore } from '../../../server/store/outbox.ts';
import {
  FAST,
  type OpenedOutbox,
  openTestOutbox,
  recognition,
  recognitions,
  TEST_KEY,
  target,
} from '../../support/attendance.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let databases: TestDatabase;
let backend: Backend;
let outbox: OpenedOutbox;

before(async () => {
  databases = await openTestDatabase();
});
after(() => databases.close());

beforeEach(async () => {
  await databases.reset();
  backend = await startBackend();
  outbox = await openTestOutbox(databases.database);
});
afterEach(async () => {
  await outbox.close();
  await backend.close();
});

const userIds = (from = backend) => from.accepted.flatMap((batch) => batch.recognitions.map((r) => r.userId));
const sorted = (numbers: readonly unknown[]) => [...numbers].sort((a, b) => Number(a) - Number(b));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const outcomeCounts = async () =>
  Object.fromEntries((await outbox.metrics.callbacks.get()).values.map((v) => [v.labels.outcome, v.value]));

test('a result is sent as the contract writes it, with the key', async () => {
  outbox.put(target(`${backend.url}/api/v1/attendance/recognition-result`, 4), [recognition(201)]);
  await backend.until(() => backend.accepted.length === 1);
  const [request] = backend.requests;
  assert.equal(request!.method, 'POST');
  assert.equal(request!.path, '/api/v1/attendance/recognition-result');
  assert.equal(request!.apiKey, TEST_KEY);
  const { batchId, ...rest } = backend.accepted[0]!;
  assert.match(batchId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, { slotId: 4, roomId: 7, recognitions: [recognition(201)] });
});

test('a batch holds at most 100 results, and none is left out', async () => {
  outbox.put(target(backend.url), recognitions(250));
  await backend.until(() => userIds().length === 250);
  assert.ok(backend.accepted.every((batch) => batch.recognitions.length <= 100));
  assert.deepEqual(sorted(userIds()), upTo(250));
});

test('results of two sessions never share a batch', async () => {
  const [a, b] = [target(backend.url, 1), target(backend.url, 2)];
  for (let i = 0; i < 10; i++) {
    outbox.put(a, [recognition(i)]);
    outbox.put(b, [recognition(100 + i)]);
  }
  await backend.until(() => userIds().length === 20);
  for (const { slotId, recognitions } of backend.accepted)
    assert.ok(recognitions.every(({ userId }) => Number(userId) >= 100 === (slotId === 2)));
});

test('a batch that fails is sent again under its id and with the same bytes until it is taken', async () => {
  backend.answer = 500;
  const place = target(backend.url);
  outbox.put(place, recognitions(3));
  await backend.until(() => backend.requests.length >= 5);
  backend.answer = 200;
  await backend.until(() => backend.accepted.length === 1);
  assert.deepEqual(await outbox.finish(place, 5000), { delivered: 3, pending: 0 });
  assert.equal(new Set(backend.requests.map(({ text }) => text)).size, 1);
  assert.deepEqual((await outbox.waiting()).batches, 0);
});

test('a status of the client kind is final, but for 408 and 429', async () => {
  for (const status of [400, 401, 404, 409, 422]) {
    backend.answer = status;
    const before = backend.requests.length;
    const place = target(backend.url);
    outbox.put(place, [recognition(1)]);
    assert.deepEqual(await outbox.finish(place, 5000), { delivered: 0, pending: 0 });
    assert.equal(backend.requests.length, before + 1);
  }
  for (const status of [408, 429]) {
    backend.answer = status;
    const before = backend.requests.length;
    outbox.put(target(backend.url), [recognition(1)]);
    await backend.until(() => backend.requests.length >= before + 4);
    backend.answer = 200;
    await backend.until(() => backend.accepted.length > 0);
    backend.accepted.length = 0;
  }
  assert.equal((await outcomeCounts()).refused, 5);
});

test('a redirect is not followed: the key would go with it', async () => {
  const other = await startBackend();
  backend.answer = (_, res) => res.writeHead(307, { Location: `${other.url}/` }).end();
  const place = target(backend.url);
  outbox.put(place, [recognition(1)]);
  assert.deepEqual(await outbox.finish(place, 5000), { delivered: 0, pending: 0 });
  assert.equal(other.requests.length, 0);
  await other.close();
});

test('nothing is lost while the backend is down, and everything comes when it is back', async () => {
  const { port } = backend;
  await backend.close();
  const place = target(`http://127.0.0.1:${port}`);
  for (let i = 1; i <= 30; i++) {
    outbox.put(place, [recognition(i)]);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  backend = await startBackend(port);
  await backend.until(() => new Set(userIds()).size === 30);
  assert.deepEqual(sorted(userIds()), upTo(30));
  assert.deepEqual(await outbox.finish(place, 5000), { delivered: 30, pending: 0 });
});

test('a backend that never answers holds up no other', async () => {
  const slow = await startBackend();
  slow.answer = 'hold';
  outbox.put(target(slow.url), recognitions(500));
  await slow.until(() => slow.requests.length > 0);
  outbox.put(target(backend.url), [recognition(1)]);
  await backend.until(() => backend.accepted.length === 1);
  assert.equal(slow.accepted.length, 0);
  await outbox.close();
  await slow.close();
});

test('one batch that the backend chokes on does not hold up the others', async () => {
  backend.answer = (received, res) => {
    const isPoison = received.text.includes('"userId":13,');
    if (!isPoison) backend.accepted.push(JSON.parse(received.text));
    res.writeHead(isPoison ? 500 : 200).end();
  };
  outbox.put(target(backend.url), [recognition(13)]);
  await backend.until(() => backend.requests.length === 3);
  outbox.put(target(backend.url), [recognition(14)]);
  await backend.until(() => userIds().includes(14));
});

test('finish tries what is left at once, though the backend was away a moment ago', async () => {
  await outbox.close();
  outbox = await openTestOutbox(databases.database, {
    timing: { ...FAST, roundPauseMs: 60_000, longestRoundPauseMs: 60_000 },
  });
  backend.answer = 503;
  const place = target(backend.url);
  outbox.put(place, [recognition(1)]);
  await backend.until(() => backend.requests.length === 3);
  assert.deepEqual(await outbox.finish(place, 5000), { delivered: 0, pending: 1 });
  assert.equal((await outbox.waiting()).recognitions, 1);
});

test('what waits is sent by the next process under the same id', async () => {
  backend.answer = 'hold';
  outbox.put(target(backend.url), recognitions(5));
  await backend.until(() => backend.requests.length === 1);
  await outbox.close();
  backend.answer = 200;
  outbox = await openTestOutbox(databases.database);
  await backend.until(() => backend.accepted.length === 1);
  assert.equal(backend.requests[0]!.text, backend.requests[1]!.text);
});

test('what nobody took in time expires, and is counted', async () => {
  backend.answer = 503;
  await outbox.close();
  outbox = await openTestOutbox(databases.database, { expireHours: 0 });
  outbox.put(target(backend.url), recognitions(4));
  await outbox.close();
  outbox = await openTestOutbox(databases.database);
  assert.deepEqual(await outbox.waiting(), { batches: 0, recognitions: 0, oldestAgeS: null });
  assert.equal((await outcomeCounts()).expired, 4);
});

test('two processes on one database do not send a batch at the same time', async () => {
  const store = createOutboxStore(databases.database);
  const batch = {
    sessionId: '00000000-0000-4000-8000-000000000000',
    callbackUrl: backend.url,
    origin: backend.url,
    body: '{}',
    recognitions: 1,
    expiresAt: new Date(Date.now() + 60_000),
  };
  const ids = ['1', '2', '3'].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
  for (const batchId of ids) await store.add({ ...batch, batchId });
  const taken = await Promise.all([store.claim(backend.url, 2, 60_000), store.claim(backend.url, 2, 60_000)]);
  const takenIds = taken.flat().map(({ batchId }) => batchId);
  assert.deepEqual([...takenIds].sort(), ids);
  assert.deepEqual(await store.claim(backend.url, 2, 60_000), []);
  await store.release(takenIds);
  await store.remove(ids[0]!);
  await store.postpone(ids[1]!, 60_000);
  assert.deepEqual(
    (await store.claim(backend.url, 2, 60_000)).map(({ batchId }) => batchId),
    [ids[2]],
  );
});

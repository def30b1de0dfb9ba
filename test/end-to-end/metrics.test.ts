import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { formWith, samplePhoto, startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

test('metrics are for holders of the key, who may show it as a bearer token', async () => {
  assert.equal((await server.call('/metrics', { key: null })).status, 401);
  const bearer = (token: string) =>
    server.call('/metrics', { key: null, headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await bearer('another-key-0123456789')).status, 401);
  const answer = await bearer(server.apiKey);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('Content-Type')!, /^text\/plain; version=0\.0\.4/);
  assert.match(await answer.text(), /^process_cpu_seconds_total \d/m);
});

test('METRICS_OPEN opens the metrics and nothing else', async () => {
  const open = await startTestServer({ METRICS_OPEN: '1' });
  try {
    assert.equal((await open.call('/metrics', { key: null })).status, 200);
    assert.equal((await open.call('/api/v1/metrics', { key: null })).status, 401);
    assert.equal((await open.call('/api/v1/devices', { key: null })).status, 401);
  } finally {
    await open.dispose();
  }
});

test("the attendance API's metrics are JSON unless the exposition format is asked for", async () => {
  const json = await server.call('/api/v1/metrics');
  assert.match(json.headers.get('Content-Type')!, /json/);
  for (const accept of ['text/plain', 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5']) {
    const text = await server.call('/api/v1/metrics', { headers: { Accept: accept } });
    assert.match(text.headers.get('Content-Type')!, /^text\/plain/);
    assert.match(await text.text(), /^face_sessions_active 0$/m);
  }
});

test('a picture is counted at every stage, and its request can be followed into the thread', async () => {
  const requestId = 'follow-me-0001';
  const answer = await server.call('/recognize', {
    method: 'POST',
    headers: { 'X-Request-Id': requestId },
    body: formWith('image', await readFile(samplePhoto(3))),
  });
  assert.equal(answer.status, 200);
  const text = await (await server.call('/metrics')).text();
  for (const stage of ['decode', 'detect', 'align', 'embed', 'match', 'total'])
    assert.match(text, new RegExp(`^face_stage_duration_seconds_count\\{stage="${stage}"\\} 1$`, 'm'));
  assert.match(text, /^face_queue_wait_seconds_count\{queue="recognition"\} 1$/m);
  assert.match(text, /^face_recognitions_total\{result="unknown_face"\} 1$/m);
  assert.match(text, /^face_model_info\{task="detector",model="ssd-mobilenet-v1",sha256="embedded"\} 1$/m);
  assert.match(text, /^face_worker_threads\{state="idle"\} 1$/m);
  const followed = server.lines
    .map((line) => JSON.parse(line) as { requestId?: string; message: string; threadId?: number })
    .filter((line) => line.requestId === requestId);
  assert.deepEqual(followed.map(({ message }) => message).sort(), ['picture looked at', 'request']);
  assert.ok(followed.some(({ threadId }) => typeof threadId === 'number' && threadId > 0));
});

test('every metric has a base unit or counts, says what it is, and carries labels from closed sets', async () => {
  const metrics = await server.metrics.registry.getMetricsAsJSON();
  const own = metrics.filter(({ name }) => name.startsWith('face_'));
  assert.ok(own.length > 30);
  for (const { name, help, type } of own as unknown as { name: string; help: string; type: string }[]) {
    assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb|percent|minutes)(_|$)/, name);
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    assert.match(help, /^[A-Z].{10,}[^.]$/, name);
  }
  const labels = new Set(own.flatMap(({ values }) => values.flatMap((value) => Object.keys(value.labels))));
  for (const forbidden of ['name', 'person', 'url', 'deviceId', 'path', 'client'])
    assert.ok(!labels.has(forbidden), `${forbidden} is unbounded`);
});

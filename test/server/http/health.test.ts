import assert from 'node:assert/strict';
import { test } from 'node:test';
import Koa from 'koa';
import pino from 'pino';
import type { Context } from '../../../server/http/route.ts';
import { type HealthDependencies, healthRoutes } from '../../../server/http/routes/health.ts';
import { listen } from '../../../server/http/server.ts';
import { createMetrics } from '../../../server/metrics.ts';

const STATUS: HealthDependencies['recognizer']['status'] = {
  detector: 'ssd-mobilenet-v1',
  embedder: 'dlib-resnet-v1',
  provider: { inUse: 'cpu', warmUpMs: 500, refused: [{ provider: 'cuda', why: 'no GPU' }] },
  threads: 2,
  readyThreads: 2,
  queueDepth: 3,
  running: 2,
};

async function ask(path: '/health' | '/api/v1/health', changes: Partial<HealthDependencies>) {
  const routes = healthRoutes({
    serviceName: 'Faces',
    version: '1.2.3',
    recognizer: { status: STATUS },
    gallerySize: () => ({ persons: 4, pictures: 9 }),
    databaseKind: 'embedded',
    isTunnelActive: () => false,
    activeSessions: () => 0,
    checkDatabase: async () => {},
    ...changes,
  });
  const app = new Koa();
  app.use((ctx) => routes.find((route) => route.path === path)!.handle(ctx as unknown as Context));
  const config = { HOST: '127.0.0.1', PORT: 0, REQUEST_TIMEOUT_MS: 1000, MAX_CONNECTIONS: 10 };
  const log = pino({ level: 'silent' });
  const server = await listen({ config, handle: app.callback(), log, metrics: createMetrics() });
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  } finally {
    await server.stop(100);
  }
}

const brokenDatabase = {
  checkDatabase: () => Promise.reject(new Error('password authentication failed for user admin')),
};
const noThreads = { recognizer: { status: { ...STATUS, readyThreads: 0 } } };

test('the attendance API hears 503 in its shape where the database or the threads are gone, and nothing of the inside', async () => {
  assert.deepEqual(await ask('/api/v1/health', brokenDatabase), {
    status: 503,
    body: {
      status: 503,
      message: 'Service is unhealthy',
      data: { service: 'Faces', status: 'unhealthy', error: 'Database connection failed' },
    },
  });
  const { status, body } = await ask('/api/v1/health', noThreads);
  assert.equal(status, 503);
  assert.equal((body.data as { error: string }).error, 'Recognition threads are gone');
});

test('the device API hears 503 with everything that is known', async () => {
  const database = await ask('/health', brokenDatabase);
  assert.equal(database.status, 503);
  assert.equal(database.body.status, 'unhealthy');
  assert.deepEqual(database.body.database, { kind: 'embedded', connected: false });
  assert.doesNotMatch(JSON.stringify(database.body), /admin|password/);
  const threads = await ask('/health', noThreads);
  assert.equal(threads.status, 503);
  assert.equal(threads.body.face_recognition_ready, false);
});

test('a healthy server tells provider, queue, threads and gallery', async () => {
  const { status, body } = await ask('/health', {});
  assert.equal(status, 200);
  assert.deepEqual(body.provider, STATUS.provider);
  assert.deepEqual(body.threads, { total: 2, ready: 2, busy: 2 });
  assert.deepEqual(body.queue, { depth: 3 });
  assert.deepEqual(body.gallery, { persons: 4, pictures: 9 });
  assert.deepEqual(body.errors, []);
});

test('a database that never answers is told within seconds', async () => {
  const { status } = await ask('/api/v1/health', { checkDatabase: () => new Promise(() => {}) });
  assert.equal(status, 503);
});

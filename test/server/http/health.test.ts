import assert from 'node:assert/strict';
import { test } from 'node:test';
import Koa from 'koa';
import pino from 'pino';
import { createHealthChecks, type HealthSources } from '../../../server/http/health-checks.ts';
import type { Context } from '../../../server/http/route.ts';
import { healthRoutes } from '../../../server/http/routes/health.ts';
import { probeRoutes } from '../../../server/http/routes/probes.ts';
import { listen } from '../../../server/http/server.ts';
import { createMetrics } from '../../../server/metrics.ts';

const STATUS: HealthSources['recognizer']['status'] = {
  detector: 'ssd-mobilenet-v1',
  embedder: 'dlib-resnet-v1',
  provider: { inUse: 'cpu', warmUpMs: 500, refused: [{ provider: 'cuda', why: 'no GPU' }] },
  threads: 2,
  readyThreads: 2,
  queueDepth: 3,
  running: 2,
};

type Path = '/health' | '/api/v1/health' | '/health/live' | '/health/ready';

async function ask(path: Path, changes: Partial<HealthSources>) {
  const sources: HealthSources = {
    recognizer: { status: STATUS },
    checkDatabase: async () => {},
    queueLimit: 256,
    hasFfmpeg: true,
    cameras: () => ({ total: 2, active: 2 }),
    oldestCallbackAgeS: async () => null,
    isTunnelDown: () => false,
    freeDiskShare: async () => 0.5,
    ...changes,
  };
  const checks = createHealthChecks(sources);
  const routes = [
    ...healthRoutes({
      serviceName: 'Faces',
      version: '1.2.3',
      recognizer: sources.recognizer,
      gallerySize: () => ({ persons: 4, pictures: 9 }),
      databaseKind: 'embedded',
      isTunnelActive: () => false,
      activeSessions: () => 0,
      checks,
    }),
    ...probeRoutes({ ...checks, isStopping: () => false }),
  ];
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

test('the process is alive as long as it answers, and not ready without its database or its threads', async () => {
  assert.equal((await ask('/health/live', { ...brokenDatabase, ...noThreads })).status, 200);
  assert.deepEqual(await ask('/health/ready', {}), {
    status: 200,
    body: { status: 'ready', errors: [], degraded: [] },
  });
  const { status, body } = await ask('/health/ready', { ...brokenDatabase, ...noThreads });
  assert.equal(status, 503);
  assert.deepEqual(body, {
    status: 'not_ready',
    errors: ['Database connection failed', 'Recognition threads are gone'],
    degraded: [],
  });
});

test('what limps is named while work can be sent', async () => {
  const provider = {
    ...STATUS.provider,
    refused: [{ provider: 'cuda' as const, why: 'failed at a run: reset' }],
  };
  const { status, body } = await ask('/health/ready', {
    recognizer: { status: { ...STATUS, readyThreads: 1, queueDepth: 250, provider } },
    hasFfmpeg: false,
    cameras: () => ({ total: 5, active: 3 }),
    oldestCallbackAgeS: async () => 720,
    isTunnelDown: () => true,
    freeDiskShare: async () => 0.012,
  });
  assert.equal(status, 200);
  assert.equal(body.status, 'degraded');
  assert.deepEqual(body.degraded, [
    '1 of 2 recognition threads are not ready',
    'The recognition is behind: 250 pictures wait',
    'cuda failed; the networks run on cpu',
    'There is no ffmpeg: no cameras, no face videos, no recordings',
    '2 of 5 cameras give no frames',
    'The SSH tunnel is down',
    'Results have waited for the backend for 12 minutes',
    'The disk of DATA_DIR is nearly full: 1.2 % is free',
  ]);
});

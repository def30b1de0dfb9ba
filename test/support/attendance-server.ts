/** The attendance API on a real app for tests: routes, sessions, outbox, cameras and threads, without the device part. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { embedderModels } from '../../models/manifest.ts';
import type { BackendStatus } from '../../server/attendance/backend-contact.ts';
import { createCameraHub } from '../../server/cameras/camera-hub.ts';
import type { FfmpegProgram } from '../../server/cameras/ffmpeg-program.ts';
import { Closers } from '../../server/closers.ts';
import { type AttendanceSettings, composeAttendance } from '../../server/compose-attendance.ts';
import { parseConfig } from '../../server/config.ts';
import { createAccessControl } from '../../server/http/api-key.ts';
import { createApp } from '../../server/http/app.ts';
import { createBodyReader } from '../../server/http/body.ts';
import { createRateLimiter } from '../../server/http/rate-limit.ts';
import { listen } from '../../server/http/server.ts';
import type { RecognitionMessage } from '../../server/live/messages.ts';
import { createLog } from '../../server/log.ts';
import { createMetrics } from '../../server/metrics.ts';
import { type Recognizer, startRecognizer } from '../../server/recognition/recognizer.ts';
import type { Database } from '../../server/store/pool.ts';
import { FAST, TEST_KEY } from './attendance.ts';
import { describedAnswers } from './described-answers.ts';
import { EMBEDDED_PACK, TEST_LIMITS, withYunet } from './pipeline.ts';
import { YUNET_PATH } from './samples.ts';

export interface AttendanceServer {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly uploads: string;
  readonly lines: string[];
  /** What is broadcast, without type and time. */
  readonly broadcasts: Omit<RecognitionMessage, 'type' | 'timestamp'>[];
  readonly backendStatus: () => BackendStatus;
  /** As Prometheus reads it. */
  metric(name: string): Promise<string>;
  call(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  /** POSTs JSON, or GETs without a body; gives status and parsed body. */
  ask(path: string, body?: unknown): Promise<{ status: number; body: Answer }>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly code?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly data?: any;
}

export async function startTestRecognizer(): Promise<Recognizer> {
  return startRecognizer({
    models: YUNET_PATH === null ? EMBEDDED_PACK : withYunet(YUNET_PATH),
    providers: ['cpu'],
    threads: 2,
    limits: TEST_LIMITS,
    queueLimit: 256,
    log: createLog({ level: 'silent', format: 'json', secrets: new Set() }),
  });
}

export async function startAttendanceServer(
  parts: { recognizer: Recognizer; database: Database; program: FfmpegProgram },
  settings: Partial<AttendanceSettings> = {},
): Promise<AttendanceServer> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-attendance-'));
  const lines: string[] = [];
  const output = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLog({ level: 'debug', format: 'json', secrets: new Set([TEST_KEY]), output });
  const metrics = createMetrics();
  const closers = new Closers();
  const bodies = createBodyReader({ limitBytes: 25 << 20, memoryBytes: 256 << 20, metrics });
  const broadcasts: Omit<RecognitionMessage, 'type' | 'timestamp'>[] = [];
  const cameras = createCameraHub({ program: parts.program, log });
  closers.add('cameras', () => cameras.close());
  const { routes, backend } = await composeAttendance({
    cameras,
    settings: {
      DATA_DIR: folder,
      SIMILARITY_THRESHOLD: 0.85,
      SCAN_INTERVAL: 5,
      MAX_SESSIONS: 10,
      SESSION_MAX_HOURS: 12,
      CALLBACK_MODE: 'every',
      CALLBACK_EXPIRE_HOURS: 24,
      ALLOWED_URL_HOSTS: [],
      ALLOW_PRIVATE_URLS: false,
      CAMERA_LOOKUP_PATH: '/api/v1/cameras/{cameraId}',
      UPLOADS_DIR: join(folder, 'uploads'),
      MIN_FACE_PX: 24,
      MIN_FACE_QUALITY: 0.25,
      MIN_VIDEO_QUALITY: 0.5,
      ...settings,
    },
    apiKey: TEST_KEY,
    embedder: embedderModels.find(({ id }) => id === EMBEDDED_PACK.embedder.id)!,
    registry: metrics.registry,
    callbackTiming: FAST,
    bodies,
    log,
    closers,
    onRecognition: (message) => broadcasts.push(message),
    ...parts,
  });
  const app = createApp({
    routes,
    access: createAccessControl({ mode: 'open', apiKey: TEST_KEY, deviceKey: undefined, tokenLifetimeS: 60 }),
    rateLimiter: createRateLimiter({ maxCalls: 1e6, windowMs: 60_000 }),
    corsOrigins: [],
    trustedProxies: 0,
    log,
    metrics,
    isStopping: () => false,
  });
  const { config } = parseConfig({ HOST: '127.0.0.1', PORT: '0' });
  const http = await listen({ config, handle: app.callback(), log, metrics });
  closers.add('http', async () => void (await http.stop(2000)));
  const url = `http://127.0.0.1:${http.port}`;

  const described = describedAnswers(routes);
  const call: AttendanceServer['call'] = async (path, { key = TEST_KEY, headers, ...init } = {}) => {
    const withKey = new Headers(headers);
    if (key !== null) withKey.set('X-API-Key', key);
    const answer = await fetch(url + path, { ...init, headers: withKey });
    return described.check(init.method ?? 'GET', path, answer);
  };
  return {
    url,
    port: http.port,
    folder,
    uploads: join(folder, 'uploads'),
    lines,
    broadcasts,
    backendStatus: backend,
    metric: (name) => metrics.registry.getSingleMetricAsString(name),
    call,
    async ask(path, body) {
      const init =
        body === undefined
          ? {}
          : {
              method: 'POST',
              headers: { 'Content-Type': 'application/json' },
              body: typeof body === 'string' ? body : JSON.stringify(body),
            };
      const answer = await call(path, init);
      return { status: answer.status, body: (await answer.json()) as Answer };
    },
    async stop() {
      await closers.closeAll();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

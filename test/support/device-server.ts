/** The part of the server that boards and their dashboard call, on a free port, without the recognition and its threads. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Closers } from '../../server/closers.ts';
import { composeDevices, type DeviceSettings, type FrameEvents } from '../../server/compose-devices.ts';
import { parseConfig } from '../../server/config.ts';
import { type FrameStore, openFrames } from '../../server/devices/frames.ts';
import type { Registry } from '../../server/devices/registry.ts';
import { createAccessControl } from '../../server/http/api-key.ts';
import { createApp } from '../../server/http/app.ts';
import { createBodyReader } from '../../server/http/body.ts';
import { createRateLimiter } from '../../server/http/rate-limit.ts';
import { listen } from '../../server/http/server.ts';
import type { Message } from '../../server/live/messages.ts';
import { createMetrics, type Metrics } from '../../server/metrics.ts';
import type { Database } from '../../server/store/pool.ts';
import { openTestDatabase } from './database.ts';
import { describedAnswers } from './described-answers.ts';
import { API_KEY, DEVICE_KEY } from './server.ts';

export interface DeviceServer {
  readonly port: number;
  readonly url: string;
  readonly database: Database;
  readonly registry: Registry;
  readonly frames: FrameStore;
  readonly frameEvents: FrameEvents;
  readonly metrics: Metrics;
  publish(message: Message): void;
  webSocketClients(): Promise<number>;
  /** A read token. */
  token(): string;
  /** fetch with the API key unless `key` says otherwise; the answer has to be as the route describes it. */
  call(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  post(path: string, body: unknown, key?: string | null): Promise<Response>;
  dispose(): Promise<void>;
}

export interface DeviceServerOptions {
  readonly mode?: 'devices' | 'strict' | 'open';
  readonly settings?: Partial<DeviceSettings>;
  readonly slowAfterMs?: number;
  readonly pingEveryMs?: number;
}

export async function startDeviceServer(options: DeviceServerOptions = {}): Promise<DeviceServer> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-devices-'));
  const closers = new Closers();
  const own = await openTestDatabase();
  closers.add('folder', () => rm(folder, { recursive: true, force: true }));
  closers.add('database', () => own.close());
  const log = pino({ level: 'silent' });
  const metrics = createMetrics();
  const frames = await openFrames({
    folder: join(folder, 'frames'),
    retentionS: 600,
    storageBytes: 1e9,
    log,
    metrics,
  });
  closers.add('frames', () => frames.close());
  const settings: DeviceSettings = {
    HOST: '127.0.0.1',
    DATA_DIR: folder,
    ACCESS: options.mode ?? 'devices',
    DEVICE_OFFLINE_S: 60,
    MAX_DEVICES: 1000,
    SENSOR_RETENTION_DAYS: 30,
    SENSOR_MAX_ROWS: 100_000,
    RECORDING_STORAGE_BYTES: 1e9,
    WEBSOCKET_CLIENTS: 1000,
    WEBSOCKET_BUFFER_BYTES: 256 * 1024,
    CORS_ORIGIN: [],
    SSH_SERVER_PORT: 22,
    PUBLIC_PORT: [],
    ...options.settings,
  };
  const access = createAccessControl({
    mode: options.mode ?? 'devices',
    apiKey: API_KEY,
    deviceKey: DEVICE_KEY,
    tokenLifetimeS: 60,
  });
  const { slowAfterMs, pingEveryMs } = options;
  const devices = await composeDevices({
    settings,
    ffmpegPath: 'ffmpeg',
    frames,
    database: own.database,
    access,
    bodies: createBodyReader({ limitBytes: 1e6, memoryBytes: 1e8, metrics }),
    backend: () => ({ connected: false, lastSyncAt: null }),
    recognizer: { unpack: () => Promise.reject(new Error('there are no threads here')) },
    metrics,
    log,
    closers,
    webSocketTiming: { slowAfterMs, pingEveryMs },
  });
  const app = createApp({
    routes: devices.routes,
    access,
    rateLimiter: createRateLimiter({ maxCalls: 100_000, windowMs: 60_000 }),
    corsOrigins: settings.CORS_ORIGIN,
    trustedProxies: 0,
    log,
    metrics,
    isStopping: () => false,
  });
  const { config } = parseConfig({ HOST: '127.0.0.1', PORT: '0' });
  const http = await listen({ config, handle: app.callback(), log, metrics });
  closers.add('http', async () => void (await http.stop(500)));
  devices.attach(http, app);
  const url = `http://127.0.0.1:${http.port}`;
  const described = describedAnswers(devices.routes);
  const call: DeviceServer['call'] = async (path, { key = API_KEY, headers, ...init } = {}) => {
    const withKey = new Headers(headers);
    if (key !== null) withKey.set('X-API-Key', key);
    const answer = await fetch(url + path, { ...init, headers: withKey });
    return described.check(init.method ?? 'GET', path, answer);
  };
  return {
    port: http.port,
    url,
    database: own.database,
    registry: devices.registry,
    frames,
    frameEvents: devices.frameEvents,
    metrics,
    publish: devices.publish,
    async webSocketClients() {
      const { values } = await metrics.registry.getSingleMetric('face_websocket_clients')!.get();
      return values[0]!.value;
    },
    token: () => access.issueReadToken().token,
    call,
    post: (path, body, key = null) =>
      call(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
        key,
      }),
    dispose: () => closers.closeAll(),
  };
}

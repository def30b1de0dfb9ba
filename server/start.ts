/** The composition root: builds each part, joins them, and closes them in the opposite order. */
import { resolve } from 'node:path';
import { reachableUrls } from './addresses.ts';
import { Closers, inParallel } from './closers.ts';
import { composeAttendance } from './compose-attendance.ts';
import { composeDevices, type FrameEvents } from './compose-devices.ts';
import { composeLive, type Live } from './compose-live.ts';
import { composeOperation } from './compose-operation.ts';
import { composePage } from './compose-page.ts';
import {
  chooseInstalledModels,
  composeGallery,
  detectorInUse,
  fetchMissingDetector,
  startRecognition,
} from './compose-recognition.ts';
import { openDatabase } from './database.ts';
import { createFrameEnhancer } from './devices/frame-enhancement.ts';
import type { FrameStore } from './devices/frames.ts';
import { chooseFfmpeg } from './ffmpeg-choice.ts';
import { openFrameStore } from './frame-store.ts';
import { createAccessControl } from './http/api-key.ts';
import { createApp } from './http/app.ts';
import { createBodyReader } from './http/body.ts';
import { createRateLimiter } from './http/rate-limit.ts';
import type { Route } from './http/route.ts';
import { withDocumentation } from './http/routes/documentation.ts';
import { frameRoutes } from './http/routes/frames.ts';
import { greeting } from './http/routes/health.ts';
import { permittedFaceRoutes } from './http/routes/permitted-faces.ts';
import { personPictureRoutes } from './http/routes/person-pictures.ts';
import { recognitionRoutes } from './http/routes/recognition.ts';
import { tokenRoutes } from './http/routes/token.ts';
import { checkAddress, listen } from './http/server.ts';
import { createSessionCookies } from './http/session-cookie.ts';
import { openTls } from './http/tls.ts';
import { ownApiKey } from './key-file.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Gallery } from './recognition/gallery.ts';
import type { Recognizer } from './recognition/recognizer.ts';
import type { Config } from './settings.ts';
import { lockFolder } from './store/folder-lock.ts';
import { ownVersion } from './version.ts';

export interface RunningServer {
  readonly config: Config;
  readonly port: number;
  readonly apiKey: string;
  readonly routes: readonly Route[];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly recognizer: Recognizer;
  readonly gallery: Gallery;
  readonly frames: FrameStore;
  readonly live: Live;
  /** Ends when the background fetch of a detector, where there is one, is over. */
  readonly detectorSettled: Promise<void>;
  /** What the route of the frames tells: also for whoever plays the part of boards, without the recognition. */
  readonly frameEvents: FrameEvents;
  /** A new link that signs a browser in once, within minutes; the one made before is void. */
  signInLink(): string;
  /** Settles where a part has stopped for good: the process has to be started anew. */
  readonly broken: Promise<Error>;
  /** No new work, what runs is finished, then every part is closed. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** From reading the settings. */
  readonly warnings?: readonly string[];
  /** Folders of programs, as PATH writes them: where ffmpeg is looked for. */
  readonly programPath?: string;
  /** Where the log goes, and the lines for people. */
  readonly output?: NodeJS.WritableStream;
}

/**
 * Starts everything and returns when requests are answered.
 * @throws {StartError} where a person has to mend something; whatever had been started is closed again
 */
export async function startServer(given: Config, options: StartOptions = {}): Promise<RunningServer> {
  const config = { ...given, DATA_DIR: resolve(given.DATA_DIR) };
  const closers = new Closers();
  try {
    return await compose(config, options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function compose(config: Config, options: StartOptions, closers: Closers): Promise<RunningServer> {
  const output = options.output ?? process.stdout;
  const lock = lockFolder(config.DATA_DIR);
  closers.add('folder lock', () => lock.release());
  await checkAddress(config);
  const secrets = new Set(
    [config.API_KEY, config.DEVICE_KEY, config.SSH_PASSWORD, config.SSH_PASSPHRASE].filter(
      (secret) => secret !== undefined,
    ),
  );
  const log = createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, secrets, output });
  closers.log = log;
  for (const warning of options.warnings ?? []) log.warn(warning);
  const apiKey = config.API_KEY ?? (await ownApiKey(config.DATA_DIR, log, output));
  secrets.add(apiKey);
  const tls = await openTls(config, log);
  const sources = { queueDepth: () => 0 };
  const metrics = createMetrics(sources);

  const choice = await chooseInstalledModels(config);
  // Reading the models and opening the database take seconds each, and neither needs the other.
  const [recognizer, { database, broken }, frames, ffmpeg] = await inParallel([
    startRecognition(choice, config, log, metrics, closers),
    openDatabase(config, log, metrics.registry, closers),
    openFrameStore(config, log, metrics, closers),
    chooseFfmpeg(config, options.programPath ?? '', log),
  ]);
  sources.queueDepth = () => recognizer.status.queueDepth;
  const { gallery, prepare } = await composeGallery({ config, choice, database, recognizer, log, closers });

  const cookies = createSessionCookies({ apiKey, lifetimeS: config.SIGN_IN_LIFETIME_S });
  const access = createAccessControl({
    mode: config.ACCESS,
    apiKey,
    cookies,
    deviceKey: config.DEVICE_KEY,
    tokenLifetimeS: config.TOKEN_LIFETIME_S,
  });
  const bodies = createBodyReader({
    limitBytes: config.MAX_UPLOAD_BYTES,
    memoryBytes: config.BODY_MEMORY_BYTES,
    metrics,
  });
  const live = await composeLive({
    settings: config,
    program: ffmpeg,
    recognizer,
    gallery,
    database,
    bodies,
    access,
    frames,
    publish: (message) => devices.publish(message),
    isDevice: (deviceId) => devices.registry.list().some((device) => device.deviceId === deviceId),
    slotCameras: () => attendance?.slotCameras() ?? [],
    metrics,
    log,
    closers,
  });
  const attendance =
    ffmpeg === null
      ? null
      : await composeAttendance({
          settings: config,
          apiKey,
          program: ffmpeg,
          ...live.forSessions,
          recognizer,
          embedder: choice.embedder,
          database,
          bodies,
          registry: metrics.registry,
          log,
          closers,
          onRecognition: (message) =>
            devices.publish({ type: 'recognition', ...message, timestamp: Date.now() }),
        });
  const devices = await composeDevices({
    settings: config,
    ffmpegPath: ffmpeg?.path ?? null,
    frames,
    database,
    access,
    bodies,
    backend: () => attendance?.backend() ?? { connected: false, lastSyncAt: null },
    recognizer,
    metrics,
    log,
    closers,
  });
  const version = await ownVersion();
  let stopping = false;
  const page = composePage({
    settings: config,
    version,
    access,
    cookies,
    bodies,
    greet: greeting(config.SERVICE_NAME, version),
    detectorInUse: () => detectorInUse(config, recognizer),
    isTunnelled: (ctx) => devices.isTunnelled(ctx.req.socket),
    log,
    closers,
  });
  const documentation = { serviceName: config.SERVICE_NAME, version, mode: config.ACCESS };
  const routes = withDocumentation(documentation, [
    ...page.routes,
    ...composeOperation({
      config,
      version,
      metrics,
      recognizer,
      gallery,
      database,
      attendance,
      devices,
      cameras: live.directory,
      isStopping: () => stopping,
    }),
    ...tokenRoutes(access),
    ...recognitionRoutes({ recognizer, gallery, bodies, metrics }),
    ...permittedFaceRoutes({ gallery, bodies }),
    ...personPictureRoutes({ gallery, bodies, readFrame: frames.read }),
    ...frameRoutes({
      enhancer: createFrameEnhancer(config.ENHANCE),
      config,
      frames,
      recognizer,
      gallery,
      bodies,
      metrics,
      events: live.watching(devices.frameEvents),
    }),
    ...devices.routes,
    ...(attendance?.routes ?? []),
    ...live.routes,
  ]);
  const app = createApp({
    routes,
    access,
    rateLimiter: createRateLimiter({
      maxCalls: config.RATE_LIMIT_MAX,
      windowMs: config.RATE_LIMIT_WINDOW_MS,
    }),
    corsOrigins: config.CORS_ORIGIN,
    trustedProxies: config.TRUST_PROXY,
    isTunnelled: (req) => devices.isTunnelled(req.socket),
    log,
    metrics,
    isStopping: () => stopping,
  });
  const http = await listen({ config, tls, handle: app.callback(), log, metrics });
  closers.add('http', async () => {
    stopping = true;
    const finished = await http.stop(config.SHUTDOWN_TIMEOUT_MS);
    if (!finished)
      log.warn({ timeoutMs: config.SHUTDOWN_TIMEOUT_MS }, 'requests were cut off: they did not end in time');
  });

  devices.attach(http, app);
  await live.begin();

  prepare();
  const detectorSettled = fetchMissingDetector({ config, choice, recognizer, log, closers });

  const urls = reachableUrls(config.HOST, http.port, tls === null ? 'http' : 'https');
  log.info(
    { urls, boards: `${urls[0]}/api/v1/stream/stream`, access: config.ACCESS, dataDir: config.DATA_DIR },
    'listening',
  );
  const { detector, embedder, provider, threads } = recognizer.status;
  log.info(
    {
      detector,
      embedder,
      provider: provider.inUse,
      refused: provider.refused,
      threads,
      gallery: gallery.size(),
    },
    // Since the start of the process: what a person who typed npm start has waited, but for npm itself.
    `ready after ${process.uptime().toFixed(1)} s`,
  );
  const signInLink = page.open(urls, output);

  let stopped: Promise<void> | null = null;
  return {
    config,
    port: http.port,
    apiKey,
    routes,
    log,
    metrics,
    recognizer,
    gallery,
    frames,
    live,
    detectorSettled,
    broken,
    signInLink,
    frameEvents: devices.frameEvents,
    stop() {
      stopped ??= closers.closeAll().then(() => log.info('stopped'));
      return stopped;
    },
  };
}

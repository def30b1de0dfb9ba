/** Builds the attendance API out of its parts: sessions, outbox, face videos, cameras, and the routes over them. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { EmbedderModel } from '../models/manifest.ts';
import { type AttendanceMetrics, createAttendanceMetrics } from './attendance/attendance-metrics.ts';
import { type BackendStatus, createBackendContact } from './attendance/backend-contact.ts';
import type { CallbackTiming } from './attendance/callback-lane.ts';
import type { CameraFeed, OpenCameraFeed } from './attendance/camera-feed.ts';
import { createCameraLookup } from './attendance/camera-lookup.ts';
import { createFaceVideos } from './attendance/face-videos.ts';
import { type Outbox, openOutbox } from './attendance/outbox.ts';
import { openPreviewFiles } from './attendance/preview-files.ts';
import type { SessionLook } from './attendance/scanner.ts';
import { createSessionRequestReader } from './attendance/session-requests.ts';
import { createSessions, type Sessions } from './attendance/sessions.ts';
import { hostOf, type UrlPolicy } from './attendance/url-policy.ts';
import type { LookAtFrame } from './attendance/video-frame.ts';
import { parseCameraUrl, redactUrl } from './cameras/camera-address.ts';
import type { SlotCamera } from './cameras/camera-directory.ts';
import type { CameraHub } from './cameras/camera-hub.ts';
import type { FfmpegProgram } from './cameras/ffmpeg-program.ts';
import { captureFrame, probeCamera } from './cameras/probe.ts';
import { videoFrames } from './cameras/video-frames.ts';
import type { Closers } from './closers.ts';
import type { BodyReader } from './http/body.ts';
import type { Route } from './http/route.ts';
import { cameraRoutes } from './http/routes/cameras.ts';
import { embeddingRoutes } from './http/routes/embeddings.ts';
import { metricsJsonRoutes } from './http/routes/metrics-json.ts';
import { sessionRoutes } from './http/routes/sessions.ts';
import type { RecognitionMessage } from './live/messages.ts';
import type { Log } from './log.ts';
import type { Recognizer } from './recognition/recognizer.ts';
import { createOutboxStore } from './store/outbox.ts';
import type { Database } from './store/pool.ts';

export interface AttendanceSettings {
  readonly DATA_DIR: string;
  readonly SIMILARITY_THRESHOLD: number;
  readonly SCAN_INTERVAL: number;
  readonly MAX_SESSIONS: number;
  readonly SESSION_MAX_HOURS: number;
  readonly CALLBACK_MODE: 'every' | 'first';
  readonly CALLBACK_EXPIRE_HOURS: number;
  readonly JAVA_BACKEND_URL?: string;
  readonly ALLOWED_URL_HOSTS: readonly string[];
  readonly ALLOW_PRIVATE_URLS: boolean;
  readonly CAMERA_LOOKUP_PATH: string;
  readonly UPLOADS_DIR?: string;
  readonly MIN_FACE_PX: number;
  readonly MIN_FACE_QUALITY: number;
  readonly MIN_VIDEO_QUALITY: number;
}

export interface AttendanceParts {
  readonly settings: AttendanceSettings;
  readonly apiKey: string;
  readonly program: FfmpegProgram;
  readonly cameras: CameraHub;
  /** Of cameras that are saved here: asked where there is no backend. */
  readonly addressOf?: (cameraId: number) => string | null;
  readonly recognizer: Recognizer;
  readonly embedder: EmbedderModel;
  readonly database: Database;
  readonly bodies: BodyReader;
  readonly registry: Registry;
  readonly log: Log;
  readonly closers: Closers;
  /** Told of every frame of a session's camera that was looked at. */
  readonly onLook?: (slotId: number, cameraId: number, look: SessionLook) => void;
  /** Told of each student whom a camera saw, when the backend is told. */
  readonly onRecognition: (message: Omit<RecognitionMessage, 'type' | 'timestamp'>) => void;
  /** Shorter in tests. */
  readonly callbackTiming?: CallbackTiming;
}

export interface Attendance {
  /** Of the sessions that run. */
  readonly slotCameras: () => readonly SlotCamera[];
  readonly routes: readonly Route[];
  readonly sessions: Sessions;
  /** What waits for the backends. */
  readonly waiting: Outbox['waiting'];
  /** Whether the backend answers. */
  readonly backend: () => BackendStatus;
}

const PREVIEW_JPEG_QUALITY = 85;
/** The other half looks at the frames meanwhile: a decoder on every core costs more in all, and is no sooner done. */
const DECODER_THREADS = Math.max(1, availableParallelism() >> 1);

export async function composeAttendance(parts: AttendanceParts): Promise<Attendance> {
  const { settings, apiKey, program, recognizer, embedder, bodies, log, closers } = parts;
  const store = createOutboxStore(parts.database);
  // The gauges look at the sessions, which count into the metrics.
  let sessions: Sessions | null = null;
  const metrics: AttendanceMetrics = createAttendanceMetrics(parts.registry, {
    activeSessions: () => sessions?.list().length ?? 0,
    cameras: () => {
      const cameras = (sessions?.list() ?? []).flatMap((session) => session.cameras);
      return { total: cameras.length, active: cameras.filter(({ active }) => active).length };
    },
    waiting: () => store.waiting(),
  });
  const look: LookAtFrame = ({ bytes, width, height }, { index, source, ...wanted }) => {
    const input = { kind: 'video', bytes, width, height } as const;
    return recognizer.analyse({ input, index, ...wanted, jpegQuality: null }, source ?? undefined);
  };
  const backend = settings.JAVA_BACKEND_URL ?? null;
  const contact = createBackendContact(backend);
  const policy: UrlPolicy = {
    hosts: [
      ...(backend === null ? [] : [hostOf(new URL(backend))]),
      ...settings.ALLOWED_URL_HOSTS.map((host) => host.toLowerCase()),
    ],
    allowPrivate: settings.ALLOW_PRIVATE_URLS,
  };
  const tempFolder = await emptyFolder(join(settings.DATA_DIR, 'tmp'));

  const outbox = await openOutbox({
    store,
    apiKey,
    expireHours: settings.CALLBACK_EXPIRE_HOURS,
    metrics,
    log,
    timing: parts.callbackTiming,
    onAttempt: contact.note,
  });
  closers.add('outbox', () => outbox.close());
  const previews = await openPreviewFiles(tmpdir(), log);
  closers.add('camera pictures', () => previews.close());
  const requests = createSessionRequestReader({
    embedder,
    defaults: {
      similarityThreshold: settings.SIMILARITY_THRESHOLD,
      scanIntervalS: settings.SCAN_INTERVAL,
    },
    addressOf: backend === null ? parts.addressOf : undefined,
    log,
  });
  closers.add('session requests', () => requests.close());
  const started = createSessions({
    openCamera: cameraOpener(parts.cameras),
    look,
    outbox,
    onLook: parts.onLook,
    onRecognition: ({ slotId, roomId }, recognition) =>
      parts.onRecognition({ slotId, roomId, ...recognition }),
    mode: settings.CALLBACK_MODE,
    minFacePx: settings.MIN_FACE_PX,
    minQuality: settings.MIN_FACE_QUALITY,
    maxSessions: settings.MAX_SESSIONS,
    maxHours: settings.SESSION_MAX_HOURS,
    metrics,
    log,
  });
  sessions = started;
  closers.add('sessions', () => started.close());
  const videos = createFaceVideos({
    places: { uploadsFolder: settings.UPLOADS_DIR ?? null, tempFolder, policy },
    readFrames: (video) => videoFrames(program, { ...video, threads: DECODER_THREADS }),
    look,
    threads: recognizer.status.threads,
    minQuality: settings.MIN_VIDEO_QUALITY,
    metrics,
    log,
  });

  const askBackend = createCameraLookup({
    backendUrl: backend,
    path: settings.CAMERA_LOOKUP_PATH,
    apiKey,
    onCall: contact.note,
  });
  const lookUp: typeof askBackend = async (cameraId) =>
    (backend === null ? parts.addressOf?.(cameraId) : null) ?? askBackend(cameraId);

  return {
    slotCameras: () =>
      started
        .list()
        .flatMap(({ request: { slotId, cameras } }) =>
          cameras.map(({ id, name, rtspUrl }) => ({ slotId, cameraId: id, name, rtspUrl })),
        ),
    sessions: started,
    waiting: () => outbox.waiting(),
    backend: contact.status,
    routes: [
      ...sessionRoutes({ sessions: started, requests, policy, bodies }),
      ...embeddingRoutes({
        videos,
        embedderId: () => recognizer.status.embedder,
        uploadFolder: tempFolder,
        bodies,
      }),
      ...cameraRoutes({
        probe: (rtspUrl, signal) => probeCamera({ program, address: parseCameraUrl(rtspUrl), signal }),
        capture: async (rtspUrl, signal) => {
          const frame = await captureFrame({ program, address: parseCameraUrl(rtspUrl), signal });
          const { bytes, width, height, capturedAt } = frame;
          const { jpeg } = await recognizer.unpack({
            input: { kind: 'video', bytes, width, height },
            jpegQuality: PREVIEW_JPEG_QUALITY,
          });
          return { jpeg, width, height, capturedAt };
        },
        lookUp,
        shown: backend === null ? redactUrl : (rtspUrl) => rtspUrl,
        previews,
      }),
      ...metricsJsonRoutes({ sessions: started, metrics, registry: parts.registry }),
    ],
  };
}

/** A camera that fails at its first try is not waited for any longer: it goes on trying by itself. */
function cameraOpener(cameras: CameraHub): OpenCameraFeed {
  return ({ rtspUrl, scanIntervalS, onFrame }): CameraFeed => {
    const address = parseCameraUrl(rtspUrl);
    const use = cameras.use({ address, scanIntervalMs: scanIntervalS * 1000, onFrame });
    return {
      connected: use.connected,
      get status() {
        const { state, frameRate, lastFrameAt, lastFailure } = use.camera.report;
        const active = state === 'live';
        return { active, frameRate, lastFrameAt, trouble: active ? null : (lastFailure?.message ?? null) };
      },
      close: () => use.close(),
    };
  };
}

/** Whatever an earlier run left there is nobody's any more. */
async function emptyFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder))
    if (/\.(upload|video)$/.test(name)) await rm(join(folder, name), { force: true });
  return folder;
}

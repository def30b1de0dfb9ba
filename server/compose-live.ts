/** Builds what shows cameras: the hub that owns them, the saved ones, the media server, and the routes over them. */
import { networkInterfaces } from 'node:os';
import { type CameraLook, createCameraLooks } from './camera-looks.ts';
import { type CameraView, createCameraViews } from './camera-views.ts';
import {
  type CameraDirectory,
  createCameraDirectory,
  type KnownCamera,
  type SlotCamera,
} from './cameras/camera-directory.ts';
import { type CameraHub, createCameraHub, type SharedCamera } from './cameras/camera-hub.ts';
import type { FfmpegProgram } from './cameras/ffmpeg-program.ts';
import { openSavedCameras, type SavedCameras } from './cameras/saved-cameras.ts';
import type { Closers } from './closers.ts';
import type { FrameEvents } from './compose-devices.ts';
import { notFound, ServerError, StartError } from './errors.ts';
import type { AccessControl } from './http/api-key.ts';
import type { BodyReader } from './http/body.ts';
import type { Route } from './http/route.ts';
import { liveRoutes } from './http/routes/live.ts';
import { type CameraPreview, savedCameraRoutes } from './http/routes/saved-cameras.ts';
import { createBoardPictures } from './live/board-pictures.ts';
import { createLiveMetrics } from './live/live-metrics.ts';
import { type MediaServer, MediaServerMissingError, startMediaServer } from './live/media-server.ts';
import type { Message } from './live/messages.ts';
import { createPictureStreams } from './live/picture-stream.ts';
import { rtcListening } from './live/rtc-addresses.ts';
import { createViewers } from './live/viewers.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Gallery } from './recognition/gallery.ts';
import type { Recognizer } from './recognition/recognizer.ts';
import type { Database } from './store/pool.ts';
import { createSavedCameraStore } from './store/saved-cameras.ts';

export interface LiveSettings {
  readonly HOST: string;
  readonly SCAN_INTERVAL: number;
  readonly MEDIASOUP_WORKER_BIN?: string;
  readonly MEDIA_WORKERS: number;
  readonly ANNOUNCED_IP?: string;
  readonly RTC_MIN_PORT: number;
  readonly RTC_MAX_PORT: number;
  readonly LIVE_VIEWERS: number;
  readonly MAX_SAVED_CAMERAS: number;
}

export interface LiveParts {
  readonly settings: LiveSettings;
  /** Null where there is none: boards can be watched all the same. */
  readonly program: FfmpegProgram | null;
  readonly recognizer: Recognizer;
  readonly gallery: Gallery;
  readonly database: Database;
  readonly bodies: BodyReader;
  readonly access: Pick<AccessControl, 'maySeeClass'>;
  /** Of boards: their stored frames. */
  readonly frames: Parameters<typeof createBoardPictures>[0];
  readonly publish: (message: Message) => void;
  readonly isDevice: (deviceId: string) => boolean;
  readonly slotCameras: () => readonly SlotCamera[];
  readonly metrics: Metrics;
  readonly log: Log;
  readonly closers: Closers;
}

/** What the attendance sessions take of it. */
interface ForSessions {
  readonly cameras: CameraHub;
  /** The address of a saved camera, with its password; null where none has the number. */
  readonly addressOf: (cameraId: number) => string | null;
  /** A session looked at a frame of a camera: the page is told where no saved one tells it. */
  readonly onLook: (slotId: number, cameraId: number, look: CameraLook) => void;
}

export interface Live {
  readonly forSessions: ForSessions;
  readonly routes: readonly Route[];
  readonly directory: CameraDirectory;
  /** Process ids. */
  readonly mediaWorkers: () => readonly number[];
  /** Those who watch a board see the frames that are told to these. */
  readonly watching: (events: FrameEvents) => FrameEvents;
  /** Opens the saved cameras. Call it once the server listens, and its end has been handed to the closers. */
  begin(): Promise<void>;
}

const NO_FFMPEG = 'cameras need ffmpeg: install that of the operating system, or set FFMPEG_PATH';
const WHY_TRANSCODED =
  'browsers do not play what the camera sends: it is transcoded while somebody watches, which costs a core';

/** @throws {StartError} where the ports are the wrong way round */
export async function composeLive(parts: LiveParts): Promise<Live> {
  const { settings, program, database, bodies, publish, metrics, log, closers } = parts;
  const drop = (queue: string, reason: string) => () => metrics.queueDrops.inc({ queue, reason });
  const liveMetrics = createLiveMetrics(metrics.registry, {
    viewers: () => ({ webrtc: viewers.size, mjpeg: streams.size }),
    transcoders: () => hub.cameras().filter((camera) => isTranscoding(views.of(camera))).length,
  });
  const { media, why } =
    program === null
      ? { media: null, why: NO_FFMPEG }
      : await openMediaServer(settings, log, closers.ending, () => liveMetrics.mediaWorkerRestarts.inc());
  if (media) closers.add('media server', () => media.close());

  const views = createCameraViews({ program: program!, log, media });
  closers.add('camera views', () => views.close());
  const hub: CameraHub = createCameraHub({
    program: program!,
    log,
    openCopies: views.openCopies,
    onClosed: views.onClosed,
    onState(camera, state) {
      const trouble = state === 'live' ? null : (camera.report.lastFailure?.message ?? null);
      for (const known of directory.list())
        if (known.camera === camera)
          publish({ type: 'camera-status', cameraId: known.id, state, trouble, timestamp: Date.now() });
    },
  });
  closers.add('cameras', () => hub.close());
  let saved: SavedCameras | null = null;
  const directory = createCameraDirectory(hub, () => saved, parts.slotCameras);
  const looks = createCameraLooks(parts);

  const limit = settings.LIVE_VIEWERS;
  const viewers = createViewers({
    limit,
    onRefused: drop('viewers', 'full'),
    onDropped: (reason) => metrics.queueDrops.inc({ queue: 'viewers', reason: reason.replace(' ', '_') }),
  });
  const streams = createPictureStreams({
    limit,
    onRefused: drop('mjpeg', 'full'),
    onMissed: drop('mjpeg', 'missed'),
    onDropped: drop('mjpeg', 'silent'),
  });
  const boards = createBoardPictures(parts.frames);

  function previewOf(camera: SharedCamera): CameraPreview {
    const { codec, isCopied } = camera.report;
    if (media === null) return { kind: 'mjpeg', why };
    const isPlayed =
      codec === null || (codec === 'h264' && isCopied && !views.of(camera).preview?.hasBFrames);
    return { kind: 'webrtc', why: isPlayed ? null : WHY_TRANSCODED };
  }
  const savedCameras = (): SavedCameras => {
    if (program === null) throw new ServerError(503, 'NO_FFMPEG', NO_FFMPEG);
    if (saved === null)
      throw new ServerError(503, 'NOT_READY', 'the saved cameras are being opened', { retryAfterS: 1 });
    return saved;
  };

  return {
    forSessions: {
      cameras: hub,
      addressOf: (cameraId) => saved?.find(cameraId)?.saved.rtspUrl ?? null,
      onLook(slotId, cameraId, look) {
        // A camera of several sessions is shown with the names of the first: those of the others would take turns with them.
        const isFirst = ({ saved, slots: [first] }: KnownCamera) =>
          saved === null && first?.slotId === slotId && first.cameraId === cameraId;
        const known = directory.list().find(isFirst);
        if (known) looks.tell(known.id, look, slotId);
      },
    },
    directory,
    mediaWorkers: () => media?.pids ?? [],
    watching: (events) => ({
      ...events,
      stored(board, message, seen) {
        events.stored(board, message, seen);
        boards.stored(message.deviceId, message.filename);
      },
    }),
    routes: [
      ...savedCameraRoutes({
        directory,
        saved: savedCameras,
        previewOf: ({ camera }) => previewOf(camera),
        pictureOf: ({ camera }) => looks.picture(camera),
        facesIn: looks.facesIn,
        access: parts.access,
        bodies,
      }),
      ...liveRoutes({
        media: { rtpCapabilities: media?.rtpCapabilities ?? null, why },
        viewers,
        previewOf: (cameraId) => views.of(directory.find(cameraId).camera).preview,
        cameraPictures(cameraId) {
          const { mjpeg } = views.of(directory.find(cameraId).camera);
          return streams.open((onPicture) => mjpeg.watch(onPicture));
        },
        devicePictures(deviceId) {
          if (!parts.isDevice(deviceId)) throw notFound(`the device ${deviceId}`);
          return streams.open((onPicture) => boards.watch(deviceId, onPicture));
        },
        bodies,
      }),
    ],
    async begin() {
      // Before the HTTP server waits for the end of every answer: these have none.
      closers.add('live streams', () => {
        viewers.closeAll();
        streams.close();
      });
      if (program === null) return;
      saved = await openSavedCameras({
        store: createSavedCameraStore(database),
        hub,
        scanIntervalMs: settings.SCAN_INTERVAL * 1000,
        maxCameras: settings.MAX_SAVED_CAMERAS,
        onFrame: looks.look,
        log,
      });
      const opened = saved;
      closers.add('saved cameras', () => opened.close());
    },
  };
}

const isTranscoding = ({ preview, mjpeg }: CameraView) =>
  (preview?.isTranscoding ?? false) || mjpeg.watchers > 0;

async function openMediaServer(
  settings: LiveSettings,
  log: Log,
  ending: AbortSignal,
  onRestart: () => void,
): Promise<{ media: MediaServer | null; why: string | null }> {
  const { RTC_MIN_PORT: min, RTC_MAX_PORT: max } = settings;
  if (min > max)
    throw new StartError(`RTC_MAX_PORT: expected at least RTC_MIN_PORT (${min}), received ${max}`);
  const ownAddresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  const listening = rtcListening({
    host: settings.HOST,
    announcedIp: settings.ANNOUNCED_IP ?? null,
    ownAddresses,
  });
  try {
    const media = await startMediaServer({
      workerBin: settings.MEDIASOUP_WORKER_BIN ?? null,
      workers: settings.MEDIA_WORKERS,
      listening,
      ports: { min, max },
      log,
      ending,
      onRestart,
    });
    for (const warning of listening.warnings) log.warn(warning);
    const addresses = listening.addresses.map(({ ip, announced }) => announced ?? ip);
    log.info(
      { addresses, ports: `${min}-${max}`, workers: settings.MEDIA_WORKERS },
      'cameras are live by WebRTC',
    );
    return { media, why: null };
  } catch (error) {
    if (!(error instanceof MediaServerMissingError)) throw error;
    log.warn({ reason: error.message }, 'cameras are live as MJPEG alone: there is no media server');
    return { media: null, why: error.message };
  }
}

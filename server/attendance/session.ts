/** One recognition session: a slot's students, its cameras, and what they see until somebody stops it. */
import { randomUUID } from 'node:crypto';
import type { SessionCamera, SessionRequest } from '../../workers/protocol.ts';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AttendanceMetrics } from './attendance-metrics.ts';
import type { CameraFeed, OpenCameraFeed } from './camera-feed.ts';
import type { Outbox, SessionDelivery } from './outbox.ts';
import type { CallbackTarget, Recognition } from './recognition.ts';
import { Roster } from './roster.ts';
import { type ScanCounts, Scanner, type ScannerOptions, type SessionLook } from './scanner.ts';
import type { VideoFrame } from './video-frame.ts';

export interface SessionDependencies
  extends Pick<ScannerOptions, 'mode' | 'minFacePx' | 'minQuality' | 'look'> {
  readonly openCamera: OpenCameraFeed;
  readonly outbox: Outbox;
  /** Told of every frame that was looked at. */
  readonly onLook?: (slotId: number, cameraId: number, look: SessionLook) => void;
  /** Told of each recognition that goes out to the backend. */
  readonly onRecognition?: (target: CallbackTarget, recognition: Recognition) => void;
  readonly metrics: AttendanceMetrics;
  readonly log: Log;
}

export interface SessionCameraStatus {
  readonly id: number;
  readonly name: string;
  readonly active: boolean;
  readonly frameRate: number | null;
  readonly lastFrameAt: Date | null;
  readonly trouble: string | null;
}

interface OpenedCamera {
  readonly camera: SessionCamera;
  /** Null where its URL is none of a camera. */
  readonly feed: CameraFeed | null;
  readonly trouble: string | null;
}

/** The backend waits for the answer of stop-session. */
const LAST_DELIVERY_LIMIT_MS = 10_000;

export class Session {
  readonly request: SessionRequest;
  readonly startedAt: Date;
  readonly #target: CallbackTarget;
  readonly #dependencies: SessionDependencies;
  readonly #cameras: readonly OpenedCamera[];
  readonly #scanner: Scanner;
  readonly #roster: Roster;

  private constructor(
    request: SessionRequest,
    target: CallbackTarget,
    cameras: readonly OpenedCamera[],
    scanner: Scanner,
    roster: Roster,
    dependencies: SessionDependencies,
  ) {
    this.request = request;
    this.startedAt = new Date();
    this.#target = target;
    this.#cameras = cameras;
    this.#scanner = scanner;
    this.#roster = roster;
    this.#dependencies = dependencies;
  }

  /**
   * Tries all cameras at once; the session begins as soon as each of them has given a frame or given up.
   * @throws {ServerError} 500 ALL_CAMERAS_FAILED where none gave a frame
   */
  static async start(request: SessionRequest, dependencies: SessionDependencies): Promise<Session> {
    const { slotId, roomId, config } = request;
    const { outbox, metrics, log } = dependencies;
    const target = { sessionId: randomUUID(), slotId, roomId, callbackUrl: config.callbackUrl };
    const roster = await Roster.create(request);
    const scanner = new Scanner({
      ...dependencies,
      slotId,
      roster,
      config,
      onLook: (camera, look) => dependencies.onLook?.(slotId, camera.id, look),
      onRecognitions(recognitions) {
        outbox.put(target, recognitions);
        for (const recognition of recognitions) dependencies.onRecognition?.(target, recognition);
      },
    });
    // Before it is certain that there will be a session, only the newest frame of each camera is kept.
    let live = false;
    const early = new Map<SessionCamera, VideoFrame>();
    const cameras = request.cameras.map((camera) =>
      openCamera(camera, request, dependencies, async (frame) => {
        if (live) await scanner.scan(camera, frame);
        else early.set(camera, frame);
      }),
    );
    const connected = await Promise.all(
      cameras.map(async ({ camera, feed, trouble }) => {
        const why =
          feed === null
            ? trouble
            : await feed.connected.then(
                () => null,
                (error: Error) => error.message,
              );
        if (why === null) return true;
        log.warn({ slotId, cameraId: camera.id, reason: why }, 'a camera of the session gives no picture');
        return false;
      }),
    );
    if (!connected.includes(true)) {
      await Promise.all(cameras.map(({ feed }) => feed?.close()));
      roster.clear();
      throw new ServerError(
        500,
        'ALL_CAMERAS_FAILED',
        'Failed to connect to any camera. Cannot start session.',
      );
    }
    const session = new Session(request, target, cameras, scanner, roster, dependencies);
    live = true;
    for (const [camera, frame] of early) void scanner.scan(camera, frame);
    early.clear();
    metrics.sessionsStarted.inc();
    for (const { code, students } of request.warnings) metrics.sessionWarnings.inc({ code }, students);
    return session;
  }

  get counts(): Readonly<ScanCounts> {
    return this.#scanner.counts;
  }

  get delivery(): SessionDelivery {
    return this.#dependencies.outbox.delivery(this.#target.sessionId);
  }

  get cameras(): SessionCameraStatus[] {
    return this.#cameras.map(({ camera: { id, name }, feed, trouble }) => {
      const status = feed?.status ?? { active: false, frameRate: null, lastFrameAt: null, trouble };
      return { id, name, ...status };
    });
  }

  get activeCameras(): number {
    return this.#cameras.filter(({ feed }) => feed?.status.active).length;
  }

  /** Ends the cameras, waits for the frames under way, and tries to send what is left. */
  async stop({ deliver }: { deliver: boolean }): Promise<SessionDelivery> {
    await Promise.all(this.#cameras.map(({ feed }) => feed?.close()));
    await this.#scanner.settled();
    this.#roster.clear();
    return this.#dependencies.outbox.finish(this.#target, deliver ? LAST_DELIVERY_LIMIT_MS : 0);
  }
}

function openCamera(
  camera: SessionCamera,
  { slotId, config }: SessionRequest,
  dependencies: SessionDependencies,
  onFrame: (frame: VideoFrame) => Promise<void>,
): OpenedCamera {
  try {
    const feed = dependencies.openCamera({
      rtspUrl: camera.rtspUrl,
      scanIntervalS: config.scanIntervalS,
      slotId,
      cameraId: camera.id,
      onFrame,
    });
    // It is waited for a moment later; until then a rejection must not count as unhandled.
    feed.connected.catch(() => {});
    return { camera, feed, trouble: null };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return { camera, feed: null, trouble: error.message };
  }
}

/**
 * Who owns a camera: there is one ffmpeg for each address, whoever asks for its pictures. It starts with the first use and ends with
 * the last one. Where several machines share the cameras one day, they share them behind `CameraHub`.
 */
import type { Log } from '../log.ts';
import type { BackOffOptions } from './back-off.ts';
import { Camera, type CameraReport, type CameraState } from './camera.ts';
import type { CameraAddress } from './camera-address.ts';
import { type CopiedStream, type CopiedStreamSource, createCopiedStream } from './copied-stream.ts';
import type { Copies } from './ffmpeg-args.ts';
import type { FfmpegProgram } from './ffmpeg-program.ts';
import { type FrameHandler, NewestFrame } from './newest-frame.ts';
import type { VideoFrame } from './y4m.ts';

/** A camera that somebody uses. */
export interface SharedCamera {
  readonly address: CameraAddress;
  readonly report: CameraReport;
  /** Not to be given away or written to: it is everybody's. */
  readonly latestFrame: VideoFrame | null;
  /** Its stream as it comes, while it is live. */
  readonly copied: CopiedStream;
  /** Asks again where its copies go: ffmpeg starts anew. */
  renewCopies(): void;
}

export interface CameraUse {
  readonly camera: SharedCamera;
  /** Ends with the first frame of this use; rejects with words that may be shown where the camera failed first. It goes on trying. */
  readonly connected: Promise<void>;
  /** Frames that a newer one replaced before the handler was free. */
  readonly supersededFrames: number;
  /** No frame comes afterwards. Ends when ffmpeg is gone, if this was the last use. */
  close(): Promise<void>;
}

export interface UseOptions {
  readonly address: CameraAddress;
  readonly scanIntervalMs: number;
  /** Each frame is the handler's own, to give away. While it works on one, at most one more waits: the newest. */
  readonly onFrame: FrameHandler;
}

export interface CameraHub {
  use(options: UseOptions): CameraUse;
  cameras(): SharedCamera[];
  /** Null where nobody uses it. */
  find(address: CameraAddress): SharedCamera | null;
  /** Ends every camera. */
  close(): Promise<void>;
}

export interface HubOptions {
  readonly program: FfmpegProgram;
  readonly log: Log;
  /** Asked before each start of a camera's ffmpeg where its stream is copied to. */
  readonly openCopies?: (camera: SharedCamera) => Promise<Copies>;
  readonly onState?: (camera: SharedCamera, state: CameraState) => void;
  /** The last use is over. */
  readonly onClosed?: (camera: SharedCamera) => void;
  /** Shorter in tests. */
  readonly backOff?: BackOffOptions;
  readonly connectLimitMs?: number;
}

interface Use {
  readonly scanIntervalMs: number;
  readonly frames: NewestFrame;
  /** When its next frame is due, by the monotonic clock. */
  dueMs: number;
  readonly first: PromiseWithResolvers<void>;
}

interface Owned {
  readonly shared: SharedCamera;
  readonly camera: Camera;
  readonly copied: CopiedStreamSource;
  readonly uses: Set<Use>;
}

/** Of a longer interval than the camera's shortest: how much too early a frame may come, rather than a step of the shorter one later. */
const EARLY_SHARE = 0.1;

export function createCameraHub(options: HubOptions): CameraHub {
  const { program, log, openCopies, onState, onClosed, backOff, connectLimitMs } = options;
  const owned = new Map<string, Owned>();
  /** A camera that is being closed: the next one at its address waits, because cameras take few connections. */
  const closing = new Map<string, Promise<void>>();

  function open(address: CameraAddress, scanIntervalMs: number): Owned {
    const uses = new Set<Use>();
    const copied = createCopiedStream();
    let latestFrame: VideoFrame | null = null;
    const camera = new Camera({
      program,
      address,
      scanIntervalMs,
      log,
      backOff,
      connectLimitMs,
      openCopies: openCopies && (() => openCopies(shared)),
      onCopied: copied.push,
      onFrame(frame) {
        latestFrame = frame;
        const nowMs = performance.now();
        for (const use of uses) if (isDue(use, camera, nowMs)) offer(use, frame);
      },
      onState(state) {
        if (state === 'waiting')
          for (const use of uses) use.first.reject(new Error(camera.report.lastFailure!.message));
        onState?.(shared, state);
      },
    });
    const shared: SharedCamera = {
      address,
      copied,
      get report() {
        return camera.report;
      },
      get latestFrame() {
        return latestFrame;
      },
      renewCopies: () => camera.renewCopies(),
    };
    const made = { shared, camera, copied, uses };
    owned.set(address.secretUrl, made);
    void (closing.get(address.secretUrl) ?? Promise.resolve()).then(() => camera.start());
    return made;
  }

  /** On a grid of its own, so that the mean interval is kept where the camera's does not divide it. */
  function isDue(use: Use, { samplingMs }: Camera, nowMs: number): boolean {
    const { scanIntervalMs } = use;
    if (scanIntervalMs <= samplingMs) return true;
    if (nowMs < use.dueMs - scanIntervalMs * EARLY_SHARE) return false;
    const nextMs = use.dueMs + scanIntervalMs;
    use.dueMs = nextMs > nowMs ? nextMs : nowMs + scanIntervalMs;
    return true;
  }

  function offer(use: Use, frame: VideoFrame): void {
    use.first.resolve();
    // A copy: a Buffer's own slice would be a view.
    use.frames.offer({ ...frame, bytes: new Uint8Array(frame.bytes) });
  }

  async function leave(made: Owned, use: Use): Promise<void> {
    use.frames.close();
    use.first.reject(new Error('The camera was closed'));
    if (!made.uses.delete(use)) return closing.get(made.shared.address.secretUrl);
    if (made.uses.size > 0) {
      made.camera.scanIntervalMs = shortestOf(made.uses);
      return;
    }
    await close(made);
  }

  function close({ shared, camera, copied }: Owned): Promise<void> {
    const key = shared.address.secretUrl;
    owned.delete(key);
    copied.close();
    const closed = camera.stop().finally(() => {
      if (closing.get(key) === closed) closing.delete(key);
      onClosed?.(shared);
    });
    closing.set(key, closed);
    return closed;
  }

  return {
    use({ address, scanIntervalMs, onFrame }) {
      const made = owned.get(address.secretUrl) ?? open(address, scanIntervalMs);
      const use: Use = {
        scanIntervalMs,
        dueMs: performance.now(),
        first: Promise.withResolvers<void>(),
        frames: new NewestFrame(onFrame, (error) =>
          log.error({ err: error, camera: address.redactedUrl }, 'a frame could not be handled'),
        ),
      };
      // Whoever does not wait for it need not catch it.
      use.first.promise.catch(() => {});
      made.uses.add(use);
      if (made.uses.size > 1) join(made, use);
      return {
        camera: made.shared,
        connected: use.first.promise,
        get supersededFrames() {
          return use.frames.superseded;
        },
        close: () => leave(made, use),
      };
    },
    cameras: () => [...owned.values()].map(({ shared }) => shared),
    find: (address) => owned.get(address.secretUrl)?.shared ?? null,
    async close() {
      await Promise.all([...owned.values()].map((made) => close(made)));
      await Promise.all(closing.values());
    },
  };

  /** A use of a camera that others use already: it gets the frame that they saw, or a fresh try. */
  function join({ camera, shared, uses }: Owned, use: Use): void {
    const shortestMs = shortestOf(uses);
    if (shortestMs !== camera.scanIntervalMs) camera.scanIntervalMs = shortestMs;
    const { state, lastFrameAgeMs } = camera.report;
    const isFresh = state === 'live' && lastFrameAgeMs! < 2 * use.scanIntervalMs;
    if (isFresh && shared.latestFrame) {
      use.dueMs += use.scanIntervalMs;
      offer(use, shared.latestFrame);
    }
    if (state === 'waiting') camera.retry();
  }
}

const shortestOf = (uses: Iterable<Use>): number => Math.min(...[...uses].map((use) => use.scanIntervalMs));

/**
 * A camera: gives a frame each scan interval and is never given up. Whatever ends or silences it, it is tried again
 * after growing pauses until it is stopped.
 *
 *     connecting --first frame--> live <--frame / two intervals without--> stalled
 *     connecting, live, stalled --died, frozen, garbled--> waiting --pause over--> connecting
 *     any --stop--> stopped
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { CameraAttempt } from './attempt.ts';
import { BackOff, type BackOffOptions, CAMERA_BACK_OFF } from './back-off.ts';
import type { CameraAddress } from './camera-address.ts';
import type { CameraFault } from './camera-error.ts';
import { COPIED_CODECS, type Copies, type Decoding, NO_COPIES } from './ffmpeg-args.ts';
import type { FfmpegProgram } from './ffmpeg-program.ts';
import { KeyFrameSpacing } from './key-frames.ts';
import { type FrameHandler, NewestFrame } from './newest-frame.ts';
import type { VideoFrame } from './y4m.ts';

export type CameraState = 'connecting' | 'live' | 'stalled' | 'waiting' | 'stopped';

export interface CameraOptions {
  readonly program: FfmpegProgram;
  readonly address: CameraAddress;
  readonly scanIntervalMs: number;
  /** While it works on one frame, at most one more waits: the newest. */
  readonly onFrame: FrameHandler;
  readonly onState?: (state: CameraState) => void;
  /** Asked before each start of ffmpeg where the coded stream is to go; nowhere unless given. */
  readonly openCopies?: () => Promise<Copies>;
  readonly onCopied?: (chunk: Buffer) => void;
  readonly log: Log;
  /** How long the first frame may take: 10 s unless given. */
  readonly connectLimitMs?: number;
  readonly backOff?: BackOffOptions;
}

/** Counters run from `start` on. */
export interface CameraReport {
  readonly state: CameraState;
  readonly frames: number;
  /** Withheld: damaged or blank. */
  readonly garbledFrames: number;
  /** Not looked at, because a newer one came before the handler was free. */
  readonly supersededFrames: number;
  /** How often a camera was lost or could not be reached. */
  readonly failures: number;
  /** How often ffmpeg was started. */
  readonly starts: number;
  readonly lastFailure: { readonly fault: CameraFault; readonly message: string; readonly at: Date } | null;
  readonly lastFrameAt: Date | null;
  readonly lastFrameAgeMs: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly codec: string | null;
  /** Whether the coded stream is copied for others. */
  readonly isCopied: boolean;
  /** Frames a second that the camera sends, decoded or not; null while it gives none. */
  readonly frameRate: number | null;
  readonly decoding: Decoding;
  readonly keyFrameSpacingMs: number | null;
}

export const CONNECT_LIMIT_MS = 10_000;

export class Camera {
  readonly #options: CameraOptions;
  readonly #spacing: KeyFrameSpacing;
  readonly #backOff: BackOff;
  readonly #frames: NewestFrame;
  readonly #stopping = new AbortController();
  #retrying = new AbortController();
  #scanIntervalMs: number;
  readonly #firstFrame = Promise.withResolvers<boolean>();
  #state: CameraState = 'stopped';
  #attempt: CameraAttempt | null = null;
  #loop: Promise<void> | null = null;
  #lastFrame: Pick<VideoFrame, 'width' | 'height' | 'capturedAt'> | null = null;
  #lastFailure: CameraReport['lastFailure'] = null;
  #codec: string | null = null;
  #isCopied = false;
  /** ffmpeg ended before its first frame while it copied: pictures go before previews. */
  #cannotCopy = false;
  #count = { frames: 0, garbledFrames: 0, failures: 0, starts: 0 };

  constructor(options: CameraOptions) {
    this.#options = options;
    this.#scanIntervalMs = options.scanIntervalMs;
    this.#spacing = new KeyFrameSpacing(options.scanIntervalMs);
    this.#backOff = new BackOff(options.backOff ?? CAMERA_BACK_OFF);
    this.#frames = new NewestFrame(options.onFrame, (error) =>
      options.log.error({ err: error, camera: options.address.redactedUrl }, 'a frame could not be handled'),
    );
  }

  get state(): CameraState {
    return this.#state;
  }

  /** Of the ffmpeg that runs now. */
  get pid(): number | undefined {
    return this.#attempt?.pid;
  }

  get report(): CameraReport {
    const { width = null, height = null, capturedAt: lastFrameAt = null } = this.#lastFrame ?? {};
    return {
      ...this.#count,
      state: this.#state,
      supersededFrames: this.#frames.superseded,
      lastFailure: this.#lastFailure,
      lastFrameAt,
      lastFrameAgeMs: lastFrameAt === null ? null : Math.max(0, Date.now() - lastFrameAt.getTime()),
      width,
      height,
      codec: this.#codec,
      isCopied: this.#isCopied,
      frameRate: this.#attempt?.frameRate ?? null,
      decoding: this.#spacing.decoding,
      keyFrameSpacingMs: this.#spacing.spacingMs,
    };
  }

  get scanIntervalMs(): number {
    return this.#scanIntervalMs;
  }

  /** The interval that the ffmpeg that runs keeps to. */
  get samplingMs(): number {
    return this.#attempt?.scanIntervalMs ?? this.#scanIntervalMs;
  }

  /** A shorter interval starts ffmpeg again. A longer one does not: frames come too often until it starts for another reason. */
  set scanIntervalMs(scanIntervalMs: number) {
    this.#scanIntervalMs = scanIntervalMs;
    this.#spacing.intervalMs = scanIntervalMs;
    if (this.#attempt !== null && scanIntervalMs < this.#attempt.scanIntervalMs) this.#attempt.startAgain();
  }

  /** Ends a pause between two attempts: somebody new waits for pictures. */
  retry(): void {
    this.#retrying.abort();
  }

  /** Asks again where the copies are to go: ffmpeg starts anew. */
  renewCopies(): void {
    this.#attempt?.startAgain();
  }

  /** Once; a stopped camera stays stopped. */
  start(): void {
    if (this.#loop !== null || this.#stopping.signal.aborted) return;
    this.#loop = this.#keepTrying();
  }

  /** Whether a frame has come, or comes within the limit; false at once where it is stopped. */
  async connected(limitMs = CONNECT_LIMIT_MS): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, limitMs, false);
    });
    try {
      return await Promise.race([this.#firstFrame.promise, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when its ffmpeg is gone. No frame is handed over after the call; one that the handler holds is its own affair. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#frames.close();
    this.#firstFrame.resolve(false);
    await this.#attempt?.stop();
    await this.#loop;
    this.#enter('stopped');
  }

  async #keepTrying(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#enter('connecting');
      const copies = await this.#openCopies();
      if (signal.aborted) return;
      this.#isCopied = copies.rtp !== null || copies.pipe;
      this.#count.starts++;
      const attempt = new CameraAttempt({
        ...this.#options,
        scanIntervalMs: this.#scanIntervalMs,
        copies,
        onCodec: (codec) => {
          this.#codec = codec;
        },
        connectLimitMs: this.#options.connectLimitMs ?? CONNECT_LIMIT_MS,
        spacing: this.#spacing,
        onFrame: (frame) => this.#take(frame),
        onGarbled: () => this.#count.garbledFrames++,
        onOverdue: () => this.#enter('stalled'),
      });
      this.#attempt = attempt;
      const { error, liveMs } = await attempt.ended;
      this.#attempt = null;
      if (signal.aborted) return;
      const isFruitless = error?.fault === 'ended' && liveMs === 0 && attempt.codec !== null;
      if (isFruitless && this.#isCopied) {
        this.#cannotCopy = true;
        this.#log('warn', `is started again without copies of its stream: ${error.message}`);
        continue;
      }
      if (isFruitless) this.#cannotCopy = false;
      if (error === null) {
        this.#log('info', `is started again, and decodes ${this.#spacing.decoding}`);
        continue;
      }
      this.#count.failures++;
      this.#lastFailure = { fault: error.fault, message: error.message, at: new Date() };
      const pauseMs = this.#backOff.nextMs(liveMs);
      this.#enter('waiting');
      this.#log('warn', `${error.message}; tried again in ${(pauseMs / 1000).toFixed(1)} s`);
      this.#retrying = new AbortController();
      const either = AbortSignal.any([signal, this.#retrying.signal]);
      await pause(pauseMs, undefined, { signal: either }).catch(() => {});
    }
  }

  async #openCopies(): Promise<Copies> {
    if (this.#cannotCopy || (this.#codec !== null && !COPIED_CODECS.includes(this.#codec))) return NO_COPIES;
    return (await this.#options.openCopies?.()) ?? NO_COPIES;
  }

  #take(frame: VideoFrame): void {
    const { width, height, capturedAt } = frame;
    this.#count.frames++;
    this.#lastFrame = { width, height, capturedAt };
    this.#enter('live');
    this.#firstFrame.resolve(true);
    this.#frames.offer(frame);
  }

  #enter(state: CameraState): void {
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    if (state === 'live' && before === 'connecting') this.#log('info', 'is live');
    this.#options.onState?.(state);
  }

  #log(level: 'info' | 'warn', what: string): void {
    const { log, address } = this.#options;
    log[level]({ camera: address.redactedUrl, failures: this.#count.failures }, `camera ${what}`);
  }
}

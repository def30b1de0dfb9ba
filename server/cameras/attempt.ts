/** One try to get pictures from a camera: one ffmpeg, watched by its frames, from its start to its end. */
import { isBlank } from './blank-frame.ts';
import type { CameraAddress } from './camera-address.ts';
import { CameraError, explainExit, timeoutError } from './camera-error.ts';
import { type FfmpegProcess, startFfmpeg } from './ffmpeg.ts';
import { COPIED_CODECS, type Copies, type Decoding, liveFramesArgs, NO_COPIES } from './ffmpeg-args.ts';
import type { LogEvent } from './ffmpeg-log.ts';
import type { FfmpegProgram } from './ffmpeg-program.ts';
import type { KeyFrameSpacing } from './key-frames.ts';
import type { VideoFrame } from './y4m.ts';

export interface AttemptOptions {
  readonly program: FfmpegProgram;
  readonly address: CameraAddress;
  readonly scanIntervalMs: number;
  /** How long the first frame may take. */
  readonly connectLimitMs: number;
  /** Told of every key frame, and asked which frames to decode. */
  readonly spacing: KeyFrameSpacing;
  readonly onFrame: (frame: VideoFrame) => void;
  readonly onGarbled: () => void;
  /** No frame for two intervals. */
  readonly onOverdue: () => void;
  /** The stream as it comes, for others than the recognition; none unless given. */
  readonly copies?: Copies;
  readonly onCopied?: (chunk: Buffer) => void;
  /** As soon as it is known what the camera sends. */
  readonly onCodec?: (codec: string) => void;
}

export interface AttemptEnd {
  /** Null where nothing is wrong: it was stopped, or ffmpeg has to be told something else. */
  readonly error: CameraError | null;
  /** From the first frame to the last. */
  readonly liveMs: number;
}

const OVERDUE_INTERVALS = 2;
const LOST_INTERVALS = 3;
/** A shorter interval says nothing: the network alone may hold frames up for so long. */
const MIN_LOST_MS = 2000;
const MAX_GARBLED_IN_A_ROW = 3;
const RATE_WINDOW_MS = 5000;
/** A watch that comes this late was held up with everything else: frames may lie in the pipe unread. */
const HELD_UP_MS = 1000;

export class CameraAttempt {
  /** Resolves when the process is gone. */
  readonly ended: Promise<AttemptEnd>;
  readonly decoding: Decoding;
  codec: string | null = null;
  /** Frames a second that the camera sends, measured; null in the first seconds. */
  frameRate: number | null = null;
  readonly #options: AttemptOptions;
  readonly #process: FfmpegProcess;
  readonly #startedAtMs = performance.now();
  readonly #watch: NodeJS.Timeout;
  readonly #tickMs: number;
  #lastTickAtMs = this.#startedAtMs;
  #firstFrameAtMs: number | null = null;
  #lastFrameAtMs = 0;
  #hasPackets = false;
  #rateSinceMs = 0;
  #packets = 0;
  /** Complaints since the last decoded frame, and whether what is decoded now builds on a damaged picture. */
  #damageSeen = false;
  #isDamaged = false;
  #garbledInARow = 0;
  #error: CameraError | null = null;

  constructor(options: AttemptOptions) {
    this.#options = options;
    const { program, address, scanIntervalMs, spacing, copies = NO_COPIES, onCopied } = options;
    spacing.restart();
    this.decoding = spacing.decoding;
    this.#process = startFfmpeg({
      path: program.path,
      args: liveFramesArgs(program, address, scanIntervalMs, this.decoding, copies),
      secrets: address,
      onCopied: copies.pipe ? onCopied : undefined,
      onFrame: (frame) => this.#take(frame),
      onEvent: (event) => this.#note(event),
    });
    this.#tickMs = Math.min(500, Math.max(50, scanIntervalMs / 4));
    this.#watch = setInterval(() => this.#look(), this.#tickMs);
    this.ended = this.#end();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get scanIntervalMs(): number {
    return this.#options.scanIntervalMs;
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    await this.#process.stop();
  }

  /** Nothing is wrong, but ffmpeg has to be told something else. */
  startAgain(): void {
    this.#giveUp(null);
  }

  async #end(): Promise<AttemptEnd> {
    const exit = await this.#process.exit;
    clearInterval(this.#watch);
    if (this.#firstFrameAtMs === null && this.#hasPackets && this.#error)
      this.#options.spacing.sawNoPicture();
    // Exit code 0 too: ffmpeg says so when a camera falls silent.
    const error = exit.stopped ? this.#error : explainExit(exit);
    const liveMs = this.#firstFrameAtMs === null ? 0 : this.#lastFrameAtMs - this.#firstFrameAtMs;
    return { error, liveMs };
  }

  #giveUp(error: CameraError | null): void {
    this.#error = error;
    void this.stop();
  }

  #note(event: LogEvent): void {
    const nowMs = performance.now();
    if (event.kind === 'packet') {
      this.#packets++;
      this.#hasPackets = true;
      this.#options.spacing.packet(nowMs);
    } else if (event.kind === 'decoded') {
      if (event.isKeyFrame) this.#options.spacing.keyFrame(nowMs);
      this.#isDamaged = this.#damageSeen || (this.#isDamaged && !event.isKeyFrame);
      this.#damageSeen = false;
    } else if (event.kind === 'damaged') {
      this.#damageSeen = true;
    } else {
      this.codec = event.codec;
      this.#options.onCodec?.(event.codec);
      const { rtp, pipe } = this.#options.copies ?? NO_COPIES;
      // Else ffmpeg would end by itself, at a muxer that does not know the codec.
      if ((rtp !== null || pipe) && !COPIED_CODECS.includes(event.codec)) this.startAgain();
    }
  }

  /** A damaged picture is withheld: nobody's face should be judged by a decoder's guess. */
  #take(frame: VideoFrame): void {
    this.#lastFrameAtMs = performance.now();
    if (this.#damageSeen || this.#isDamaged || isBlank(frame)) {
      this.#options.onGarbled();
      if (++this.#garbledInARow >= MAX_GARBLED_IN_A_ROW)
        this.#giveUp(new CameraError('garbled', 'The pictures are damaged'));
      return;
    }
    this.#garbledInARow = 0;
    if (this.#firstFrameAtMs === null) {
      this.#firstFrameAtMs = this.#rateSinceMs = this.#lastFrameAtMs;
      this.#packets = 0;
    }
    this.#options.onFrame(frame);
  }

  #look(): void {
    const nowMs = performance.now();
    const wasHeldUp = nowMs - this.#lastTickAtMs > this.#tickMs + HELD_UP_MS;
    this.#lastTickAtMs = nowMs;
    if (wasHeldUp) return;
    const { scanIntervalMs, connectLimitMs, spacing, onOverdue } = this.#options;
    if (this.#firstFrameAtMs === null) {
      if (nowMs - this.#startedAtMs > connectLimitMs) this.#giveUp(timeoutError(connectLimitMs));
      return;
    }
    this.#measureRate(nowMs);
    const silentMs = nowMs - this.#lastFrameAtMs;
    if (spacing.decoding !== this.decoding) this.#giveUp(null);
    else if (silentMs > Math.max(LOST_INTERVALS * scanIntervalMs, MIN_LOST_MS))
      this.#giveUp(new CameraError('frozen', `No frame for ${(silentMs / 1000).toFixed(1)} seconds`));
    else if (silentMs > Math.max(OVERDUE_INTERVALS * scanIntervalMs, MIN_LOST_MS / 2)) onOverdue();
  }

  #measureRate(nowMs: number): void {
    const elapsedMs = nowMs - this.#rateSinceMs;
    if (elapsedMs < RATE_WINDOW_MS) return;
    this.frameRate = (this.#packets * 1000) / elapsedMs;
    this.#packets = 0;
    this.#rateSinceMs = nowMs;
  }
}

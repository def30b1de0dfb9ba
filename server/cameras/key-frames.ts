/** Whether key frames alone are enough for a scan interval: decided from their measured spacing. */
import type { Decoding } from './ffmpeg-args.ts';

/** One late key frame may be the network; two in a row are the camera's setting. */
const LONG_GAPS_TO_LEAVE = 2;
/** Decoding all frames is only dear, so there is no hurry to go back. */
const SHORT_GAPS_TO_RETURN = 10;
/** Key frames come in step with the camera's clock, give or take the network. */
const TOLERANCE = 1.1;

/**
 * Starts with key frames alone. They stay enough while one comes at least every scan interval: then each interval has its frame, and
 * two scans are less than two intervals apart.
 */
export class KeyFrameSpacing {
  #intervalMs: number;
  #decoding: Decoding = 'key frames';
  #lastAtMs: number | null = null;
  #lastGapMs: number | null = null;
  #longGaps = 0;
  #shortGaps = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  get decoding(): Decoding {
    return this.#decoding;
  }

  /** Between the last two key frames; null until there were two. */
  get spacingMs(): number | null {
    return this.#lastGapMs;
  }

  /** What the key frames are measured against from now on. */
  set intervalMs(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** A new connection: the time since the last key frame says nothing about the camera. */
  restart(): void {
    this.#lastAtMs = null;
    this.#longGaps = 0;
    this.#shortGaps = 0;
  }

  keyFrame(nowMs: number): void {
    const gapMs = this.#lastAtMs === null ? null : nowMs - this.#lastAtMs;
    this.#lastAtMs = nowMs;
    if (gapMs === null) return;
    this.#lastGapMs = gapMs;
    const isLong = gapMs > this.#intervalMs * TOLERANCE;
    this.#longGaps = isLong ? this.#longGaps + 1 : 0;
    this.#shortGaps = isLong ? 0 : this.#shortGaps + 1;
    if (this.#longGaps >= LONG_GAPS_TO_LEAVE) this.#decoding = 'all frames';
    else if (this.#shortGaps >= SHORT_GAPS_TO_RETURN) this.#decoding = 'key frames';
  }

  /** Frames of any kind still come long after the last key frame. Where none come, the camera is frozen, whatever its spacing. */
  packet(nowMs: number): void {
    if (this.#lastAtMs !== null && nowMs - this.#lastAtMs > 2 * this.#intervalMs)
      this.#decoding = 'all frames';
  }

  /** An attempt ended without any picture although packets came: some cameras never send what counts as a key frame. */
  sawNoPicture(): void {
    this.#decoding = this.#decoding === 'key frames' ? 'all frames' : 'key frames';
  }
}

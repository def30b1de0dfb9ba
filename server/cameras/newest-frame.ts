/** Hands frames to somebody who may be slower than they come: one is with him, one waits, and a newer one takes its place. */
import type { VideoFrame } from './y4m.ts';

export type FrameHandler = (frame: VideoFrame) => void | Promise<void>;

export class NewestFrame {
  /** Frames that a newer one replaced before anybody saw them. */
  superseded = 0;
  readonly #handle: FrameHandler;
  readonly #onError: (error: unknown) => void;
  #waiting: VideoFrame | null = null;
  #busy = false;
  #closed = false;

  /** @param onError told what the handler throws; the next frame is handed over all the same */
  constructor(handle: FrameHandler, onError: (error: unknown) => void) {
    this.#handle = handle;
    this.#onError = onError;
  }

  offer(frame: VideoFrame): void {
    if (this.#closed) return;
    if (this.#waiting) this.superseded++;
    this.#waiting = frame;
    if (!this.#busy) void this.#work();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = null;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting) {
      const frame = this.#waiting;
      this.#waiting = null;
      try {
        await this.#handle(frame);
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#busy = false;
  }
}

/** Pauses between attempts: each about twice the one before, up to a limit, spread so that cameras do not come back in step. */
export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A camera that gave pictures for so long starts again with the first pause. */
  readonly forgivenAfterMs: number;
  /** From 0 to 1; given by tests. */
  readonly random?: () => number;
}

export const CAMERA_BACK_OFF: BackOffOptions = { firstMs: 1000, maxMs: 30_000, forgivenAfterMs: 60_000 };

export class BackOff {
  readonly #options: BackOffOptions;
  #failures = 0;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** @param liveMs how long the last attempt gave pictures @returns the next pause, from half to the whole of its step */
  nextMs(liveMs: number): number {
    const { firstMs, maxMs, forgivenAfterMs, random = Math.random } = this.#options;
    if (liveMs >= forgivenAfterMs) this.#failures = 0;
    // The exponent is held down: 2 to the 1024 is no number.
    const stepMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures++, 30));
    return Math.round(stepMs * (0.5 + 0.5 * random()));
  }
}

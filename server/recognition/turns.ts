/** When each source last had its turn, so that those that waited longest can go first where not all can be served. */

export interface TurnsOptions {
  /** Sources that are remembered at most. */
  readonly maxSources?: number;
  /** A source that has not asked for this long is forgotten where room is needed. */
  readonly forgetAfterMs?: number;
  readonly monotonicMs?: () => number;
}

interface Remembered {
  /** Of the last turn; until the first one, of the first time that the source was seen. */
  turnMs: number;
  seenMs: number;
}

/** Twice the boards that a server knows unless told otherwise. */
const MAX_SOURCES = 20_000;
const FORGET_AFTER_MS = 60_000;
/** Looking through all of them takes a millisecond: not for every newcomer of a flood of made-up names. */
const SWEEP_EVERY_MS = 1000;

export class Turns {
  readonly #maxSources: number;
  readonly #forgetAfterMs: number;
  readonly #monotonicMs: () => number;
  readonly #sources = new Map<string, Remembered>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor({ maxSources = MAX_SOURCES, forgetAfterMs = FORGET_AFTER_MS, monotonicMs }: TurnsOptions = {}) {
    this.#maxSources = maxSources;
    this.#forgetAfterMs = forgetAfterMs;
    this.#monotonicMs = monotonicMs ?? (() => performance.now());
  }

  get size(): number {
    return this.#sources.size;
  }

  /**
   * A source asks. One that was never seen stands behind all that were: a client that makes up a new name with every request gains
   * nothing by it.
   * @returns when it last had its turn, or was first seen
   */
  asked(source: string): number {
    const nowMs = this.#monotonicMs();
    const known = this.#sources.get(source);
    if (known !== undefined) {
      known.seenMs = nowMs;
      return known.turnMs;
    }
    if (this.#sources.size >= this.#maxSources) this.#forget(nowMs);
    if (this.#sources.size < this.#maxSources) this.#sources.set(source, { turnMs: nowMs, seenMs: nowMs });
    return nowMs;
  }

  /** A source has its turn now. */
  taken(source: string): void {
    const known = this.#sources.get(source);
    if (known !== undefined) known.turnMs = this.#monotonicMs();
  }

  #forget(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_EVERY_MS) return;
    this.#sweptMs = nowMs;
    for (const [source, { seenMs }] of this.#sources)
      if (nowMs - seenMs >= this.#forgetAfterMs) this.#sources.delete(source);
  }
}

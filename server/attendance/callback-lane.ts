/** Everything on its way to one backend. Each backend has a lane of its own, so that a slow one holds up no other. */
import type { Log } from '../log.ts';
import { type AttemptOutcome, postBatch } from './callback-request.ts';
import type { OutboxStore, WaitingBatch } from './outbox-store.ts';

export interface LaneOptions {
  readonly store: OutboxStore;
  readonly apiKey: string;
  readonly timing: CallbackTiming;
  readonly log: Log;
  readonly onAttempt: (outcome: AttemptOutcome['kind'], seconds: number) => void;
  /** The batch is delivered or refused, and gone; or its round of attempts has failed, and it waits again. */
  readonly onSettled: (batch: WaitingBatch, outcome: AttemptOutcome['kind']) => void;
}

export interface CallbackTiming {
  readonly timeoutMs: number;
  /** Between the attempts of a round: one attempt more than there are pauses. */
  readonly attemptPausesMs: readonly number[];
  /** After a failed round; doubled with each further one up to the longest. */
  readonly roundPauseMs: number;
  readonly longestRoundPauseMs: number;
}

export const CALLBACK_TIMING: CallbackTiming = {
  timeoutMs: 30_000,
  attemptPausesMs: [1000, 4000],
  roundPauseMs: 5000,
  longestRoundPauseMs: 60_000,
};

const MAX_REQUESTS_AT_A_TIME = 4;
/** How much longer a batch may be claimed than its round can take: it is gone by then, or its process is. */
const CLAIM_GRACE_MS = 30_000;
/** A batch that fails while others get through waits up to this many of the longest pauses. */
const BATCH_PAUSE_FACTOR = 10;
/** After as many failed rounds in a row without a success it was the backend, not a batch. */
const OUTAGE_ROUNDS = 2;
/** The database may be away too. */
const STORE_PAUSE_MS = 1000;

export class CallbackLane {
  readonly origin: string;
  readonly #options: LaneOptions;
  readonly #claimMs: number;
  readonly #closing = new AbortController();
  readonly #runners = new Set<Promise<void>>();
  #again = false;
  #timer: NodeJS.Timeout | null = null;
  #pausedUntilMs = 0;
  /** Rounds in a row that found nobody. */
  #awayRounds = 0;

  constructor(origin: string, options: LaneOptions) {
    this.origin = origin;
    this.#options = options;
    const { timeoutMs, attemptPausesMs } = options.timing;
    const pausesMs = attemptPausesMs.reduce((sum, pause) => sum + pause, 0);
    this.#claimMs = timeoutMs * (attemptPausesMs.length + 1) + pausesMs + CLAIM_GRACE_MS;
  }

  /** Something new waits, or may be due. */
  wake(): void {
    if (this.#closing.signal.aborted) return;
    const pauseMs = this.#pausedUntilMs - performance.now();
    if (pauseMs > 0) {
      this.#wakeIn(pauseMs);
      return;
    }
    // While nobody answers, one request at a time finds out whether somebody is back.
    const most = this.#awayRounds > 0 ? 1 : MAX_REQUESTS_AT_A_TIME;
    if (this.#runners.size >= most) {
      this.#again = true;
      return;
    }
    const runner = this.#run().finally(() => {
      this.#runners.delete(runner);
      if (this.#runners.size === 0) void this.#rest();
    });
    this.#runners.add(runner);
  }

  /** Tries again at once, though the backend was away a moment ago. */
  hurry(): void {
    this.#pausedUntilMs = 0;
    this.wake();
  }

  /** Cuts requests short: what they carried stays in the outbox. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#timer) clearTimeout(this.#timer);
    await Promise.all(this.#runners);
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closing.signal.aborted && performance.now() >= this.#pausedUntilMs) {
        const [batch] = await this.#options.store.claim(this.origin, 1, this.#claimMs);
        if (batch === undefined) return;
        // Where there is one there may be more.
        if (this.#runners.size < MAX_REQUESTS_AT_A_TIME && this.#awayRounds === 0) this.wake();
        await this.#deliver(batch);
      }
    } catch (error) {
      this.#options.log.error({ err: error, origin: this.origin }, 'the outbox cannot be read or written');
      this.#pausedUntilMs = performance.now() + STORE_PAUSE_MS;
    }
  }

  /** No runner is left: sleeps until the next batch is due. */
  async #rest(): Promise<void> {
    if (this.#again) {
      this.#again = false;
      this.wake();
      return;
    }
    try {
      const dueMs = await this.#options.store.nextDueMs(this.origin);
      if (dueMs !== null) this.#wakeIn(Math.max(dueMs, this.#pausedUntilMs - performance.now()));
    } catch {
      this.#wakeIn(STORE_PAUSE_MS);
    }
  }

  #wakeIn(pauseMs: number): void {
    if (this.#closing.signal.aborted) return;
    if (this.#timer) clearTimeout(this.#timer);
    // The database counts in its own clock and finer than a timer does.
    this.#timer = setTimeout(() => this.wake(), Math.min(Math.ceil(pauseMs) + 1, 2 ** 31 - 1));
  }

  async #deliver(batch: WaitingBatch): Promise<void> {
    const { store, log, onSettled } = this.#options;
    const outcome = await this.#attempts(batch);
    if (outcome === null) return store.release([batch.batchId]);
    const told = { batchId: batch.batchId, origin: this.origin, recognitions: batch.recognitions };
    if (outcome.kind === 'failed') {
      const pauseMs = this.#pauseAfter(batch, outcome);
      await store.postpone(batch.batchId, pauseMs);
      log.warn({ ...told, reason: outcome.reason, pauseMs }, 'callback failed; it is tried again later');
    } else {
      await store.remove(batch.batchId);
      if (outcome.kind === 'refused')
        log.error(
          { ...told, reason: outcome.reason },
          'the backend refused a callback; it is not tried again',
        );
      else log.debug(told, 'callback delivered');
      await this.#noteBack();
    }
    onSettled(batch, outcome.kind);
  }

  /** One round. Null where the lane is closed meanwhile. */
  async #attempts(batch: WaitingBatch): Promise<AttemptOutcome | null> {
    const { apiKey, timing, onAttempt } = this.#options;
    const { signal } = this.#closing;
    for (let attempt = 0; ; attempt++) {
      const startedMs = performance.now();
      const outcome = await postBatch({
        url: batch.callbackUrl,
        body: batch.body,
        apiKey,
        timeoutMs: timing.timeoutMs,
        signal,
      });
      // A delivery that was answered in the last moment still counts.
      if (outcome.kind === 'failed' && signal.aborted) return null;
      onAttempt(outcome.kind, (performance.now() - startedMs) / 1000);
      const pauseMs = timing.attemptPausesMs[attempt];
      if (outcome.kind !== 'failed' || pauseMs === undefined) return outcome;
      await sleep(jittered(pauseMs), signal);
      if (signal.aborted) return null;
    }
  }

  /** How long this batch rests; where the backend is away, the whole lane does. */
  #pauseAfter(batch: WaitingBatch, { away, retryAfterMs }: AttemptOutcome & { kind: 'failed' }): number {
    const { roundPauseMs, longestRoundPauseMs } = this.#options.timing;
    if (away) {
      const lanePauseMs = Math.min(roundPauseMs * 2 ** this.#awayRounds, longestRoundPauseMs);
      this.#awayRounds++;
      this.#pausedUntilMs = performance.now() + Math.max(jittered(lanePauseMs), retryAfterMs ?? 0);
    }
    const longestMs = longestRoundPauseMs * BATCH_PAUSE_FACTOR;
    return Math.round(jittered(Math.min(roundPauseMs * 2 ** batch.failedRounds, longestMs)));
  }

  async #noteBack(): Promise<void> {
    const wasOutage = this.#awayRounds >= OUTAGE_ROUNDS;
    this.#awayRounds = 0;
    if (!wasOutage) return;
    this.#options.log.info({ origin: this.origin }, 'the backend answers again; what waits is sent');
    await this.#options.store.hurry(this.origin);
    this.#again = true;
  }
}

/** Between 80 and 120 % of it, so that many lanes do not knock at the same moment. */
const jittered = (ms: number): number => ms * (0.8 + 0.4 * Math.random());

/** Ends early when the signal says so. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

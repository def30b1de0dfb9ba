/**
 * Work that waits for a thread: bounded, first come first served, and of each source only the newest. A camera or a board that
 * sends faster than it is served replaces its own waiting frame, at the same place in the line, and holds up nobody else.
 */
import { ServerError } from '../errors.ts';

export interface BacklogOptions<Job, Answer> {
  /** How many jobs may wait. */
  readonly limit: number;
  /** How many jobs run at a time. */
  readonly concurrency: number;
  readonly run: (job: Job) => Promise<Answer>;
  /** Told of each job that will never run. */
  readonly onDrop?: (reason: DropReason) => void;
  /** Told how long each job waited before it ran, in milliseconds. */
  readonly onStart?: (waitedMs: number) => void;
}

export type DropReason = 'superseded' | 'overloaded' | 'closed';

interface Waiting<Job, Answer> {
  job: Job;
  since: number;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** A second is about how long a full queue takes to move on; the client decides what to do with it. */
const RETRY_AFTER_S = 1;

export class Backlog<Job, Answer> {
  readonly #options: BacklogOptions<Job, Answer>;
  /** In the order of arrival: a Map keeps the place of a key whose value is replaced. */
  readonly #waiting = new Map<string | symbol, Waiting<Job, Answer>>();
  readonly #idle: (() => void)[] = [];
  #concurrency: number;
  #running = 0;
  #closed = false;

  constructor(options: BacklogOptions<Job, Answer>) {
    this.#options = options;
    this.#concurrency = options.concurrency;
  }

  /** Jobs that wait, without those that run. */
  get depth(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running;
  }

  /** How many run at a time from now on; those that run already are left to end. */
  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#advance();
  }

  /**
   * @param source who sends; null where every job counts by itself
   * @throws ServerError 429 where a newer job of the same source takes its place or the line is full, 503 after `close`
   */
  submit(job: Job, source: string | null): Promise<Answer> {
    if (this.#closed) return this.#refuse('closed', shuttingDown());
    const key = source ?? Symbol('job');
    const older = this.#waiting.get(key);
    if (
      older === undefined &&
      this.#running >= this.#concurrency &&
      this.#waiting.size >= this.#options.limit
    ) {
      return this.#refuse('overloaded', overloadedError(this.#options.limit));
    }
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(key, { job, since: performance.now(), resolve, reject });
      if (older) {
        this.#options.onDrop?.('superseded');
        older.reject(supersededError());
      }
      this.#advance();
    });
  }

  /** Takes no new work; ends when what waits and what runs is finished. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running > 0 || this.#waiting.size > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #refuse(reason: DropReason, error: ServerError): Promise<never> {
    this.#options.onDrop?.(reason);
    return Promise.reject(error);
  }

  #advance(): void {
    while (this.#running < this.#concurrency && this.#waiting.size > 0) {
      const [key, next] = this.#waiting.entries().next().value!;
      this.#waiting.delete(key);
      this.#running++;
      this.#options.onStart?.(performance.now() - next.since);
      this.#options
        .run(next.job)
        .then(next.resolve, next.reject)
        .finally(() => {
          this.#running--;
          this.#advance();
          if (this.#running === 0 && this.#waiting.size === 0)
            for (const resolve of this.#idle.splice(0)) resolve();
        });
    }
  }
}

const supersededError = () =>
  new ServerError(429, 'SUPERSEDED', 'superseded by a newer frame', { retryAfterS: RETRY_AFTER_S });

const overloadedError = (limit: number) =>
  new ServerError(429, 'OVERLOADED', `${limit} pictures are waiting already; try again later`, {
    retryAfterS: RETRY_AFTER_S,
  });

const shuttingDown = () =>
  new ServerError(503, 'SHUTTING_DOWN', 'the server is shutting down', { retryAfterS: 5 });

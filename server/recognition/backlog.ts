/**
 * Work that waits for a thread: bounded, and of each source only the newest. A camera or a board that sends faster than it is served
 * replaces its own waiting frame, and holds up nobody else. Of the sources that wait, the one whose last turn is longest ago is next,
 * and where more come than the line holds, the one that had its turn last gives way: all get their share, however their frames fall
 * in time. Jobs of no source go in the order of their arrival, in turns with the sources.
 */
import { ServerError } from '../errors.ts';
import { Turns } from './turns.ts';

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
  /** When its source last had a turn. */
  turnMs: number;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** A second is about how long a full queue takes to move on; the client decides what to do with it. */
const RETRY_AFTER_S = 1;

export class Backlog<Job, Answer> {
  readonly #options: BacklogOptions<Job, Answer>;
  /** In the order of arrival: a Map keeps the place of a key whose value is replaced. */
  readonly #waiting = new Map<string | symbol, Waiting<Job, Answer>>();
  readonly #turns = new Turns();
  readonly #idle: (() => void)[] = [];
  #concurrency: number;
  #running = 0;
  #closed = false;
  #singleIsNext = false;

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
    const turnMs = source === null ? Number.NEGATIVE_INFINITY : this.#turns.asked(source);
    if (
      older === undefined &&
      this.#running >= this.#concurrency &&
      this.#waiting.size >= this.#options.limit &&
      !this.#makeRoom(source, turnMs)
    ) {
      return this.#refuse('overloaded', overloadedError(this.#options.limit));
    }
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(key, { job, since: performance.now(), turnMs, resolve, reject });
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

  /**
   * Sources on the one side and single jobs on the other may each fill the whole line, but where both come neither keeps the other
   * out of its half. Within the half of the sources, the one that had its turn last gives way.
   * @returns false where nobody gives way
   */
  #makeRoom(source: string | null, turnMs: number): boolean {
    const half = Math.floor(this.#options.limit / 2);
    let sources = 0;
    let latest: string | null = null;
    let latestMs = Number.NEGATIVE_INFINITY;
    let lastSingle: symbol | null = null;
    for (const [key, waiting] of this.#waiting) {
      if (typeof key === 'symbol') {
        lastSingle = key;
        continue;
      }
      sources++;
      if (waiting.turnMs >= latestMs) {
        latest = key;
        latestMs = waiting.turnMs;
      }
    }
    const singles = this.#waiting.size - sources;
    if (source === null) return singles < half && this.#turnAway(latest);
    if (sources < half) return this.#turnAway(lastSingle);
    return latestMs > turnMs && this.#turnAway(latest);
  }

  #turnAway(key: string | symbol | null): boolean {
    const waiting = key === null ? undefined : this.#waiting.get(key);
    if (key === null || waiting === undefined) return false;
    this.#waiting.delete(key);
    this.#options.onDrop?.('overloaded');
    waiting.reject(overloadedError(this.#options.limit));
    return true;
  }

  #refuse(reason: DropReason, error: ServerError): Promise<never> {
    this.#options.onDrop?.(reason);
    return Promise.reject(error);
  }

  #nextKey(): string | symbol {
    let single: symbol | null = null;
    let source: string | null = null;
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const [key, { turnMs }] of this.#waiting) {
      if (typeof key === 'symbol') single ??= key;
      else if (turnMs < earliestMs) {
        source = key;
        earliestMs = turnMs;
      }
    }
    if (single === null || source === null) return (single ?? source)!;
    this.#singleIsNext = !this.#singleIsNext;
    return this.#singleIsNext ? single : source;
  }

  #advance(): void {
    while (this.#running < this.#concurrency && this.#waiting.size > 0) {
      const key = this.#nextKey();
      const next = this.#waiting.get(key)!;
      this.#waiting.delete(key);
      if (typeof key === 'string') this.#turns.taken(key);
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

/** Pictures that the server works through by itself: a few at a time, giving way where the recogniser is busy. */
import { setTimeout as pause } from 'node:timers/promises';
import { ServerError } from '../errors.ts';

/** Few, so that what people wait for comes first. */
const AT_ONCE = 2;
const ATTEMPTS = 20;
const PAUSE_MS = 1000;

/** Runs `work` on every item; ends early, without an error, where `signal` is aborted. `work` answers for its own errors. */
export async function forEachPicture<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) {
      if (signal.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Tries again while the answer is that there is too much to do, or nobody to do it yet. */
export async function withPatience<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const busy = error instanceof ServerError && (error.status === 429 || error.status === 503);
      if (!busy || attempt === ATTEMPTS || signal.aborted) throw error;
      await pause(PAUSE_MS, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}

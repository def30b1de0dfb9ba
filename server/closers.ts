/** Starting several parts at a time, and closing what was started. */
import type { Log } from './log.ts';

/** As Promise.all, but waits for all of them: what has come up by then can be closed, nothing comes up afterwards. */
export async function inParallel<T extends readonly unknown[]>(
  starts: { [I in keyof T]: Promise<T[I]> },
): Promise<T> {
  await Promise.allSettled(starts);
  return (await Promise.all(starts)) as unknown as T;
}

/** What has been opened, closed in the opposite order; one that fails does not keep the others open. */
export class Closers {
  log: Log | null = null;
  readonly #ending = new AbortController();
  readonly #parts: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];

  add(name: string, close: () => Promise<void> | void): void {
    this.#parts.push({ name, close });
  }

  /** Fires before the first part is closed: what ends from then on ends because of that. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  async closeAll(): Promise<void> {
    this.#ending.abort();
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      try {
        await part.close();
        this.log?.debug({ part: part.name }, 'closed');
      } catch (error) {
        this.log?.error({ err: error, part: part.name }, 'a part did not close well');
      }
    }
  }
}

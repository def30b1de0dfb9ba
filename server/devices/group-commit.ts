/**
 * Writes what many callers bring at the same time in one go: while one write runs, what comes in waits and goes out together with the
 * next. Each caller is answered only when its own item is stored, and the database sees a few statements where it would see thousands.
 */
import { overloaded } from '../errors.ts';

export interface GroupCommitOptions<Item> {
  /** Stores all of them or fails for all of them. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Items that may wait; more are refused. */
  readonly limit: number;
  /** Told of each item that was refused. */
  readonly onRefused?: () => void;
}

const RETRY_AFTER_S = 1;

export class GroupCommit<Item> {
  readonly #options: GroupCommitOptions<Item>;
  #items: Item[] = [];
  /** The write that will take what waits now. */
  #next: Promise<void> | null = null;
  #current: Promise<void> = Promise.resolve();

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#items.length;
  }

  /**
   * Ends when the item is stored.
   * @throws {ServerError} 429 where too many wait; whatever the write throws
   */
  add(item: Item): Promise<void> {
    if (this.#items.length >= this.#options.limit) {
      this.#options.onRefused?.();
      return Promise.reject(overloaded(RETRY_AFTER_S));
    }
    this.#items.push(item);
    this.#next ??= this.#writeAfter(this.#current);
    return this.#next;
  }

  /** Ends when everything that was added is stored or has failed. */
  async settle(): Promise<void> {
    await this.#next?.catch(() => {});
    await this.#current;
  }

  #writeAfter(previous: Promise<void>): Promise<void> {
    const written = previous.then(() => {
      const items = this.#items;
      this.#items = [];
      this.#next = null;
      return this.#options.write(items);
    });
    this.#current = written.catch(() => {});
    return written;
  }
}

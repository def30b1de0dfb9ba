/**
 * Tells many clients what happens, and waits for none of them. What a client does not read waits in a bounded buffer of its own; when
 * that is full the client misses messages, and when it stays full the client is dropped.
 */
import type { Message } from './messages.ts';

/** One client, however it is connected. */
export interface Subscriber {
  /** Takes a text that is to be sent; must not block. */
  send(text: Buffer): void;
  /** Bytes that were given to `send` and are not with the operating system yet. */
  bufferedBytes(): number;
  /** Ends the connection at once. */
  terminate(): void;
  /** Whether the client may see this message; everything without it. */
  maySee?(message: Message): boolean;
}

export interface BroadcasterOptions {
  /** What may wait for one client. */
  readonly bufferBytes: number;
  /** How long a client may go on missing messages before it is dropped. */
  readonly slowAfterMs?: number;
  readonly monotonicMs?: () => number;
  /** Told of each message that a client missed. */
  readonly onMissed?: () => void;
  /** Told of each client that was dropped for being slow. */
  readonly onDropped?: () => void;
}

export type Broadcaster = ReturnType<typeof createBroadcaster>;

const SLOW_AFTER_MS = 5000;

export function createBroadcaster(options: BroadcasterOptions) {
  const { bufferBytes, slowAfterMs = SLOW_AFTER_MS, monotonicMs = () => performance.now() } = options;
  /** Each client, and since when it has been missing messages; null where it keeps up. */
  const subscribers = new Map<Subscriber, number | null>();

  function give(subscriber: Subscriber, text: Buffer): void {
    const waitingBytes = subscriber.bufferedBytes();
    if (waitingBytes + text.length <= bufferBytes) {
      // Room for one message is no recovery: a client that is always at its limit is slow.
      if (waitingBytes <= bufferBytes / 2) subscribers.set(subscriber, null);
      subscriber.send(text);
      return;
    }
    options.onMissed?.();
    const slowSinceMs = subscribers.get(subscriber) ?? null;
    const nowMs = monotonicMs();
    if (slowSinceMs === null) subscribers.set(subscriber, nowMs);
    else if (nowMs - slowSinceMs >= slowAfterMs) {
      subscribers.delete(subscriber);
      options.onDropped?.();
      subscriber.terminate();
    }
  }

  return {
    /** @returns how to leave */
    subscribe(subscriber: Subscriber): () => void {
      subscribers.set(subscriber, null);
      return () => subscribers.delete(subscriber);
    },

    publish(message: Message): void {
      if (subscribers.size === 0) return;
      const text = Buffer.from(JSON.stringify(message));
      for (const subscriber of [...subscribers.keys()])
        if (subscriber.maySee?.(message) ?? true) give(subscriber, text);
    },

    get size(): number {
      return subscribers.size;
    },
  };
}

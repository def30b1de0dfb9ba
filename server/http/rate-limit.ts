/** How many calls a client may make in a window: one count for each client, in a table that cannot grow without end. */
import { isIPv6 } from 'node:net';

export interface RateLimiter {
  /** Counts one call. Null where it is within the limit, otherwise the seconds until the window ends. */
  count(address: string): number | null;
}

export interface RateLimiterOptions {
  readonly maxCalls: number;
  readonly windowMs: number;
  /** Where more clients than this come in one window, the one seen first is forgotten. */
  readonly maxClients?: number;
  readonly now?: () => number;
}

interface Window {
  startedMs: number;
  calls: number;
}

export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { maxCalls, windowMs, maxClients = 50_000, now = Date.now } = options;
  // A Map keeps the order of insertion, and a window that starts anew is inserted anew: the oldest stand first.
  const windows = new Map<string, Window>();

  return {
    count(address) {
      const client = clientOf(address);
      const nowMs = now();
      let window = windows.get(client);
      if (window === undefined || nowMs - window.startedMs >= windowMs || nowMs < window.startedMs) {
        windows.delete(client);
        if (windows.size >= maxClients) windows.delete(windows.keys().next().value as string);
        window = { startedMs: nowMs, calls: 0 };
        windows.set(client, window);
      }
      window.calls++;
      if (window.calls <= maxCalls) return null;
      return Math.max(1, Math.ceil((window.startedMs + windowMs - nowMs) / 1000));
    },
  };
}

/** An IPv6 client owns at least a /64 and could otherwise be a new client with every call. */
export function clientOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const right = tail === '' ? 0 : tail.split(':').length;
    while (left.length + right < 8) left.push('0');
  }
  return `${left
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

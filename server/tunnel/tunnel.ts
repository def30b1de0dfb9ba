/**
 * The SSH reverse tunnel: has a public host forward some of its ports to this server, over a connection that this server opens. Comes
 * up by itself again, for as long as the server runs.
 */
import ssh2, { type Client, type ConnectConfig } from 'ssh2';
import type { Log } from '../log.ts';
import { fingerprintOf, type HostKeys } from './host-keys.ts';
import { LocalStreams } from './local-streams.ts';
import type { TunnelSettings } from './tunnel-settings.ts';

export interface TunnelOptions {
  readonly settings: TunnelSettings;
  readonly hostKeys: HostKeys;
  /** Where this server listens. */
  readonly localHost: string;
  readonly localPort: () => number;
  readonly log: Log;
  readonly onRefused?: () => void;
  /** Told when the tunnel comes up (true) and goes down. */
  readonly onChange?: (isActive: boolean) => void;
  readonly timing?: Partial<TunnelTiming>;
}

export interface TunnelTiming {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A connection that lasted this long was a good one: the pauses begin anew. */
  readonly stableMs: number;
  readonly keepAliveMs: number;
  readonly readyMs: number;
}

export interface TunnelStatus {
  readonly state: 'connecting' | 'connected' | 'waiting' | 'closed';
  /** Ports of the public host that lead here now. */
  readonly ports: readonly number[];
  readonly connections: number;
  /** Why it is not up. */
  readonly lastError: string | null;
}

export interface Tunnel {
  status(): TunnelStatus;
  /** Whether the other end of this connection is a client at the public host. */
  isTunnelled(socket: { remoteAddress?: string; remotePort?: number }): boolean;
  close(): Promise<void>;
}

const TIMING: TunnelTiming = {
  firstPauseMs: 1000,
  longestPauseMs: 60_000,
  stableMs: 60_000,
  keepAliveMs: 15_000,
  readyMs: 20_000,
};
const UNANSWERED_KEEP_ALIVES = 3;
const MAX_CONNECTIONS = 512;
const CLOSING_MS = 3000;
/** What the host gets to say good-bye. */
const GOOD_BYE_MS = 1000;
/** All addresses of the public host, where its sshd allows that (GatewayPorts); its loopback address otherwise. */
const ALL_ADDRESSES = '';

/** Returns at once; the tunnel comes up in the background. */
export function openTunnel(options: TunnelOptions): Tunnel {
  const { settings, hostKeys, log } = options;
  const timing = { ...TIMING, ...options.timing };
  const closing = new AbortController();
  const streams = new LocalStreams({
    host: options.localHost,
    port: options.localPort,
    limit: MAX_CONNECTIONS,
    onRefused: options.onRefused,
  });
  const forwarded = new Set<number>();
  let state: TunnelStatus['state'] = 'connecting';
  let lastError: string | null = null;
  const ended = keepUp();

  async function keepUp(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      state = 'connecting';
      const startedMs = performance.now();
      const reason = await connectOnce();
      if (closing.signal.aborted) break;
      if (performance.now() - startedMs >= timing.stableMs) failures = 0;
      const pauseMs = pauseAfter(failures++, timing);
      state = 'waiting';
      lastError = reason;
      log.warn({ host: settings.host, reason, retryInMs: Math.round(pauseMs) }, 'the SSH tunnel is down');
      await pause(pauseMs, closing.signal);
    }
    state = 'closed';
  }

  /** Ends when the connection has ended. @returns why */
  async function connectOnce(): Promise<string> {
    const expected =
      settings.hostKey ?? (await hostKeys.expected(settings.host, settings.port).catch(asError));
    if (expected instanceof Error) return expected.message;
    if (closing.signal.aborted) return 'closed';
    const client = new ssh2.Client();
    const wasUp = { value: false };
    let reason = 'the connection was closed';
    let shownKey = '';
    const over = new AbortController();
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('error', (error) => {
      reason = explain(error, expected, shownKey);
      client.destroy();
    });
    client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) =>
      finish(prompts.map(() => settings.password ?? '')),
    );
    client.on('tcp connection', (_details, accept, reject) => streams.join(accept, reject));
    client.once('ready', () => {
      state = 'connected';
      if (expected === null) rememberHost(shownKey);
      for (const port of settings.publicPorts)
        void keepForwarding(client, port, over.signal, () => {
          if (!wasUp.value) options.onChange?.(true);
          wasUp.value = true;
        });
    });
    const stop = () => {
      if (state === 'connected') client.end();
      setTimeout(() => client.destroy(), state === 'connected' ? GOOD_BYE_MS : 0);
    };
    closing.signal.addEventListener('abort', stop);
    client.connect({
      ...credentials(settings),
      keepaliveInterval: timing.keepAliveMs,
      keepaliveCountMax: UNANSWERED_KEEP_ALIVES,
      readyTimeout: timing.readyMs,
      hostVerifier: (key: Buffer) => {
        shownKey = fingerprintOf(key);
        return expected === null || shownKey === expected;
      },
    });
    await closed;
    over.abort();
    closing.signal.removeEventListener('abort', stop);
    forwarded.clear();
    streams.closeAll();
    if (wasUp.value) options.onChange?.(false);
    return reason;
  }

  /** Asks for a port until it has it: after a broken connection, the host may hold it for the old one for a while. */
  async function keepForwarding(
    client: Client,
    port: number,
    over: AbortSignal,
    onUp: () => void,
  ): Promise<void> {
    for (let failures = 0; !over.aborted; failures++) {
      const error = await forward(client, port);
      if (over.aborted) return;
      if (error === null) {
        forwarded.add(port);
        lastError = null;
        log.info({ host: settings.host, port }, 'the SSH tunnel is up');
        onUp();
        return;
      }
      lastError = `the host does not forward its port ${port}: ${error.message}`;
      const pauseMs = pauseAfter(failures, timing);
      log.warn(
        { host: settings.host, port, reason: lastError, retryInMs: Math.round(pauseMs) },
        'no SSH forwarding',
      );
      await pause(pauseMs, over);
    }
  }

  function rememberHost(fingerprint: string): void {
    log.info(
      { host: settings.host, fingerprint },
      'met this SSH host for the first time; its key is remembered',
    );
    hostKeys
      .remember(settings.host, settings.port, fingerprint)
      .catch((error: unknown) =>
        log.error({ err: error }, 'the key of the SSH host could not be remembered'),
      );
  }

  return {
    status: () => ({
      state,
      ports: [...forwarded].sort((a, b) => a - b),
      connections: streams.size,
      lastError,
    }),
    isTunnelled: ({ remoteAddress, remotePort }) => streams.has({ remoteAddress, remotePort }),
    async close() {
      closing.abort();
      streams.closeAll();
      await Promise.race([ended, pause(CLOSING_MS, new AbortController().signal)]);
    },
  };
}

function credentials(settings: TunnelSettings): ConnectConfig {
  const { host, port, user: username, password, privateKey, passphrase } = settings;
  return { host, port, username, password, privateKey, passphrase, tryKeyboard: password !== undefined };
}

function forward(client: Client, port: number): Promise<Error | null> {
  return new Promise((resolve) => {
    try {
      client.forwardIn(ALL_ADDRESSES, port, (error) => resolve(error ?? null));
    } catch (error) {
      resolve(error as Error);
    }
    // A connection that breaks answers nothing any more.
    client.once('close', () => resolve(new Error('the connection was closed')));
  });
}

/** Doubled after each failure, and somewhere in its upper half, so that many servers do not come back at the same moment. */
export function pauseAfter(
  failures: number,
  { firstPauseMs, longestPauseMs }: Pick<TunnelTiming, 'firstPauseMs' | 'longestPauseMs'>,
  random: () => number = Math.random,
): number {
  const fullMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 30));
  return fullMs * (0.5 + random() / 2);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    timer.unref();
    signal.addEventListener('abort', end);
  });
}

const asError = (error: unknown) => error as Error;

function explain(error: Error & { level?: string }, expected: string | null, shownKey: string): string {
  if (expected !== null && shownKey !== '' && shownKey !== expected)
    return (
      `the host shows another key (${shownKey}) than expected (${expected}): either it was set up anew, ` +
      'or somebody stands in between. Where it was set up anew, correct SSH_HOST_KEY_SHA256 or remove the remembered key'
    );
  if (error.level === 'client-authentication') return 'the host refuses SSH_USER with this password or key';
  return error.message;
}

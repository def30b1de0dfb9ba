/** WebSocket clients: let in as HTTP requests are, told what happens, never listened to. */
import { type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import { type WebSocket, WebSocketServer } from 'ws';
import { ServerError } from '../errors.ts';
import type { Broadcaster, Subscriber } from '../live/broadcast.ts';
import type { Message } from '../live/messages.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { AccessControl } from './api-key.ts';
import { envelope } from './error-handler.ts';
import type { Context, RequestState } from './route.ts';

export interface WebSocketOptions {
  readonly server: Server;
  /** Only for its view of requests: the client's address behind proxies, the query, the host. */
  readonly app: Koa<RequestState>;
  readonly access: AccessControl;
  readonly broadcaster: Broadcaster;
  readonly corsOrigins: readonly string[];
  readonly maxClients: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Which messages the one who asks may see; all of them without it. */
  readonly filterFor?: (ctx: Context) => ((message: Message) => boolean) | undefined;
  readonly pingEveryMs?: number;
}

export interface WebSockets {
  readonly size: number;
  /** Says good-bye to everybody. Comes before the HTTP server is stopped: its end waits for these connections too. */
  close(): Promise<void>;
}

/** Nobody has anything to say here but pongs; a longer message ends the connection. */
const MAX_PAYLOAD_BYTES = 1024;
const MAX_MESSAGES_PER_PING = 100;
const PING_EVERY_MS = 30_000;
const CLOSING_MS = 1000;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const RETRY_AFTER_S = 10;

export function attachWebSockets(options: WebSocketOptions): WebSockets {
  const { server, app, access, broadcaster, log, metrics } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BYTES,
  });
  const clients = new Map<WebSocket, Client>();

  // Otherwise every request with an Upgrade header came here, those of HTTP/2 too, which are to be answered in HTTP/1.1.
  const upgrades = server as Server & { shouldUpgradeCallback: (req: IncomingMessage) => boolean };
  upgrades.shouldUpgradeCallback = (req) => req.headers.upgrade?.toLowerCase() === 'websocket';
  server.on('upgrade', onUpgrade);
  const timer = setInterval(() => {
    for (const client of clients.values()) client.checkAlive();
  }, options.pingEveryMs ?? PING_EVERY_MS);
  timer.unref();

  function onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    const ctx = app.createContext(req, new ServerResponse(req)) as unknown as Context;
    try {
      demand(ctx);
    } catch (error) {
      refuse(socket, error, ctx);
      return;
    }
    sockets.handleUpgrade(req, socket, head, (webSocket) => welcome(webSocket, ctx));
  }

  function demand(ctx: Context): void {
    access.demand('read', ctx);
    if (!isAllowedOrigin(ctx)) throw originRefused(ctx.get('Origin'));
    if (clients.size >= options.maxClients) throw tooManyClients(options.maxClients);
  }

  /** A browser tells of any page's connection by whom it is made; a program tells nothing. A page cannot know the key. */
  function isAllowedOrigin(ctx: Context): boolean {
    const origin = ctx.get('Origin');
    if (origin === '' || access.holdsKey(ctx)) return true;
    if (options.corsOrigins.includes('*') || options.corsOrigins.includes(origin)) return true;
    return URL.parse(origin)?.host === ctx.host && ctx.host !== '';
  }

  function refuse(socket: Duplex, error: unknown, ctx: Context): void {
    const known = error instanceof ServerError;
    if (!known) log.error({ err: error }, 'unexpected error');
    const shown = known ? error : new ServerError(500, 'INTERNAL_ERROR', 'internal error');
    metrics.errors.inc({ code: shown.code });
    log.info({ path: ctx.path, client: ctx.ip, status: shown.status }, 'websocket refused');
    const body = JSON.stringify(envelope('device', shown));
    socket.end(
      [
        `HTTP/1.1 ${shown.status} ${STATUS_CODES[shown.status]}`,
        'Connection: close',
        ...(shown.retryAfterS === null ? [] : [`Retry-After: ${shown.retryAfterS}`]),
        'Content-Type: application/json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
      () => socket.destroy(),
    );
  }

  function welcome(webSocket: WebSocket, ctx: Context): void {
    const client = new Client(webSocket, options.filterFor?.(ctx));
    clients.set(webSocket, client);
    webSocket.send(JSON.stringify({ type: 'connection', status: 'connected', timestamp: Date.now() }));
    const unsubscribe = broadcaster.subscribe(client);
    log.debug({ path: ctx.path, client: ctx.ip, clients: clients.size }, 'websocket connected');
    // Malformed frames and messages that are too long: the library closes the connection.
    webSocket.on('error', (error) => log.debug({ err: error }, 'websocket error'));
    webSocket.on('close', () => {
      clients.delete(webSocket);
      unsubscribe();
    });
  }

  return {
    get size() {
      return clients.size;
    },
    async close() {
      server.off('upgrade', onUpgrade);
      upgrades.shouldUpgradeCallback = () => false;
      clearInterval(timer);
      if (clients.size === 0) return;
      const closed = Promise.all([...clients.values()].map((client) => client.closed));
      for (const webSocket of clients.keys()) webSocket.close(GOING_AWAY, 'the server is stopping');
      const deadline = setTimeout(() => {
        for (const webSocket of clients.keys()) webSocket.terminate();
      }, CLOSING_MS);
      await closed;
      clearTimeout(deadline);
    },
  };
}

class Client implements Subscriber {
  readonly closed: Promise<void>;
  readonly maySee?: (message: Message) => boolean;
  readonly #webSocket: WebSocket;
  #isAlive = true;
  #messages = 0;

  constructor(webSocket: WebSocket, maySee: ((message: Message) => boolean) | undefined) {
    this.#webSocket = webSocket;
    this.maySee = maySee;
    this.closed = new Promise((resolve) => webSocket.once('close', () => resolve()));
    webSocket.on('pong', () => {
      this.#isAlive = true;
    });
    webSocket.on('message', () => {
      this.#messages++;
      if (this.#messages > MAX_MESSAGES_PER_PING)
        webSocket.close(POLICY_VIOLATION, 'nothing is expected here');
    });
  }

  send(text: Buffer): void {
    this.#webSocket.send(text, { binary: false });
  }

  bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  /** Whoever did not answer the last ping is gone. */
  checkAlive(): void {
    if (!this.#isAlive) {
      this.#webSocket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#messages = 0;
    this.#webSocket.ping();
  }
}

const originRefused = (origin: string) =>
  new ServerError(
    403,
    'ORIGIN_REFUSED',
    `Origin: expected this host or one of CORS_ORIGIN, received ${JSON.stringify(origin.slice(0, 100))}`,
  );

const tooManyClients = (maxClients: number) =>
  new ServerError(503, 'WEBSOCKETS_FULL', `${maxClients} clients are connected already; try again later`, {
    retryAfterS: RETRY_AFTER_S,
  });

/** The sockets below the app: time limits for slow clients, answers to requests that are no HTTP, an orderly end. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Config } from '../settings.ts';
import type { Tls } from './tls.ts';

export interface HttpServer {
  readonly server: Server;
  readonly port: number;
  /** Takes no new connections, lets what runs finish, and cuts what is left after the time. True where nothing had to be cut. */
  stop(timeoutMs: number): Promise<boolean>;
}

export interface HttpServerOptions {
  readonly config: Pick<Config, 'HOST' | 'PORT' | 'REQUEST_TIMEOUT_MS' | 'MAX_CONNECTIONS'>;
  /** HTTPS with it, HTTP without. */
  readonly tls?: Tls | null;
  readonly handle: (req: IncomingMessage, res: ServerResponse) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Boards keep their connection between frames; load balancers expect more than their own 60 s. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const HEADERS_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/**
 * Connections that wait to be taken: after a restart all boards come back at once, and of those beyond it (Node's own 511) each tries
 * again only after a second, then three, then seven.
 */
const BACKLOG = 4096;
/** A connection on which nothing moves for this long is closed: a client that does not fetch its answer. */
const IDLE_TIMEOUT_MS = 120_000;

/** @throws {StartError} where the address is taken, not ours or not allowed */
export async function listen({
  config,
  tls = null,
  handle,
  log,
  metrics,
}: HttpServerOptions): Promise<HttpServer> {
  const timing = {
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, config.REQUEST_TIMEOUT_MS),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
    noDelay: true,
  };
  const server: Server | SecureServer =
    tls === null
      ? createServer(timing)
      : createSecureServer({ ...timing, ...tls.identity, handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
  const stopWatching = tls?.watch((identity) => (server as SecureServer).setSecureContext(identity));
  // Also whoever speaks plain HTTP to it.
  server.on('tlsClientError', (error: Error) => {
    metrics.requestsRefused.inc({ reason: 'tls' });
    log.debug({ err: error }, 'no TLS connection came about');
  });
  server.maxConnections = config.MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('drop', () => metrics.requestsRefused.inc({ reason: 'connections' }));

  const answering = new WeakMap<Socket, ServerResponse>();
  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    answering.set(req.socket, res);
    handle(req, res);
  };
  server.on('request', onRequest);
  // 100 Continue is sent by whoever reads the body (http/body.ts), so that an unwanted body is not asked for.
  server.on('checkContinue', onRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const current = answering.get(socket);
    const inAnswer = current?.headersSent === true && !current.writableFinished;
    if (!socket.writable || inAnswer || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    metrics.requestsRefused.inc({ reason: 'malformed' });
    log.debug({ err: error }, 'request refused');
    socket.end(refusal(error.code ?? ''));
  });

  await bind(server, config);
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async stop(timeoutMs) {
      stopWatching?.();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Connections become idle one by one while their last answers go out.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      let cut = false;
      const deadline = setTimeout(() => {
        cut = true;
        server.closeAllConnections();
      }, timeoutMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(deadline);
      return !cut;
    },
  };
}

/**
 * Takes the address and gives it back at once: what is wrong with it is said before seconds go into starting everything else.
 * @throws {StartError} as `listen`
 */
export async function checkAddress(address: Pick<Config, 'HOST' | 'PORT'>): Promise<void> {
  const server = createServer();
  await bind(server, address);
  await new Promise((resolve) => server.close(resolve));
}

function bind(server: Server | SecureServer, address: Pick<Config, 'HOST' | 'PORT'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new StartError(whyNotListening(error, address))),
    );
    server.listen(address.PORT, address.HOST, BACKLOG, resolve);
  });
}

function refusal(code: string): string {
  const [status, name, message] = reasons[code] ?? [400, 'BAD_REQUEST', 'the request is not valid HTTP'];
  const body = JSON.stringify({ success: false, error: message, detail: message, code: name });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

const reasons: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  HPE_INVALID_EOF_STATE: [
    400,
    'BODY_INCOMPLETE',
    'the request was cut off: it ended before all of its body had come',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'REQUEST_TIMEOUT', 'the request took too long to arrive'],
  HPE_HEADER_OVERFLOW: [431, 'HEADERS_TOO_LARGE', 'the headers are larger than 16 KiB'],
};

function whyNotListening(
  error: NodeJS.ErrnoException,
  { HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>,
): string {
  const where = `${HOST}:${PORT}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is in use by another program: stop it, or set PORT to another port`;
    case 'EACCES':
      return `${where} may not be used by this user: ports below 1024 need more rights; set PORT to a higher one`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST: expected an address of this machine, received ${HOST}`;
    default:
      return `cannot listen on ${where}: ${error.message}`;
  }
}

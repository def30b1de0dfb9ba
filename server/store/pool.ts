import pg from 'pg';
import { ServerError, StartError } from '../errors.ts';

export type SqlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | readonly (string | number | null)[];

export interface SqlResult<Row> {
  readonly rows: readonly Row[];
  readonly rowCount: number;
}

export type Query = <Row = Record<string, unknown>>(
  text: string,
  values?: readonly SqlValue[],
) => Promise<SqlResult<Row>>;

/** The database, embedded or a server's: the same driver, the same SQL. `bigint` and `count(*)` come as text: cast them to int. */
export interface Database {
  readonly kind: 'embedded' | 'server';
  /** One statement. Tried again only while no connection can be had, never after it may have been carried out. */
  readonly query: Query;
  /** One statement that changes nothing: also tried again after a connection broke underneath it. */
  readonly read: Query;
  /**
   * Everything `work` does through its own `query` happens, or nothing does. Keep it short and never call the database's own methods
   * inside: the embedded database has one connection, which the transaction holds. `work` may run again where no statement was sent.
   */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** Connections now, and callers waiting for one. */
  load(): { readonly open: number; readonly idle: number; readonly waiting: number };
  /** Waits for statements under way, then closes every connection. */
  close(): Promise<void>;
}

export type DatabaseAddress =
  | { readonly kind: 'server'; readonly url: string }
  | { readonly kind: 'embedded'; readonly socketFolder: string; readonly port: number };

export interface PoolOptions {
  /** Connections to a server; the embedded database always has one. */
  readonly maxConnections?: number;
  readonly statementTimeoutMs?: number;
  /** How long a caller waits for a free connection. */
  readonly connectTimeoutMs?: number;
  /** How long connecting is tried again while the database is down, before the caller gets an error. */
  readonly reconnectMs?: number;
  /** Told of a connection that broke while nobody used it. */
  readonly onConnectionLost?: (message: string) => void;
  /** Told that the database has given up, as it does where its log cannot be written: it recovers by being started anew. */
  readonly onPanic?: (reason: string) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
/** The server's answer goes missing a moment later than its own timeout would have spoken. */
const ANSWER_GRACE_MS = 5000;

/** Node's codes for a peer that is not there or went away. */
const BROKEN_CONNECTION = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections. */
const SERVER_UNAVAILABLE = new Set(['57P01', '57P02', '57P03', '53300']);

/**
 * Opens the pool; connections are made when they are needed. No error of it shows the address's password.
 *
 * One connection for the embedded database, because pglite-socket hands over message by message: after an SQL error, parse and bind
 * messages of two connections interleave, and one gets the other's rows (measured, version 0.2.17). A single connection was as fast.
 */
export function openPool(address: DatabaseAddress, options: PoolOptions = {}): Database {
  const {
    maxConnections = 8,
    statementTimeoutMs = 30_000,
    connectTimeoutMs = 15_000,
    reconnectMs = 10_000,
  } = options;
  const embedded = address.kind === 'embedded';
  const pool = new pg.Pool({
    ...(embedded
      ? { host: address.socketFolder, port: address.port, user: 'postgres', database: 'postgres' }
      : { connectionString: checkedUrl(address.url) }),
    max: embedded ? 1 : maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: embedded ? 0 : 30_000,
    // PGlite has no timers to interrupt a statement with, so there only the client's clock counts.
    ...(embedded ? {} : { statement_timeout: statementTimeoutMs }),
    query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
    keepAlive: true,
    application_name: 'facepool',
  });
  // Without a listener, an idle connection that the server closes would end the process.
  pool.on('error', (error) => options.onConnectionLost?.(error.message));

  async function connect(): Promise<pg.PoolClient> {
    const deadlineMs = performance.now() + reconnectMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await pool.connect();
      } catch (error) {
        if (!isConnectionTrouble(error) || performance.now() + pauseMs > deadlineMs) throw presentable(error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  async function withClient<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await connect();
    let broken: Error | undefined;
    const noteBroken = (error: Error) => {
      broken = error;
    };
    client.on('error', noteBroken);
    try {
      return await work(async (text, values = []) => {
        const result = await client.query(text, values as unknown[]);
        return { rows: result.rows, rowCount: result.rowCount ?? 0 };
      });
    } catch (error) {
      if ((error as { severity?: string }).severity === 'PANIC') options.onPanic?.((error as Error).message);
      // A timed-out statement still occupies its connection.
      if (isConnectionTrouble(error) || isAnswerTimeout(error)) broken ??= error as Error;
      throw error;
    } finally {
      client.off('error', noteBroken);
      client.release(broken);
    }
  }

  const query: Query = async (text, values) => {
    try {
      return await withClient((run) => run(text, values));
    } catch (error) {
      throw presentable(error);
    }
  };
  const read: Query = async (text, values) => {
    try {
      return await withClient((run) => run(text, values));
    } catch (error) {
      if (!isConnectionTrouble(error)) throw presentable(error);
      return query(text, values);
    }
  };

  async function transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const attempt = () => {
      let begun = false;
      const outcome = withClient(async (run) => {
        await run('BEGIN');
        begun = true;
        try {
          const value = await work(run);
          await run('COMMIT');
          return value;
        } catch (error) {
          await run('ROLLBACK').catch(() => {});
          throw error;
        }
      });
      return outcome.catch((error: unknown) => {
        throw Object.assign(new Error('', { cause: error }), { begun });
      });
    };
    try {
      return await attempt().catch((failure: { begun: boolean; cause: unknown }) => {
        // A connection that had died in the pool is only found out by using it; nothing has happened before BEGIN was answered.
        if (!failure.begun && isConnectionTrouble(failure.cause)) return attempt();
        throw failure;
      });
    } catch (failure) {
      throw presentable((failure as { cause: unknown }).cause);
    }
  }

  let closed: Promise<void> | null = null;
  return {
    kind: address.kind,
    query,
    read,
    transaction,
    load: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => {
      closed ??= pool.end();
      return closed;
    },
  };
}

/** The driver's own error for a wrong address carries the whole of it, password included. */
function checkedUrl(url: string): string {
  let parsed: URL | null = null;
  try {
    parsed = new URL(url);
  } catch {}
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol))
    throw new StartError(
      'DATABASE_URL: expected postgresql://user:password@host:5432/database, with special characters of the password percent-encoded (not shown here, it may hold a password)',
    );
  return url;
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

const isAnswerTimeout = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout';

function isConnectionTrouble(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectionTrouble);
  const code = codeOf(error);
  if (BROKEN_CONNECTION.has(code) || SERVER_UNAVAILABLE.has(code) || code.startsWith('08')) return true;
  // The driver gives these no code.
  return (
    error instanceof Error &&
    /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired)/.test(
      error.message,
    )
  );
}

/** Trouble with the connection becomes a 503 without addresses or names in it; everything else stays what it is. */
function presentable(error: unknown): unknown {
  if (isAnswerTimeout(error))
    return new ServerError(503, 'DATABASE_TIMEOUT', 'the database did not answer in time; try again later', {
      retryAfterS: 5,
      cause: error,
    });
  if (!isConnectionTrouble(error)) return error;
  return new ServerError(503, 'DATABASE_UNAVAILABLE', 'the database cannot be reached now; try again later', {
    retryAfterS: 5,
    cause: error,
  });
}

import pg from 'pg';
import { StartError } from '../errors.ts';
import {
  isAnswerTimeout,
  isConnectionTrouble,
  isUnansweredConnection,
  presentable,
} from './database-trouble.ts';

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

type TimedQuery = <Row = Record<string, unknown>>(
  text: string,
  values?: readonly SqlValue[],
  timeoutMs?: number,
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
  /** One statement that may take many minutes, as VACUUM does where thousands of embeddings were deleted. */
  readonly maintain: (text: string) => Promise<void>;
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
  /**
   * Told of an embedded database that has given up, as it does where its log cannot be written, or that leaves a statement or a new
   * connection without an answer. A server ends such a statement itself; this one recovers by being started anew.
   */
  readonly onStuck?: (reason: string) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
/** The server's answer goes missing a moment later than its own timeout would have spoken. */
const ANSWER_GRACE_MS = 5000;
const MAINTENANCE_TIMEOUT_MS = 30 * 60_000;

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
        if (embedded && isUnansweredConnection(error))
          options.onStuck?.(`it took no connection within ${connectTimeoutMs / 1000} s`);
        if (!isConnectionTrouble(error) || performance.now() + pauseMs > deadlineMs) throw presentable(error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  function noteStuck(error: unknown, timeoutMs: number): void {
    if ((error as { severity?: string }).severity === 'PANIC') options.onStuck?.((error as Error).message);
    else if (isAnswerTimeout(error))
      options.onStuck?.(`a statement was not answered within ${(timeoutMs + ANSWER_GRACE_MS) / 1000} s`);
  }

  async function withClient<T>(work: (query: TimedQuery) => Promise<T>): Promise<T> {
    const client = await connect();
    let broken: Error | undefined;
    const noteBroken = (error: Error) => {
      broken = error;
    };
    client.on('error', noteBroken);
    try {
      return await work(async (text, values = [], timeoutMs) => {
        const limit = timeoutMs === undefined ? {} : { query_timeout: timeoutMs + ANSWER_GRACE_MS };
        try {
          const result = await client.query({ text, values: values as unknown[], ...limit });
          return { rows: result.rows, rowCount: result.rowCount ?? 0 };
        } catch (error) {
          // Told here and not when the connection is given up: what a transaction still wants to do would wait in vain before.
          if (embedded) noteStuck(error, timeoutMs ?? statementTimeoutMs);
          throw error;
        }
      });
    } catch (error) {
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
          // Behind a statement that is not answered it would wait as long again; the connection is closed, which rolls back as well.
          if (!isConnectionTrouble(error) && !isAnswerTimeout(error)) await run('ROLLBACK').catch(() => {});
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

  async function maintain(text: string): Promise<void> {
    try {
      await withClient(async (run) => {
        if (!embedded) await run(`SET statement_timeout TO ${MAINTENANCE_TIMEOUT_MS}`);
        try {
          await run(text, [], MAINTENANCE_TIMEOUT_MS);
        } finally {
          if (!embedded) await run(`SET statement_timeout TO ${statementTimeoutMs}`);
        }
      });
    } catch (error) {
      throw presentable(error);
    }
  }

  let closed: Promise<void> | null = null;
  return {
    kind: address.kind,
    query,
    read,
    transaction,
    maintain,
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

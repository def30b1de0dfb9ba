/** What errors of the driver mean. */
import { ServerError } from '../errors.ts';

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

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

export const isAnswerTimeout = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout';

/** Its own words are those of the driver and of its pool; one that waits for its turn says something else. */
export const isUnansweredConnection = (error: unknown): boolean =>
  error instanceof Error &&
  /^(Connection terminated due to connection timeout|timeout expired)/.test(error.message);

/** The connection broke, or none was to be had: nothing is known of the statement that was under way. */
export function isConnectionTrouble(error: unknown): boolean {
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
export function presentable(error: unknown): unknown {
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

/** A database whose calls are timed. */
import type { Database } from './pool.ts';

export type CallKind = 'query' | 'read' | 'transaction' | 'maintenance';
export type CallOutcome = 'done' | 'failed';

/** The same database; `onCall` is told of each call how long it took, waiting for a connection included. */
export function measured(
  database: Database,
  onCall: (kind: CallKind, outcome: CallOutcome, seconds: number) => void,
): Database {
  async function timed<T>(kind: CallKind, call: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let outcome: CallOutcome = 'failed';
    try {
      const value = await call();
      outcome = 'done';
      return value;
    } finally {
      onCall(kind, outcome, (performance.now() - startedMs) / 1000);
    }
  }

  return {
    kind: database.kind,
    query: (text, values) => timed('query', () => database.query(text, values)),
    read: (text, values) => timed('read', () => database.read(text, values)),
    transaction: (work) => timed('transaction', () => database.transaction(work)),
    maintain: (text) => timed('maintenance', () => database.maintain(text)),
    load: () => database.load(),
    close: () => database.close(),
  };
}

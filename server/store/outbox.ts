/** The callback outbox in the database: every query on it. SQL text only here, values only as parameters. */
import type { NewBatch, OutboxStore, WaitingBatch } from '../attendance/outbox-store.ts';
import type { Database } from './pool.ts';

const IS_DUE =
  'next_attempt_at <= now() AND (claimed_until IS NULL OR claimed_until <= now()) AND expires_at > now()';

export const SQL = {
  add: `INSERT INTO callback_batches (batch_id, session_id, callback_url, origin, body, recognitions, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (batch_id) DO NOTHING`,
  // Two servers on one database never take the same rows: whoever comes second skips what the first has locked.
  claim: `UPDATE callback_batches SET claimed_until = now() + $3 * interval '1 millisecond'
    WHERE number IN (SELECT number FROM callback_batches WHERE origin = $1 AND ${IS_DUE}
      ORDER BY number LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING number, batch_id, session_id, callback_url, body, recognitions, failed_rounds`,
  remove: 'DELETE FROM callback_batches WHERE batch_id = $1',
  postpone: `UPDATE callback_batches SET claimed_until = NULL, failed_rounds = failed_rounds + 1,
    next_attempt_at = now() + $2 * interval '1 millisecond' WHERE batch_id = $1`,
  release: 'UPDATE callback_batches SET claimed_until = NULL WHERE batch_id = ANY($1::uuid[])',
  hurry: 'UPDATE callback_batches SET next_attempt_at = now() WHERE origin = $1 AND next_attempt_at > now()',
  nextDue: `SELECT greatest(0, extract(epoch FROM
      min(greatest(next_attempt_at, coalesce(claimed_until, next_attempt_at))) - now()) * 1000)::float8 AS wait_ms
    FROM callback_batches WHERE origin = $1`,
  expire:
    'DELETE FROM callback_batches WHERE expires_at <= now() RETURNING batch_id, session_id, recognitions',
  origins: 'SELECT DISTINCT origin FROM callback_batches',
  waiting: `SELECT count(*)::int AS batches, coalesce(sum(recognitions), 0)::int AS recognitions,
    extract(epoch FROM now() - min(created_at))::float8 AS oldest_age_s FROM callback_batches`,
  releaseAll: 'UPDATE callback_batches SET claimed_until = NULL WHERE claimed_until IS NOT NULL',
};

interface BatchRow {
  readonly number: string;
  readonly batch_id: string;
  readonly session_id: string;
  readonly callback_url: string;
  readonly body: string;
  readonly recognitions: number;
  readonly failed_rounds: number;
}

export function createOutboxStore(database: Database): OutboxStore {
  return {
    async add(batch: NewBatch): Promise<void> {
      const { batchId, sessionId, callbackUrl, origin, body, recognitions, expiresAt } = batch;
      await database.query(SQL.add, [batchId, sessionId, callbackUrl, origin, body, recognitions, expiresAt]);
    },

    async claim(origin: string, limit: number, claimMs: number): Promise<WaitingBatch[]> {
      const { rows } = await database.query<BatchRow>(SQL.claim, [origin, limit, claimMs]);
      // RETURNING keeps no order.
      return [...rows]
        .sort((a, b) => Number(a.number) - Number(b.number))
        .map((row) => ({
          batchId: row.batch_id,
          sessionId: row.session_id,
          callbackUrl: row.callback_url,
          body: row.body,
          recognitions: row.recognitions,
          failedRounds: row.failed_rounds,
        }));
    },

    async remove(batchId: string): Promise<void> {
      await database.query(SQL.remove, [batchId]);
    },

    async postpone(batchId: string, pauseMs: number): Promise<void> {
      await database.query(SQL.postpone, [batchId, pauseMs]);
    },

    async release(batchIds: readonly string[]): Promise<void> {
      if (batchIds.length > 0) await database.query(SQL.release, [batchIds]);
    },

    async hurry(origin: string): Promise<void> {
      await database.query(SQL.hurry, [origin]);
    },

    async nextDueMs(origin: string): Promise<number | null> {
      const { rows } = await database.read<{ wait_ms: number | null }>(SQL.nextDue, [origin]);
      return rows[0]!.wait_ms;
    },

    async expire() {
      type Row = Pick<BatchRow, 'batch_id' | 'session_id' | 'recognitions'>;
      const { rows } = await database.query<Row>(SQL.expire);
      return rows.map(({ batch_id, session_id, recognitions }) => ({
        batchId: batch_id,
        sessionId: session_id,
        recognitions,
      }));
    },

    async origins(): Promise<string[]> {
      const { rows } = await database.read<{ origin: string }>(SQL.origins);
      return rows.map(({ origin }) => origin);
    },

    async waiting() {
      type Row = { batches: number; recognitions: number; oldest_age_s: number | null };
      const { rows } = await database.read<Row>(SQL.waiting);
      const { batches, recognitions, oldest_age_s } = rows[0]!;
      return { batches, recognitions, oldestAgeS: oldest_age_s };
    },

    /** Only for the embedded database can nobody else be sending; on a server, claims of a process that is gone run out. */
    async releaseAbandoned(): Promise<void> {
      if (database.kind === 'embedded') await database.query(SQL.releaseAll);
    },
  };
}

/** What sensors of boards sent, in the database: every query on it. SQL text only here, values only as parameters. */
import type { NewReading, ReadingFilter, SensorDataStore, StoredReading } from '../devices/device-store.ts';
import type { Database } from './pool.ts';

/** Rows that one statement deletes, so that none is long. */
const REMOVED_AT_A_TIME = 10_000;

export const SQL = {
  // The readings as an array of texts: json_to_recordset would take the escapes in them apart, and PostgreSQL's text holds no NUL.
  // The order of the arrays is the order of the ids.
  add: `INSERT INTO sensor_readings (device_id, received_at, data)
    SELECT device_id, to_timestamp(received_ms / 1000.0), data::json
    FROM unnest($1::text[], $2::float8[], $3::text[]) AS given (device_id, received_ms, data)`,
  list: `SELECT id::float8 AS id, device_id, (extract(epoch FROM received_at) * 1000)::float8 AS received_ms, data
    FROM sensor_readings
    WHERE ($1::text IS NULL OR device_id = $1) AND ($2::float8 IS NULL OR received_at >= to_timestamp($2 / 1000.0))
    ORDER BY id DESC LIMIT $3`,
  removeOlder: `DELETE FROM sensor_readings WHERE id IN (
    SELECT id FROM sensor_readings WHERE received_at < to_timestamp($1::float8 / 1000.0) ORDER BY received_at LIMIT $2)`,
  // Ids are given out without large gaps, so the distance to the last one is the number of newer rows.
  removeBeyond: `DELETE FROM sensor_readings WHERE id IN (
    SELECT id FROM sensor_readings WHERE id <= (SELECT max(id) FROM sensor_readings) - $1::bigint ORDER BY id LIMIT $2)`,
} as const;

export function createSensorDataStore(database: Database): SensorDataStore {
  async function removeAll(text: string, bound: number): Promise<number> {
    for (let removed = 0; ; ) {
      const { rowCount } = await database.query(text, [bound, REMOVED_AT_A_TIME]);
      removed += rowCount;
      if (rowCount < REMOVED_AT_A_TIME) return removed;
    }
  }

  return {
    /** All of them or none, in one statement. */
    async add(readings: readonly NewReading[]): Promise<void> {
      await database.query(SQL.add, [
        readings.map(({ deviceId }) => deviceId),
        readings.map(({ receivedMs }) => receivedMs),
        readings.map(({ data }) => JSON.stringify(data)),
      ]);
    },

    /** Newest first. */
    async list({ deviceId, sinceMs, limit }: ReadingFilter): Promise<StoredReading[]> {
      const { rows } = await database.read<{
        id: number;
        device_id: string;
        received_ms: number;
        data: unknown;
      }>(SQL.list, [deviceId ?? null, sinceMs ?? null, limit]);
      return rows.map((row) => ({
        id: row.id,
        deviceId: row.device_id,
        receivedMs: row.received_ms,
        data: row.data,
      }));
    },

    /** @returns how many were removed */
    removeOlder: (thanMs: number): Promise<number> => removeAll(SQL.removeOlder, thanMs),

    /** Leaves the newest `rows`. @returns how many were removed */
    removeBeyond: (rows: number): Promise<number> => removeAll(SQL.removeBeyond, rows),
  };
}

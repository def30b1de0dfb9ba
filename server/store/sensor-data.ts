/** What sensors of boards sent, in the database: every query on it. SQL text only here, values only as parameters. */
import type {
  AverageFilter,
  AverageReading,
  NewReading,
  ReadingFilter,
  SensorDataStore,
  StoredReading,
} from '../devices/device-store.ts';
import type { Database } from './pool.ts';

/** Rows that one statement deletes, so that none is long. */
const REMOVED_AT_A_TIME = 10_000;
/** A day of a board that measures each second, and some more: older readings are left out, so that no question takes long. */
const MOST_AVERAGED = 100_000;
/** Numbers of one board, by name. */
const MOST_AVERAGED_NUMBERS = 24;

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
  // What text cannot hold (NUL, halves of surrogate pairs) would end the taking apart with an error, and sums of the largest numbers would
  // overflow: both are left out. A filter may be asked after a cast, a CASE may not.
  averages: `WITH RECURSIVE chosen AS (
      SELECT id, (extract(epoch FROM received_at) * 1000)::float8 AS received_ms, data FROM sensor_readings
      WHERE device_id = $1 AND received_at >= to_timestamp($2::float8 / 1000.0)
        AND data::text !~ '\\\\u(0000|[dD][89abAB])'
      ORDER BY id DESC LIMIT $5
    ), placed AS (
      SELECT id, received_ms, data,
        least($4::int - 1, floor((received_ms - start) * $4::int / greatest(1, $3::float8 - start))::int) AS bucket
      FROM chosen, (SELECT min(received_ms) AS start FROM chosen) AS oldest
    ), fields (bucket, name, value, depth) AS (
      SELECT bucket, NULL::text, data, 0 FROM placed
      UNION ALL
      SELECT bucket, CASE WHEN name IS NULL THEN part.key ELSE name || '.' || part.key END, part.value, depth + 1
      FROM fields, LATERAL (
        SELECT key, value FROM json_each(CASE WHEN json_typeof(fields.value) = 'object' THEN fields.value ELSE '{}' END)
        UNION ALL
        SELECT (place - 1)::text, value
        FROM json_array_elements(CASE WHEN json_typeof(fields.value) = 'array' THEN fields.value ELSE '[]' END)
          WITH ORDINALITY AS list (value, place)
      ) AS part (key, value)
      WHERE depth < 4 AND NOT (depth = 0 AND part.key IN ('deviceId', 'timestamp'))
    ), numbers AS (
      SELECT bucket, name, CASE WHEN json_typeof(value) = 'number' THEN (value #>> '{}')::float8 END AS number FROM fields
    ), series AS (
      SELECT bucket, name, avg(number) AS mean, min(number) AS least, max(number) AS most,
        dense_rank() OVER (ORDER BY name) AS place
      FROM numbers WHERE abs(number) < 1e150 GROUP BY bucket, name
    ), answers AS (
      SELECT bucket, json_object_agg(name, mean) AS means, json_object_agg(name, least) AS least,
        json_object_agg(name, most) AS most
      FROM series WHERE place <= $6 GROUP BY bucket
    )
    SELECT max(id)::float8 AS id, count(*)::float8 AS readings, avg(received_ms) AS received_ms,
      (SELECT means FROM answers WHERE answers.bucket = placed.bucket) AS means,
      (SELECT least FROM answers WHERE answers.bucket = placed.bucket) AS least,
      (SELECT most FROM answers WHERE answers.bucket = placed.bucket) AS most
    FROM placed GROUP BY bucket ORDER BY bucket DESC`,
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

    /** Newest first. */
    async averages({ deviceId, sinceMs, untilMs, buckets }: AverageFilter): Promise<AverageReading[]> {
      type Numbers = Readonly<Record<string, number>> | null;
      const { rows } = await database.read<{
        id: number;
        readings: number;
        received_ms: number;
        means: Numbers;
        least: Numbers;
        most: Numbers;
      }>(SQL.averages, [deviceId, sinceMs, untilMs, buckets, MOST_AVERAGED, MOST_AVERAGED_NUMBERS]);
      return rows.map(({ received_ms, means, least, most, ...row }) => ({
        ...row,
        receivedMs: received_ms,
        means: means ?? {},
        least: least ?? {},
        most: most ?? {},
      }));
    },

    /** @returns how many were removed */
    removeOlder: (thanMs: number): Promise<number> => removeAll(SQL.removeOlder, thanMs),

    /** Leaves the newest `rows`. @returns how many were removed */
    removeBeyond: (rows: number): Promise<number> => removeAll(SQL.removeBeyond, rows),
  };
}

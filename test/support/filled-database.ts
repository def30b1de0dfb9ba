/** Rows in every table, of every type that the schema has, with what makes copies go wrong: nulls, quotes, odd letters, large numbers. */
import { createFaceStore } from '../../server/store/faces.ts';
import type { Database } from '../../server/store/pool.ts';
import { PERFECT_QUALITY, randomUnitVector, seededRandom } from './vectors.ts';

/** Pictures, and as many embeddings. */
export const FACES = 1203;

export async function fillDatabase(database: Database): Promise<void> {
  const random = seededRandom(7);
  const store = createFaceStore(database);
  // The first through the program itself, the rest in bulk.
  for (const name of ['O\'Brien \\ "x"', 'Zoë 张伟 \u{1f600}', '{a,b}', 'NULL'])
    await store.addPicture(
      {
        name,
        fileName: `${name.length}.jpg`,
        sha256: `hash of ${name}`,
        box: { x: 1.5, y: 2, width: 100.25, height: 120 },
        quality: PERFECT_QUALITY,
        modelId: 'model-a',
        embedding: randomUnitVector(random),
        imported: true,
      },
      { perPerson: 50, perGallery: 100_000 },
    );
  await database.query(
    `INSERT INTO face_pictures (person_id, file_name, sha256, quality_overall, quality_size, quality_clarity, quality_lighting, quality_angle)
      SELECT (SELECT min(id) FROM persons), i || '.png', 'bulk ' || i, 0.1, 1e-7, 1.0 / 3, i / 7.0, 0 FROM generate_series(1, $1::int) AS i`,
    [FACES - 4],
  );
  const { rows } = await database.read<{ id: number }>(
    'SELECT id FROM face_pictures WHERE id NOT IN (SELECT picture_id FROM face_embeddings) ORDER BY id',
  );
  for (let start = 0; start < rows.length; start += 200) {
    const part = rows.slice(start, start + 200);
    await database.query(
      `INSERT INTO face_embeddings (picture_id, model_id, embedding)
        SELECT r.id, 'model-a', r.vector::vector FROM unnest($1::int[], $2::text[]) AS r(id, vector)`,
      [part.map(({ id }) => id), part.map(() => `[${randomUnitVector(random).join(',')}]`)],
    );
  }
  await database.query(
    `INSERT INTO devices (device_id, name, type, ip_address, capabilities, registered, reported_status, uptime, free_heap, wifi_rssi,
      error_count, errors, last_heartbeat_at, last_seen_at, maintenance_since)
      VALUES ('cam/1', 'Door', 'camera', '::1', '["a",  "b"]', true, 'online', 1e300, 0.1, NULL, 3, '[]', NULL, '2026-01-31 12:00:00.123456+05', 'infinity')`,
  );
  await database.query(
    `INSERT INTO device_commands (device_id, command, params, created_at) VALUES ('cam/1', 'x', '{"b": 1,   "a": 2}', now())`,
  );
  await database.query('INSERT INTO device_command_totals (sent, failed) VALUES (9007199254740993, 2)');
  await database.query(
    `INSERT INTO sensor_readings (device_id, received_at, data) SELECT 'cam/1', now(), '{ "t" : 21.50, "t" : 1e400 }' FROM generate_series(1, 700)`,
  );
  // Numbers that were given out and are gone: they must not come again.
  await database.query('DELETE FROM sensor_readings WHERE id > 690');
  await database.query(
    `INSERT INTO callback_batches (batch_id, session_id, callback_url, origin, body, recognitions, expires_at)
      VALUES (gen_random_uuid(), gen_random_uuid(), 'http://x/', 'http://x', E'line\\nline\\t"', 1, now())`,
  );
  await database.query(
    `INSERT INTO saved_cameras (camera_id, name, rtsp_url, recognise) VALUES (7, 'Hall', 'rtsp://u:p@h/s', true)`,
  );
}

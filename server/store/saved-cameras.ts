/** Saved cameras in the database. SQL text only here, values only as parameters. */
import type { SavedCamera, SavedCameraStore } from '../cameras/saved-cameras.ts';
import type { Database } from './pool.ts';

const COLUMNS = 'camera_id AS "cameraId", name, rtsp_url AS "rtspUrl", recognise';

export const SQL = {
  list: `SELECT ${COLUMNS} FROM saved_cameras ORDER BY camera_id`,
  // The first number that is free, unless one is given.
  add: `INSERT INTO saved_cameras (camera_id, name, rtsp_url, recognise)
    SELECT coalesce($1::smallint, (SELECT min(free) FROM generate_series(1, (SELECT count(*) + 1 FROM saved_cameras)) AS free
      WHERE free NOT IN (SELECT camera_id FROM saved_cameras)))::smallint, $2, $3, $4
    ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
  change: `UPDATE saved_cameras SET name = $2, rtsp_url = $3, recognise = $4 WHERE camera_id = $1
    AND NOT EXISTS (SELECT FROM saved_cameras WHERE rtsp_url = $3 AND camera_id <> $1) RETURNING ${COLUMNS}`,
  remove: 'DELETE FROM saved_cameras WHERE camera_id = $1',
} as const;

export function createSavedCameraStore(database: Database): SavedCameraStore {
  return {
    list: async () => [...(await database.read<SavedCamera>(SQL.list)).rows],
    async add({ cameraId, name, rtspUrl, recognise }) {
      const { rows } = await database.query<SavedCamera>(SQL.add, [cameraId, name, rtspUrl, recognise]);
      return rows[0] ?? null;
    },
    async change({ cameraId, name, rtspUrl, recognise }) {
      const { rows } = await database.query<SavedCamera>(SQL.change, [cameraId, name, rtspUrl, recognise]);
      return rows[0] ?? null;
    },
    remove: async (cameraId) => void (await database.query(SQL.remove, [cameraId])),
  };
}

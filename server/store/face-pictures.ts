/** The single pictures of a person in the database: listed, found, removed. */
import type { Box } from '../../workers/protocol.ts';
import type { PictureSummary, RemovedPicture } from '../recognition/gallery-store.ts';
import type { Database } from './pool.ts';

const QUALITY_COLUMNS = 'quality_overall, quality_size, quality_clarity, quality_lighting, quality_angle';
const COLUMNS = `picture.id, picture.file_name, picture.face_box, picture.created_at, ${QUALITY_COLUMNS}`;

export const PICTURE_SQL = {
  ofPerson: `SELECT ${COLUMNS} FROM face_pictures picture JOIN persons person ON person.id = picture.person_id
    WHERE person.name = $1 ORDER BY picture.id`,
  one: `SELECT ${COLUMNS} FROM face_pictures picture JOIN persons person ON person.id = picture.person_id
    WHERE person.name = $1 AND picture.id = $2`,
  lockPerson: 'SELECT id FROM persons WHERE name = $1 FOR UPDATE',
  remove: 'DELETE FROM face_pictures WHERE person_id = $1 AND id = $2 RETURNING file_name',
  removePersonWithout: `DELETE FROM persons WHERE id = $1
    AND NOT EXISTS (SELECT 1 FROM face_pictures WHERE person_id = $1)`,
} as const;

interface PictureRow {
  readonly id: number;
  readonly file_name: string;
  readonly face_box: readonly number[] | null;
  readonly created_at: Date;
  readonly quality_overall: number;
  readonly quality_size: number;
  readonly quality_clarity: number;
  readonly quality_lighting: number;
  readonly quality_angle: number;
}

export function createPictureQueries({ read, transaction }: Database) {
  return {
    /** In the order in which they were enrolled; empty where nobody has that name. */
    async picturesOf(name: string): Promise<PictureSummary[]> {
      return (await read<PictureRow>(PICTURE_SQL.ofPerson, [name])).rows.map(summary);
    },

    /** Null where that person has no such picture. */
    async pictureOf(name: string, pictureId: number): Promise<PictureSummary | null> {
      const row = (await read<PictureRow>(PICTURE_SQL.one, [name, pictureId])).rows[0];
      return row === undefined ? null : summary(row);
    },

    /** Picture and embeddings, and the person with the last one; null where that person has no such picture. */
    removePicture(name: string, pictureId: number): Promise<RemovedPicture | null> {
      return transaction(async (run) => {
        const person = (await run<{ id: number }>(PICTURE_SQL.lockPerson, [name])).rows[0];
        if (person === undefined) return null;
        const removed = (await run<{ file_name: string }>(PICTURE_SQL.remove, [person.id, pictureId]))
          .rows[0];
        if (removed === undefined) return null;
        const { rowCount } = await run(PICTURE_SQL.removePersonWithout, [person.id]);
        return { fileName: removed.file_name, personRemoved: rowCount > 0 };
      });
    },
  };
}

export function boxOfRow(values: readonly number[] | null): Box | null {
  if (values === null) return null;
  const [x, y, width, height] = values as [number, number, number, number];
  return { x, y, width, height };
}

const summary = (row: PictureRow): PictureSummary => ({
  id: row.id,
  fileName: row.file_name,
  box: boxOfRow(row.face_box),
  createdAt: row.created_at,
  quality: {
    overall: row.quality_overall,
    size: row.quality_size,
    clarity: row.quality_clarity,
    lighting: row.quality_lighting,
    angle: row.quality_angle,
  },
});

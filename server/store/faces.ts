/** The permitted faces in the database: every query on them. SQL text only here, values only as parameters. */
import { dotProduct } from '../../kernels/embedding-index.ts';
import type {
  AddedPicture,
  GalleryLimits,
  NewPicture,
  PersonSummary,
  StoredEmbedding,
  StoredPicture,
} from '../recognition/gallery-store.ts';
import { boxOfRow, createPictureQueries } from './face-pictures.ts';
import type { Database, Query } from './pool.ts';

export interface NearestPerson {
  readonly person: number;
  /** Plain cosine. */
  readonly similarity: number;
  readonly secondPerson: number | null;
  readonly secondSimilarity: number | null;
}

export type FaceStore = ReturnType<typeof createFaceStore>;

const UNIQUE_VIOLATION = '23505';
/** pgvector's binary form: int16 dimensions, int16 unused, then float32, all of them high byte first. */
const VECTOR_HEADER_BYTES = 4;

const QUALITY_COLUMNS = 'quality_overall, quality_size, quality_clarity, quality_lighting, quality_angle';

export const SQL = {
  galleryId: 'SELECT id FROM gallery_identity',
  persons: `SELECT person.id, person.name, person.created_at, count(*)::int AS pictures, max(picture.created_at) AS last_picture_at,
      max(picture.id) AS newest_picture_id
    FROM persons person JOIN face_pictures picture ON picture.person_id = person.id
    GROUP BY person.id ORDER BY person.name`,
  pictureBySha256: `SELECT picture.id, picture.person_id, picture.file_name, ${QUALITY_COLUMNS}, person.name
    FROM face_pictures picture JOIN persons person ON person.id = picture.person_id WHERE picture.sha256 = $1`,
  // The update that changes nothing locks the row, so that pictures of one person are counted and added one after another.
  person: `INSERT INTO persons (name) VALUES ($1)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
  counts: `SELECT count(*)::int AS of_gallery, count(*) FILTER (WHERE person_id = $1)::int AS of_person FROM face_pictures`,
  addPicture: `INSERT INTO face_pictures (person_id, file_name, sha256, face_box, ${QUALITY_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
  addEmbedding: `INSERT INTO face_embeddings (picture_id, model_id, embedding)
    SELECT id, $2, $3 FROM face_pictures WHERE id = $1
    ON CONFLICT (picture_id, model_id) DO UPDATE SET embedding = excluded.embedding`,
  rememberImport: 'INSERT INTO imported_pictures (sha256) VALUES ($1) ON CONFLICT (sha256) DO NOTHING',
  wasImported: 'SELECT 1 FROM imported_pictures WHERE sha256 = $1',
  lockPerson: 'SELECT id FROM persons WHERE name = $1 FOR UPDATE',
  fileNamesOfPerson: 'SELECT file_name FROM face_pictures WHERE person_id = $1 ORDER BY id',
  removePerson: 'DELETE FROM persons WHERE id = $1',
  // Deleted rows stay in table and index until they are vacuumed; without the option, an index with few dead rows is left out.
  vacuum: 'VACUUM (INDEX_CLEANUP ON) persons, face_pictures, face_embeddings',
  endLogSegment: 'SELECT pg_switch_wal()',
  checkpoint: 'CHECKPOINT',
  fileNames: 'SELECT file_name FROM face_pictures',
  embeddings: `SELECT embedding.picture_id, picture.person_id, vector_send(embedding.embedding) AS bytes
    FROM face_embeddings embedding JOIN face_pictures picture ON picture.id = embedding.picture_id
    WHERE embedding.model_id = $1 AND embedding.picture_id > $2
    ORDER BY embedding.picture_id LIMIT $3`,
  picturesWithout: `SELECT picture.id, picture.person_id, picture.file_name, picture.face_box, person.name
    FROM face_pictures picture JOIN persons person ON person.id = picture.person_id
    WHERE NOT EXISTS (SELECT 1 FROM face_embeddings e WHERE e.picture_id = picture.id AND e.model_id = $1)
    ORDER BY picture.id`,
  // Each person's nearest picture: DISTINCT ON rules the approximate index out, so every row is compared. pgvector adds up in
  // single precision, one term after another (off by up to 1.3e-6, measured), hence a few more than two, to be computed again.
  nearestExact: `WITH nearest AS (
      SELECT DISTINCT ON (picture.person_id) picture.person_id, picture.id, embedding.embedding <=> $1 AS distance
      FROM face_embeddings embedding JOIN face_pictures picture ON picture.id = embedding.picture_id
      WHERE embedding.model_id = $2
      ORDER BY picture.person_id, distance)
    SELECT nearest.person_id, vector_send(embedding.embedding) AS bytes
    FROM (SELECT * FROM nearest ORDER BY distance LIMIT 4) nearest
    JOIN face_embeddings embedding ON embedding.picture_id = nearest.id AND embedding.model_id = $2`,
} as const;

interface QualityRow {
  readonly quality_overall: number;
  readonly quality_size: number;
  readonly quality_clarity: number;
  readonly quality_lighting: number;
  readonly quality_angle: number;
}

export function createFaceStore(database: Database) {
  const { query, read, transaction } = database;

  return {
    ...createPictureQueries(database),

    /** Names the folder of this database's pictures. */
    async galleryId(): Promise<string> {
      return (await read<{ id: string }>(SQL.galleryId)).rows[0]!.id;
    },

    async persons(): Promise<PersonSummary[]> {
      const { rows } = await read<{
        id: number;
        name: string;
        pictures: number;
        created_at: Date;
        last_picture_at: Date;
        newest_picture_id: number;
      }>(SQL.persons);
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        pictures: row.pictures,
        createdAt: row.created_at,
        lastPictureAt: row.last_picture_at,
        newestPictureId: row.newest_picture_id,
      }));
    },

    /** The picture of those bytes, whoever's it is. */
    pictureBySha256: (sha256: string) => knownPicture(read, sha256),

    /** Person (where the name is new), picture and embedding, all or none. */
    async addPicture(picture: NewPicture, limits: GalleryLimits): Promise<AddedPicture> {
      try {
        return await transaction((run) => insertPicture(run, picture, limits));
      } catch (error) {
        // The same picture was committed by somebody else in between: the second look finds it.
        if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
        return transaction((run) => insertPicture(run, picture, limits));
      }
    },

    /** Does nothing where the picture has been deleted meanwhile. */
    async addEmbedding(pictureId: number, modelId: string, embedding: Float32Array): Promise<boolean> {
      return (await query(SQL.addEmbedding, [pictureId, modelId, vectorText(embedding)])).rowCount > 0;
    },

    /** Removes the rows, and says which files they named; null where nobody has that name. */
    async removePerson(name: string): Promise<{ personId: number; fileNames: string[] } | null> {
      return transaction(async (run) => {
        const person = (await run<{ id: number }>(SQL.lockPerson, [name])).rows[0];
        if (person === undefined) return null;
        const files = await run<{ file_name: string }>(SQL.fileNamesOfPerson, [person.id]);
        await run(SQL.removePerson, [person.id]);
        return { personId: person.id, fileNames: files.rows.map((row) => row.file_name) };
      });
    },

    /**
     * Wipes what deleted rows have left in the nearest-neighbour index and, in the embedded database, in its log. Their place in the
     * table is freed and keeps its bytes until the next row is written there; a server's log is its own affair. Takes about 0.2 ms
     * per stored embedding.
     */
    async purge(): Promise<void> {
      await database.maintain(SQL.vacuum);
      if (database.kind === 'server') return;
      // A checkpoint deletes the segments before the one that is being written.
      await query(SQL.endLogSegment);
      await query(SQL.checkpoint);
    },

    async fileNames(): Promise<Set<string>> {
      const { rows } = await read<{ file_name: string }>(SQL.fileNames);
      return new Set(rows.map((row) => row.file_name));
    },

    async wasImported(sha256: string): Promise<boolean> {
      return (await read(SQL.wasImported, [sha256])).rowCount > 0;
    },

    async rememberImport(sha256: string): Promise<void> {
      await query(SQL.rememberImport, [sha256]);
    },

    /** Every embedding of a model, in the order of the pictures, a batch at a time so that no statement is long. */
    async *embeddings(modelId: string, batchRows = 500): AsyncGenerator<StoredEmbedding[]> {
      for (let after = 0; ; ) {
        const { rows } = await read<{ picture_id: number; person_id: number; bytes: Buffer }>(
          SQL.embeddings,
          [modelId, after, batchRows],
        );
        if (rows.length > 0)
          yield rows.map((row) => ({
            pictureId: row.picture_id,
            personId: row.person_id,
            embedding: vectorFromBytes(row.bytes),
          }));
        if (rows.length < batchRows) return;
        after = rows.at(-1)!.picture_id;
      }
    },

    async picturesWithout(modelId: string): Promise<StoredPicture[]> {
      const { rows } = await read<{
        id: number;
        person_id: number;
        file_name: string;
        face_box: readonly number[] | null;
        name: string;
      }>(SQL.picturesWithout, [modelId]);
      return rows.map((row) => ({
        pictureId: row.id,
        personId: row.person_id,
        name: row.name,
        fileName: row.file_name,
        box: boxOfRow(row.face_box),
      }));
    },

    /** The nearest person, and the nearest picture of anybody else, by comparing with every picture; null without any. */
    async nearest(embedding: Float32Array, modelId: string): Promise<NearestPerson | null> {
      const { rows } = await read<{ person_id: number; bytes: Buffer }>(SQL.nearestExact, [
        vectorText(embedding),
        modelId,
      ]);
      const [first, second] = rows
        .map((row) => ({
          person_id: row.person_id,
          similarity: dotProduct(embedding, vectorFromBytes(row.bytes)),
        }))
        .sort((a, b) => b.similarity - a.similarity || a.person_id - b.person_id);
      if (first === undefined) return null;
      return {
        person: first.person_id,
        similarity: first.similarity,
        secondPerson: second?.person_id ?? null,
        secondSimilarity: second?.similarity ?? null,
      };
    },
  };
}

async function knownPicture(query: Query, sha256: string) {
  const { rows } = await query<
    QualityRow & { id: number; person_id: number; file_name: string; name: string }
  >(SQL.pictureBySha256, [sha256]);
  const row = rows[0];
  if (row === undefined) return null;
  return {
    outcome: 'known' as const,
    name: row.name,
    personId: row.person_id,
    pictureId: row.id,
    fileName: row.file_name,
    quality: {
      overall: row.quality_overall,
      size: row.quality_size,
      clarity: row.quality_clarity,
      lighting: row.quality_lighting,
      angle: row.quality_angle,
    },
  };
}

async function insertPicture(
  query: Query,
  picture: NewPicture,
  limits: GalleryLimits,
): Promise<AddedPicture> {
  const known = await knownPicture(query, picture.sha256);
  if (known !== null) {
    if (picture.imported && known.name === picture.name) await query(SQL.rememberImport, [picture.sha256]);
    return known;
  }
  const counted = await query<{ of_gallery: number }>(SQL.counts, [0]);
  const ofGallery = counted.rows[0]!.of_gallery;
  if (ofGallery >= limits.perGallery) return { outcome: 'gallery_full', pictures: ofGallery };
  // A person made here always gets a picture: only one who was there before can be full.
  const personId = (await query<{ id: number }>(SQL.person, [picture.name])).rows[0]!.id;
  const ofPerson = (await query<{ of_person: number }>(SQL.counts, [personId])).rows[0]!.of_person;
  if (ofPerson >= limits.perPerson) return { outcome: 'person_full', pictures: ofPerson };
  const { overall, size, clarity, lighting, angle } = picture.quality;
  const added = await query<{ id: number }>(SQL.addPicture, [
    personId,
    picture.fileName,
    picture.sha256,
    [picture.box.x, picture.box.y, picture.box.width, picture.box.height],
    overall,
    size,
    clarity,
    lighting,
    angle,
  ]);
  const pictureId = added.rows[0]!.id;
  await query(SQL.addEmbedding, [pictureId, picture.modelId, vectorText(picture.embedding)]);
  if (picture.imported) await query(SQL.rememberImport, [picture.sha256]);
  return { outcome: 'added', personId, pictureId };
}

export const vectorText = (embedding: Float32Array): string => `[${embedding.join(',')}]`;

/** What vector_send gave: a Float32Array of its own. */
export function vectorFromBytes(bytes: Buffer): Float32Array {
  const dimensions = bytes.readUInt16BE(0);
  const values = new Uint8Array(bytes.subarray(VECTOR_HEADER_BYTES, VECTOR_HEADER_BYTES + 4 * dimensions));
  Buffer.from(values.buffer).swap32();
  return new Float32Array(values.buffer);
}

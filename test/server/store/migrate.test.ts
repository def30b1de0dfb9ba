import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { StartError } from '../../../server/errors.ts';
import { migrate, readMigrations } from '../../../server/store/migrate.ts';
import { type Database, openPool } from '../../../server/store/pool.ts';
import {
  databaseKinds,
  openTestDatabase,
  placeFreshCluster,
  type TestDatabase,
} from '../../support/database.ts';

for (const kind of databaseKinds)
  describe(`migrating the ${kind} database`, () => {
    let own: TestDatabase;
    let database: Database;
    before(async () => {
      own = await openTestDatabase(kind, { migrated: false });
      database = own.database;
    });
    after(() => own.close());

    test('two servers that start at once run each step once', async () => {
      const all = (await readMigrations()).map(({ name }) => name);
      const runs = await Promise.all([migrate(database), migrate(database)]);
      assert.deepEqual(runs.flat().sort(), all);
      assert.deepEqual(await migrate(database), []);
      const { rows } = await database.read<{ name: string }>(
        'SELECT name FROM facepool_migrations ORDER BY number',
      );
      assert.deepEqual(
        rows.map(({ name }) => name),
        all,
      );
    });

    test('embeddings are stored in the row and indexed for the cosine', async () => {
      const storage = await database.read<{ attstorage: string }>(
        "SELECT attstorage FROM pg_attribute WHERE attrelid = 'face_embeddings'::regclass AND attname = 'embedding'",
      );
      assert.equal(storage.rows[0]!.attstorage, 'p');
      const index = await database.read<{ indexdef: string }>(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'face_embeddings_nearest'",
      );
      assert.match(index.rows[0]!.indexdef, /USING hnsw \(embedding vector_cosine_ops\)/);
    });

    test('a database of a newer program, and one with other steps, are refused', async () => {
      await database.query("INSERT INTO facepool_migrations VALUES (9999, '9999-of-tomorrow')");
      await assert.rejects(
        migrate(database),
        (error: Error) =>
          error instanceof StartError && /newer version.*9999-of-tomorrow/.test(error.message),
      );
      await database.query('DELETE FROM facepool_migrations WHERE number = 9999');
      await database.query("UPDATE facepool_migrations SET name = '0001-other' WHERE number = 1");
      await assert.rejects(migrate(database), StartError);
      await database.query("UPDATE facepool_migrations SET name = '0001-faces' WHERE number = 1");
    });
  });

test('a server without pgvector stops the start with what to install', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-plain-'));
  await placeFreshCluster(folder);
  const plain = await PGlite.create({ dataDir: join(folder, 'cluster') });
  const server = new PGLiteSocketServer({ db: plain, path: join(folder, '.s.PGSQL.5432') });
  await server.start();
  const database = openPool({ kind: 'embedded', socketFolder: folder, port: 5432 });
  try {
    await assert.rejects(
      migrate(database),
      (error: Error) => error instanceof StartError && /lacks pgvector: install it/.test(error.message),
    );
  } finally {
    await database.close();
    await server.stop();
    await plain.close();
    await rm(folder, { recursive: true, force: true });
  }
});

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { restoreBackup, verifyBackup, writeBackup } from '../../../server/store/backup.ts';
import { moveAll } from '../../../server/store/move.ts';
import { readContents, withSnapshot, writeAll } from '../../../server/store/table-copy.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { FACES, fillDatabase } from '../../support/filled-database.ts';

/** From each kind of database to each: where only the embedded one is here, from it to another one. */
const roads = databaseKinds.flatMap((from) => databaseKinds.map((to) => [from, to] as const));

let folder: string;
let gallery: string;
const sources = new Map<string, TestDatabase>();
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-copies-'));
  gallery = join(folder, 'faces');
  await mkdir(gallery);
  await writeFile(join(gallery, '1.jpg'), 'a picture');
  await writeFile(join(gallery, '2.png'), 'another');
  for (const kind of databaseKinds) {
    const source = await openTestDatabase(kind);
    sources.set(kind, source);
    await fillDatabase(source.database);
  }
});
after(async () => {
  for (const source of sources.values()) await source.close();
  await rm(folder, { recursive: true, force: true });
});

const contentsOf = ({ database }: TestDatabase) => withSnapshot(database, (query) => readContents(query));

/** The most similar faces and how similar they are, through the index. */
async function nearest({ database }: TestDatabase): Promise<string[]> {
  const { rows } = await database.read<{ id: number; distance: number }>(
    `SELECT picture_id AS id, embedding <=> (SELECT embedding FROM face_embeddings ORDER BY picture_id LIMIT 1) AS distance
      FROM face_embeddings ORDER BY 2, 1 LIMIT 5`,
  );
  return rows.map(({ id, distance }) => `${id} ${distance.toFixed(5)}`);
}

async function indexesOf({ database }: TestDatabase): Promise<string[]> {
  const { rows } = await database.read<{ name: string }>(
    "SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

for (const [from, to] of roads)
  describe(`from ${from} to ${to}`, () => {
    test('a move copies every value, every counter and the indexes; the same faces are nearest', async () => {
      const source = sources.get(from)!;
      const target = await openTestDatabase(to, { migrated: false });
      try {
        const told: string[] = [];
        const moved = await moveAll(source.database, target.database, ({ table, rows, totalRows }) =>
          told.push(`${table} ${rows}/${totalRows}`),
        );
        assert.ok(told.includes(`face_embeddings ${FACES}/${FACES}`));
        const [there, here] = [await contentsOf(target), await contentsOf(source)];
        assert.deepEqual(there, here);
        assert.deepEqual(moved, here);
        assert.ok(
          here.tables.every(({ rows }) => rows > 0),
          'the test has rows in every table',
        );
        assert.deepEqual(await indexesOf(target), await indexesOf(source));
        assert.deepEqual(await nearest(target), await nearest(source));
        const insert =
          "INSERT INTO sensor_readings (device_id, received_at, data) VALUES ('x', now(), '1') RETURNING id::int AS id";
        assert.equal((await target.database.query<{ id: number }>(insert)).rows[0]!.id, 701);
      } finally {
        await target.close();
      }
    });

    test('a backup brings back the same, pictures included', async () => {
      const backup = join(folder, `backup-${from}-${to}`);
      const restored = join(folder, `faces-${from}-${to}`);
      const source = sources.get(from)!;
      const { pictures } = await writeBackup(source.database, gallery, backup);
      assert.equal(pictures.length, 2);
      const target = await openTestDatabase(to, { migrated: false });
      try {
        await restoreBackup(backup, target.database, restored);
        assert.deepEqual(await contentsOf(target), await contentsOf(source));
        assert.equal(await readFile(join(restored, '1.jpg'), 'utf8'), 'a picture');
      } finally {
        await target.close();
      }
    });
  });

test('nothing is overwritten: no folder, no database with rows, no pictures', async () => {
  const source = sources.get('embedded')!;
  const backup = join(folder, 'once');
  await writeBackup(source.database, gallery, backup);
  await assert.rejects(writeBackup(source.database, gallery, backup), /once exists: nothing is overwritten/);
  await assert.rejects(restoreBackup(backup, source.database, gallery), /faces is not empty: 2 pictures/);
  const empty = join(folder, 'empty');
  await assert.rejects(
    restoreBackup(backup, source.database, empty),
    /the target is not empty: \w+ has \d+ rows/,
  );
  assert.deepEqual(await readdir(empty), [], 'pictures of a restore that failed are taken away again');
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.part')),
    [],
  );
});

test('a backup that lost a byte anywhere is refused before anything is written', async () => {
  const source = sources.get('embedded')!;
  const good = join(folder, 'good');
  await writeBackup(source.database, gallery, good);
  await verifyBackup(good);
  const damages: [string, (path: string) => Promise<void>, RegExp][] = [
    ['face_embeddings.rows.gz', (path) => truncate(path, 5000), /damaged: face_embeddings\.rows\.gz/],
    ['persons.rows.gz', (path) => rm(path), /damaged: persons\.rows\.gz/],
    ['gallery/1.jpg', (path) => writeFile(path, 'b picture'), /damaged: gallery\/1\.jpg: its content/],
    ['manifest.json', (path) => truncate(path, 100), /holds no backup/],
    [
      'manifest.json',
      async (path) => writeFile(path, (await readFile(path, 'utf8')).replace('"1.jpg"', '"../1.jpg"')),
      /is no plain name/,
    ],
  ];
  for (const [index, [file, damage, message]] of damages.entries()) {
    const bad = join(folder, `bad-${index}`);
    await cp(good, bad, { recursive: true });
    await damage(join(bad, file));
    await assert.rejects(verifyBackup(bad), message);
    await assert.rejects(restoreBackup(bad, source.database, join(folder, 'nowhere')), message);
  }
});

test('a manifest cannot bring SQL of its own', async () => {
  const source = sources.get('embedded')!;
  const good = await withSnapshot(source.database, (query) => readContents(query));
  const target = await openTestDatabase('embedded');
  const tables = good.tables.map((table) => ({
    ...table,
    columns: table.columns.map(({ name }) => ({ name, type: 'text FROM pg_shadow; DROP TABLE persons; --' })),
  }));
  const nothing = async function* () {};
  await assert.rejects(
    writeAll(target.database, { ...good, tables }, nothing),
    /not those that the target has/,
  );
  await target.database.read('SELECT FROM persons');
  await target.close();
});

test('a database that was never used has nothing to back up', async () => {
  const unused = await openTestDatabase('embedded', { migrated: false });
  await assert.rejects(writeBackup(unused.database, gallery, join(folder, 'unused')), /never used/);
  await unused.close();
});

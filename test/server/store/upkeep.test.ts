import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkpointWhenDue, startUpkeep, vacuumAll } from '../../../server/store/upkeep.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let own: TestDatabase;
before(async () => {
  own = await openTestDatabase('embedded');
});
after(() => own.close());

const logSegments = async () =>
  (await readdir(join(own.folder!, 'cluster', 'pg_wal'))).filter((name) => /^[0-9A-F]{24}$/.test(name))
    .length;

test('the log of the embedded database shrinks at a checkpoint, which comes only when there is enough of it', async () => {
  await own.database.query('CREATE TABLE filling (text text)');
  await own.database.query('CHECKPOINT');
  assert.equal(await checkpointWhenDue(own.database, 1024 * 1024), false);
  await own.database.query("INSERT INTO filling SELECT repeat('x', 1000) FROM generate_series(1, 8000)");
  const before = await logSegments();
  assert.ok(before >= 8);
  assert.equal(await checkpointWhenDue(own.database, 1024 * 1024), true);
  assert.ok((await logSegments()) <= 4);
});

test('vacuuming takes every table, also one with an odd name', async () => {
  await own.database.query('CREATE TABLE "odd ""name" (n integer)');
  await vacuumAll(own.database);
  await own.database.query('DROP TABLE "odd ""name"');
});

test('upkeep can be stopped before it did anything', async () => {
  await startUpkeep(own.database, (error) => assert.fail(String(error))).stop();
});

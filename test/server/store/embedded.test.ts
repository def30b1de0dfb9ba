import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { StartError } from '../../../server/errors.ts';
import { startEmbedded } from '../../../server/store/embedded.ts';
import { openPool } from '../../../server/store/pool.ts';
import { placeFreshCluster } from '../../support/database.ts';

const parent = await mkdtemp(join(tmpdir(), 'facepool-test-embedded-'));
after(() => rm(parent, { recursive: true, force: true }));

async function withDatabase<T>(
  folder: string,
  work: (pool: ReturnType<typeof openPool>) => Promise<T>,
): Promise<T> {
  const embedded = await startEmbedded(folder);
  const { socketFolder, port } = embedded;
  const pool = openPool({ kind: 'embedded', socketFolder, port });
  try {
    return await work(pool);
  } finally {
    await pool.close();
    await embedded.stop();
  }
}

test('rows are there again after a stop and a start, in a folder with a long path', async () => {
  const folder = join(parent, 'x'.repeat(120), 'database');
  await placeFreshCluster(folder);
  await withDatabase(folder, (pool) => pool.query("CREATE TABLE kept AS SELECT 'still here' AS text"));
  const { rows } = await withDatabase(folder, (pool) => pool.query('SELECT text FROM kept'));
  assert.deepEqual(rows, [{ text: 'still here' }]);
});

test('a commit is written through to the disk', async () => {
  const folder = join(parent, 'sync');
  await placeFreshCluster(folder);
  await withDatabase(folder, async (pool) => {
    const settings = await pool.query(
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'wal_sync_method') ORDER BY name",
    );
    assert.deepEqual(
      settings.rows.map((row) => row.setting),
      ['on', 'on', 'fsync'],
    );
  });
});

test('a first start that died half way is begun anew', async () => {
  const folder = join(parent, 'half');
  await mkdir(join(folder, 'cluster', 'base'), { recursive: true });
  await writeFile(join(folder, 'cluster', 'PG_VERSION'), '18\n');
  await writeFile(join(folder, 'cluster.being-made'), '');
  await withDatabase(folder, (pool) => pool.query('SELECT 1'));
  assert.equal(existsSync(join(folder, 'cluster.being-made')), false);
  assert.equal((await readFile(join(folder, 'cluster', 'PG_VERSION'), 'utf8')).trim(), '18');
});

test('the socket is in a folder of mode 0700 that is gone after the stop', async () => {
  const folder = join(parent, 'socket');
  await placeFreshCluster(folder);
  const embedded = await startEmbedded(folder);
  assert.equal((await stat(embedded.socketFolder)).mode & 0o777, 0o700);
  await Promise.all([embedded.stop(), embedded.stop()]);
  assert.equal(existsSync(embedded.socketFolder), false);
});

test('the socket folder that a killed server left is removed by the next start', async () => {
  const folder = join(parent, 'left');
  await placeFreshCluster(folder);
  const left = await mkdtemp(join(tmpdir(), 'facepool-db-'));
  await writeFile(join(folder, 'socket-folder'), left);
  await withDatabase(folder, (pool) => pool.query('SELECT 1'));
  assert.equal(existsSync(left), false);
});

test('a database of another PostgreSQL version stops the start with both versions', async () => {
  const folder = join(parent, 'version');
  await mkdir(join(folder, 'cluster'), { recursive: true });
  await writeFile(join(folder, 'cluster', 'PG_VERSION'), '16\n');
  await assert.rejects(
    startEmbedded(folder),
    (error: Error) =>
      error instanceof StartError && /PostgreSQL 16, this program needs 18/.test(error.message),
  );
});

test('a folder without a database in it, and one that cannot be written to, stop the start with their names', async () => {
  const foreign = join(parent, 'foreign');
  await mkdir(join(foreign, 'cluster'), { recursive: true });
  await assert.rejects(startEmbedded(foreign), /holds no database/);
  const file = join(parent, 'file');
  await writeFile(file, '');
  await assert.rejects(
    startEmbedded(file),
    (error: Error) => error instanceof StartError && error.message.includes(file),
  );
});

test('a damaged database is a start error, not a hang', async () => {
  const folder = join(parent, 'damaged');
  await placeFreshCluster(folder);
  await rm(join(folder, 'cluster', 'global'), { recursive: true });
  await assert.rejects(startEmbedded(folder), StartError);
});

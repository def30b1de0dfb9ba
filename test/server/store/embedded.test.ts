import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { StartError } from '../../../server/errors.ts';
import { type EmbeddedOptions, startEmbedded } from '../../../server/store/embedded.ts';
import { openPool } from '../../../server/store/pool.ts';
import { placeFreshCluster } from '../../support/database.ts';
import { endDatabaseThreads } from '../../support/database-thread.ts';

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

describe('an embedded database whose thread fails', () => {
  async function watched(name: string, options: EmbeddedOptions = {}) {
    const folder = join(parent, name);
    await placeFreshCluster(folder);
    const lost: string[] = [];
    const back = Promise.withResolvers<number>();
    const embedded = await startEmbedded(folder, {
      ...options,
      onLost: (reason) => lost.push(reason),
      onRecovered: back.resolve,
    });
    const { socketFolder, port } = embedded;
    return {
      folder,
      embedded,
      lost,
      back: back.promise,
      address: { kind: 'embedded', socketFolder, port } as const,
    };
  }

  test('is there again at the same socket, with everything that was committed and nothing that was not', async () => {
    const { embedded, address, lost, back } = await watched('ended');
    const pool = openPool(address);
    await pool.query('CREATE TABLE kept (number integer PRIMARY KEY)');
    await pool.query('INSERT INTO kept VALUES (1)');
    const cut = pool.transaction(async (query) => {
      await query('INSERT INTO kept VALUES (2)');
      await endDatabaseThreads();
      await query('INSERT INTO kept VALUES (3)');
    });
    await assert.rejects(cut, { code: 'DATABASE_UNAVAILABLE', status: 503 });
    assert.deepEqual((await pool.read('SELECT number FROM kept')).rows, [{ number: 1 }]);
    assert.ok((await back) > 0);
    assert.deepEqual(lost, ['its thread ended with code 1']);
    await pool.close();
    await embedded.stop();
  });

  test('is replaced where it leaves a statement without an answer, and maintenance may take longer', async () => {
    const { embedded, address, lost, back } = await watched('wedged');
    const pool = openPool(address, { statementTimeoutMs: 100, onStuck: embedded.replace });
    await pool.maintain('SELECT pg_sleep(6)');
    assert.deepEqual(lost, []);
    await assert.rejects(pool.query('DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$'), {
      code: 'DATABASE_TIMEOUT',
      status: 503,
    });
    await back;
    assert.deepEqual(lost, ['a statement was not answered within 5.1 s']);
    assert.equal((await pool.query('SELECT 1')).rowCount, 1);
    await pool.close();
    await embedded.stop();
  });

  test('is replaced where it takes no connection', async () => {
    const { embedded, address, lost, back } = await watched('deaf');
    const blocker = openPool(address);
    const blocked = assert.rejects(blocker.query('DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$'), {
      status: 503,
    });
    const pool = openPool(address, { connectTimeoutMs: 500, reconnectMs: 100, onStuck: embedded.replace });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await assert.rejects(pool.query('SELECT 1'), { code: 'DATABASE_UNAVAILABLE', status: 503 });
    await Promise.all([back, blocked]);
    assert.deepEqual(lost, ['it took no connection within 0.5 s']);
    assert.equal((await pool.query('SELECT 1')).rowCount, 1);
    await Promise.all([pool.close(), blocker.close()]);
    await embedded.stop();
  });

  test('is given up with the reason where it does not start again', async () => {
    const { folder, embedded, lost } = await watched('gone', { mostRestarts: 2 });
    await rm(join(folder, 'cluster', 'global'), { recursive: true });
    await endDatabaseThreads();
    const error = await embedded.broken;
    assert.ok(error instanceof StartError);
    assert.match(error.message, /the embedded database in .* has failed: .*, after 2 restarts/);
    assert.equal(lost.length, 3);
    await embedded.stop();
    assert.equal(existsSync(embedded.socketFolder), false);
  });

  test('can be stopped while it is being replaced', async () => {
    const { embedded, lost } = await watched('stopped');
    await endDatabaseThreads();
    await embedded.stop();
    assert.ok(lost.length <= 1);
    assert.equal(await endDatabaseThreads(), 0);
    assert.equal(existsSync(embedded.socketFolder), false);
  });
});

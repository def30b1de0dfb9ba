import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HELP, runDatabaseCommand } from '../../server/database-cli.ts';
import { lockFolder } from '../../server/store/folder-lock.ts';
import { createServerDatabase, databaseKinds, placeFreshCluster } from '../support/database.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-db-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function dataFolder(name: string): Promise<string> {
  const path = join(folder, name);
  await placeFreshCluster(join(path, 'database'));
  return path;
}

async function run(args: string[], dataDir: string, databaseUrl?: string) {
  const lines = { out: '', err: '' };
  const code = await runDatabaseCommand(args, () => ({ DATA_DIR: dataDir, DATABASE_URL: databaseUrl }), {
    write: (text) => {
      lines.out += text;
    },
    writeError: (text) => {
      lines.err += text;
    },
    interactive: false,
  });
  return { code, ...lines };
}

test('the schema is brought up to date, stored, verified, and restored into a new data folder', async () => {
  const data = await dataFolder('data');
  await mkdir(join(data, 'faces'));
  await writeFile(join(data, 'faces', 'a.jpg'), 'a');
  assert.match((await run(['migrate'], data)).out, /^brought up to date: 0001-faces/);
  assert.equal((await run(['migrate'], data)).out, 'the schema is up to date\n');
  const backup = join(folder, 'backup');
  const stored = await run(['backup', backup], data);
  assert.match(stored.out, /1 rows of \d+ tables and 1 pictures: stored in/);
  assert.equal((await run(['verify', backup], data)).code, 0);
  const other = await dataFolder('other');
  const restored = await run(['restore', backup], other);
  assert.equal(restored.err, '');
  assert.deepEqual(await readdir(join(other, 'faces')), ['a.jpg']);
  const again = await run(['restore', backup], other);
  assert.equal(again.code, 1);
  assert.match(again.err, /nothing is overwritten/i);
});

test('while a server runs on the folder, nothing is done', async () => {
  const data = await dataFolder('busy');
  const lock = lockFolder(data);
  try {
    const { code, err } = await run(['backup', join(folder, 'never')], data);
    assert.equal(code, 1);
    assert.match(err, /in use/);
  } finally {
    lock.release();
  }
});

test('what is not understood is told, with exit code 2', async () => {
  for (const args of [
    ['backup'],
    ['drop'],
    ['move'],
    ['migrate', 'x'],
    ['backup', 'x', '--to', 'server'],
    ['--what'],
  ]) {
    const { code, err } = await run(args, folder);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, /--help shows/);
  }
  assert.deepEqual(await run(['--help'], folder), { code: 0, out: HELP, err: '' });
  const { code, err } = await run(['move', '--to', 'server'], folder);
  assert.equal(code, 1);
  assert.match(err, /DATABASE_URL is not set/);
});

test('the embedded database moves to a server and back', {
  skip: databaseKinds.includes('server') ? false : 'DATABASE_URL names no server',
}, async () => {
  const data = await dataFolder('moving');
  await run(['migrate'], data);
  const { url, drop } = await createServerDatabase(`cli_${process.pid}`);
  try {
    const away = await run(['move', '--to', 'server'], data, url);
    assert.equal(away.err, '');
    assert.match(away.out, /copied, and read back the same/);
    assert.equal((await run(['backup', join(folder, 'of-server')], data, url)).code, 0);
    const back = await run(['move', '--to', 'embedded'], await dataFolder('back'), url);
    assert.equal(back.err, '');
  } finally {
    await drop();
  }
});

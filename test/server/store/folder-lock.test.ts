import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { StartError } from '../../../server/errors.ts';
import { lockFolder } from '../../../server/store/folder-lock.ts';

const parent = mkdtempSync(join(tmpdir(), 'facepool-test-lock-'));
const children: ChildProcess[] = [];
after(() => {
  // Left alive by a test that failed, one would keep this file from ending.
  for (const child of children) child.kill('SIGKILL');
  rmSync(parent, { recursive: true, force: true });
});
const module = new URL('../../../server/store/folder-lock.ts', import.meta.url).href;

/** A process that holds the lock until it is killed. */
async function holder(folder: string): Promise<ChildProcess> {
  const script = `import { lockFolder } from ${JSON.stringify(module)};
    lockFolder(${JSON.stringify(folder)}); process.stdout.write('locked'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

test('a second process is refused with the folder and the process that holds it, until that one is killed', async () => {
  const folder = join(parent, 'killed');
  const child = await holder(folder);
  assert.throws(
    () => lockFolder(folder),
    (error: Error) =>
      error instanceof StartError &&
      error.message.includes(folder) &&
      error.message.includes(`process ${child.pid}`),
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockFolder(folder).release();
});

test('a second lock in the same process is refused, and possible after the release', () => {
  const folder = join(parent, 'twice');
  const lock = lockFolder(folder);
  assert.throws(() => lockFolder(folder), StartError);
  lock.release();
  lock.release();
  lockFolder(folder).release();
});

test('a note that somebody else left or spoilt does not hold the lock', () => {
  const folder = join(parent, 'note');
  lockFolder(folder).release();
  writeFileSync(join(folder, 'facepool.lock.json'), '{"pid": 1');
  lockFolder(folder).release();
});

test('a data folder that is a file is named in the error', () => {
  const file = join(parent, 'file');
  writeFileSync(file, '');
  assert.throws(
    () => lockFolder(file),
    (error: Error) => error instanceof StartError && error.message.includes(file),
  );
});

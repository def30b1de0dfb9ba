import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { StartError } from '../../server/errors.ts';
import { readOrCreateApiKey } from '../../server/key-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the first start makes a key of 32 random bytes that only its owner can read', async () => {
  const kept = await readOrCreateApiKey(folder);
  assert.equal(kept.created, true);
  assert.equal(Buffer.from(kept.key, 'base64url').length, 32);
  assert.equal((await stat(kept.path)).mode & 0o777, 0o600);
  assert.equal((await readFile(kept.path, 'utf8')).trim(), kept.key);
});

test('later starts take the same key', async () => {
  const first = await readOrCreateApiKey(folder);
  const second = await readOrCreateApiKey(folder);
  assert.equal(second.key, first.key);
  assert.equal(second.created, false);
  assert.equal(second.wasReadableByOthers, false);
});

test('a file that others can read is closed to them, and this is said', async () => {
  const { path } = await readOrCreateApiKey(folder);
  await chmod(path, 0o644);
  assert.equal((await readOrCreateApiKey(folder)).wasReadableByOthers, true);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a file that holds no key stops the start and says what to do', async () => {
  await writeFile(join(folder, 'api-key'), 'short\n', { mode: 0o600 });
  await assert.rejects(readOrCreateApiKey(folder), (error: Error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /delete the file/);
    assert.doesNotMatch(error.message, /short/);
    return true;
  });
});

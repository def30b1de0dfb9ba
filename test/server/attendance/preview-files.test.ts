import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { openPreviewFiles } from '../../../server/attendance/preview-files.ts';

const log = pino({ level: 'silent' });
const JPEG = Buffer.from('jpeg');
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-previews-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('a picture can be opened under its name, and by nobody else on the machine', async () => {
  const files = await openPreviewFiles(folder, log);
  const { name, path } = await files.add(JPEG, new Date('2024-10-19T10:00:00Z'));
  assert.match(name, /^camera_preview_1729332000_[0-9a-f]{12}\.jpg$/);
  const file = await files.open(name);
  assert.equal(file!.sizeBytes, JPEG.length);
  await file!.handle.close();
  assert.equal((await stat(path)).mode & 0o077, 0);
  files.close();
});

test('names that are not its own open nothing', async () => {
  const files = await openPreviewFiles(folder, log);
  await writeFile(join(folder, 'other.jpg'), JPEG);
  for (const name of [
    'other.jpg',
    '../other.jpg',
    'camera_preview_1.jpg',
    '',
    'camera_preview_1_abcdefabcdef.jpg',
  ])
    assert.equal(await files.open(name), null);
  files.close();
});

test('pictures older than an hour are gone at the next start, other files stay', async () => {
  const files = await openPreviewFiles(folder, log);
  const old = await files.add(JPEG, new Date());
  const fresh = await files.add(JPEG, new Date());
  const other = join(folder, 'other.jpg');
  await writeFile(other, JPEG);
  const before = new Date(Date.now() - 3_700_000);
  await utimes(old.path, before, before);
  await utimes(other, before, before);
  assert.equal(await files.open(old.name), null);
  files.close();
  (await openPreviewFiles(folder, log)).close();
  const left = await readdir(folder);
  assert.ok(!left.includes(old.name));
  assert.ok(left.includes(fresh.name) && left.includes('other.jpg'));
});

import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileNamePart } from '../../../server/devices/frame-names.ts';
import { type FrameFolder, makeFrameFolder, textOf } from '../../support/frame-folder.ts';

let folder: FrameFolder;
beforeEach(async () => {
  folder = await makeFrameFolder();
});
afterEach(() => folder.dispose());

const picture = (text: string) => Buffer.from(text);
const raw = (text: string) => ({
  bytes: Buffer.from(text),
  headers: { 'Content-Type': 'application/octet-stream', 'X-Frame-Width': '2' },
});

test('frames of one device in the same millisecond get names of their own', async () => {
  const frames = await folder.open();
  const stored = await Promise.all(
    Array.from({ length: 50 }, (_, i) => frames.store('cam', picture(`${i}`), null)),
  );
  assert.equal(new Set(stored.map(({ name }) => name)).size, 50);
  for (const [i, { name }] of stored.entries()) {
    assert.match(name, /^cam_\d+\.jpg$/);
    assert.equal(await textOf(await frames.open(name)), `${i}`);
  }
});

test('ids that become one file name do not overwrite each other', async () => {
  const frames = await folder.open();
  const stored = await Promise.all(['a/b', 'a_b', 'a\\b'].map((id) => frames.store(id, picture(id), null)));
  for (const [i, id] of ['a/b', 'a_b', 'a\\b'].entries())
    assert.equal(await textOf(await frames.open(stored[i]!.name)), id);
});

test('an id cannot lead out of the folder', () => {
  assert.equal(fileNamePart('../../etc/passwd'), '__.._etc_passwd');
  assert.equal(fileNamePart('.hidden'), '_hidden');
  assert.equal(fileNamePart('Tür 3'), 'T_r_3');
  assert.equal(fileNamePart(''), 'unknown_device');
  assert.equal(fileNamePart('x'.repeat(500)).length, 64);
});

test('only names of stored frames are opened', async () => {
  const frames = await folder.open();
  await writeFile(join(folder.path, 'secret.txt'), 'secret');
  for (const name of ['secret.txt', '../secret.txt', '..', '', 'none_1.jpg', './secret.txt', 'a\0b'])
    assert.equal(await frames.open(name), null);
});

test('the list is newest first and survives a restart; what a crash left is removed', async () => {
  const frames = await folder.open();
  const first = await frames.store('one', picture('1'), null);
  const second = await frames.store('two', picture('22'), raw('RAW'));
  assert.deepEqual(
    frames.list(10).map(({ name }) => name),
    [second.name, first.name],
  );
  await writeFile(join(folder.path, 'three_5.jpg.part'), 'half');
  await writeFile(join(folder.path, 'gone_5.jpg.raw'), 'raw without its picture');

  const again = await folder.open();
  assert.deepEqual(again.list(10), frames.list(10));
  assert.equal(again.list(1).length, 1);
  assert.equal(
    (await readdir(folder.path)).some((name) => name.includes('.part') || name.startsWith('gone')),
    false,
  );
  const untouched = await again.openRaw(second.name);
  assert.equal(untouched?.headers['X-Frame-Width'], '2');
  assert.equal(await textOf(untouched), 'RAW');
});

test('untouched frames come back with their headers, and not where none was kept', async () => {
  const frames = await folder.open();
  const { name } = await frames.store('cam', picture('jpeg'), raw('RAW'));
  assert.equal(await textOf(await frames.openRaw(name)), 'RAW');
  const without = await frames.store('cam', picture('jpeg'), null);
  assert.equal(await frames.openRaw(without.name), null);
});

test('frames older than their time are removed, with their raw files', async () => {
  const frames = await folder.open({ retentionS: 1 });
  const { name } = await frames.store('cam', picture('jpeg'), raw('RAW'));
  while ((await readdir(folder.path)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await frames.open(name), null);
  assert.deepEqual(frames.list(10), []);
});

test('a clock that is set back keeps no frame longer, and one set forward removes none early', async () => {
  let wallMs = Date.now();
  let monotonicMs = 0;
  const frames = await folder.open({
    retentionS: 1,
    clocks: { wallMs: () => wallMs, monotonicMs: () => monotonicMs },
  });
  const before = await frames.store('cam', picture('1'), null);
  wallMs -= 3_600_000;
  monotonicMs = 600;
  const after = await frames.store('cam', picture('2'), null);
  wallMs += 7_200_000;
  const names = () => frames.list(10).map(({ name }) => name);
  assert.deepEqual(names(), [after.name, before.name]);
  monotonicMs = 1100;
  while (names().length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(names(), [after.name]);
  assert.deepEqual(
    frames.recent(1000).map(({ name, storedMs }) => [name, storedMs]),
    [[after.name, 600]],
  );

  await frames.close();
  wallMs -= 7_200_000;
  const again = await folder.open({
    retentionS: 1,
    clocks: { wallMs: () => wallMs, monotonicMs: () => monotonicMs },
  });
  assert.equal(again.list(10).length, 1);
  monotonicMs += 1100;
  while (again.list(10).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('where the bytes run out the oldest frames go', async () => {
  const frames = await folder.open({ storageBytes: 1000 });
  const names: string[] = [];
  for (let i = 0; i < 10; i++) names.push((await frames.store('cam', Buffer.alloc(300), null)).name);
  await frames.close();
  assert.deepEqual(
    frames.list(10).map(({ name }) => name),
    names.slice(-3).reverse(),
  );
  assert.equal((await readdir(folder.path)).length, 3);
});

test('pictures of people are readable by their owner only', async () => {
  const frames = await folder.open();
  const { name } = await frames.store('cam', picture('jpeg'), null);
  assert.equal((await stat(join(folder.path, name))).mode & 0o077, 0);
});

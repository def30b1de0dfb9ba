import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import pino from 'pino';
import { type FrameFolder, makeFrameFolder } from '../../support/frame-folder.ts';

const DISK_BYTES = 1024 * 1024;

/** A disk of one megabyte, where this user may make one. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'facepool-test-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

const disk = smallDisk();
describe('a disk that is full', { skip: disk === null ? 'this user may not mount a tmpfs' : false }, () => {
  after(() => {
    execFileSync('umount', [disk!]);
    rmSync(disk!, { recursive: true });
  });
  let folder: FrameFolder;
  beforeEach(async () => {
    folder = await makeFrameFolder({ folder: join(disk!, 'frames'), log });
  });
  afterEach(() => folder.dispose());
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });

  test('is answered with the oldest frames going first, and said aloud', async () => {
    const frames = await folder.open();
    const names: string[] = [];
    for (let i = 0; i < 60; i++) names.push((await frames.store('cam', Buffer.alloc(40_000, i), null)).name);
    const kept = frames.list(100).map(({ name }) => name);
    assert.ok(kept.length >= 15 && kept.length < 27);
    assert.deepEqual(kept, names.slice(-kept.length).reverse());
    const opened = await frames.open(kept[0]!);
    assert.ok((await opened!.handle.readFile()).equals(Buffer.alloc(40_000, 59)));
    await opened!.handle.close();
    assert.deepEqual((await readdir(folder.path)).sort(), kept.toSorted());
    assert.match(lines.join(''), /the disk is full: the oldest frames go before their time/);
    assert.equal(await folder.removed('disk_full'), 60 - kept.length);
  });

  test('many frames at once all find their place', async () => {
    const frames = await folder.open();
    const raw = { bytes: Buffer.alloc(20_000), headers: { 'X-Frame-Width': '2' } };
    for (let round = 0; round < 8; round++) {
      const stored = await Promise.all(
        Array.from({ length: 8 }, (_, i) => frames.store(`cam-${i}`, Buffer.alloc(20_000), raw)),
      );
      assert.equal(stored.length, 8);
    }
  });

  test('is an error that says so where there is no frame to remove, and leaves nothing behind', async () => {
    const frames = await folder.open();
    await assert.rejects(frames.store('cam', Buffer.alloc(2 * DISK_BYTES), null), {
      status: 507,
      code: 'STORAGE_FULL',
    });
    assert.deepEqual(await readdir(folder.path), []);
    await writeFile(join(disk!, 'other'), Buffer.alloc(10_000));
    await frames.store('cam', Buffer.alloc(10_000), null);
  });

  test('is not filled by what was not stored', async () => {
    const frames = await folder.open({ storageBytes: 2.5 * DISK_BYTES });
    await assert.rejects(frames.store('cam', Buffer.alloc(2 * DISK_BYTES), null), { status: 507 });
    for (let i = 0; i < 3; i++) await frames.store('cam', Buffer.alloc(0.25 * DISK_BYTES), null);
    assert.equal(frames.list(10).length, 3);
  });

  test('has room for what a frame whose time is over leaves', async () => {
    let nowMs = 0;
    const frames = await folder.open({ clocks: { wallMs: Date.now, monotonicMs: () => nowMs } });
    await frames.store('old', Buffer.alloc(200_000), { bytes: Buffer.alloc(600_000), headers: {} });
    nowMs = 700_000;
    const { name } = await frames.store('new', Buffer.alloc(800_000), null);
    assert.deepEqual(await readdir(folder.path), [name]);
  });

  test('takes nothing but the frames whose time is over where a new one outgrows the file of an old one', async () => {
    let nowMs = 0;
    const frames = await folder.open({ clocks: { wallMs: Date.now, monotonicMs: () => nowMs } });
    await frames.store('old', Buffer.alloc(300_000), null);
    nowMs = 300_000;
    const kept = await frames.store('kept', Buffer.alloc(300_000, 1), null);
    nowMs = 700_000;
    const next = await frames.store('next', Buffer.alloc(600_000, 2), null);
    assert.deepEqual((await readdir(folder.path)).sort(), [kept.name, next.name]);
    assert.ok(Buffer.alloc(600_000, 2).equals((await frames.read(next.name))!));
    nowMs = 1_000_000;
    await assert.rejects(frames.store('large', Buffer.alloc(2 * DISK_BYTES), null), { status: 507 });
    assert.deepEqual(frames.list(10), []);
    assert.deepEqual(await readdir(folder.path), []);
    await frames.store('cam', Buffer.alloc(900_000), null);
  });
});

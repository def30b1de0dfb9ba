import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { OpenedFrame } from '../../../server/devices/frame-files.ts';
import type { FrameStore } from '../../../server/devices/frames.ts';
import {
  createHandClock,
  type FrameFolder,
  type HandClock,
  makeFrameFolder,
  rawFrame,
  textOf,
} from '../../support/frame-folder.ts';
import { seededRandom } from '../../support/vectors.ts';

let clock: HandClock;
let folder: FrameFolder;
beforeEach(async () => {
  clock = createHandClock();
  folder = await makeFrameFolder({ clocks: clock });
});
afterEach(() => folder.dispose());

describe('a reader of a frame that is over keeps its bytes', () => {
  const before = Buffer.alloc(3_000_000, 'before');
  const after = Buffer.alloc(3_000_000, 'after');

  /** @param read begins to read before the next frame is stored, and ends after it */
  async function readAcross(
    read: (frames: FrameStore, name: string, stored: Promise<void>) => Promise<void>,
  ) {
    const frames = await folder.open();
    const { name } = await frames.store('cam', before, rawFrame('before'));
    clock.letRunOut();
    const { promise: stored, resolve } = Promise.withResolvers<void>();
    const reading = read(frames, name, stored);
    const next = await frames.store('cam', after, rawFrame('after'));
    resolve();
    await reading;
    assert.ok(after.equals((await frames.read(next.name))!));
    await frames.close();
    assert.equal((await readdir(folder.path)).length, 3);
  }

  test('where it was open', async () => {
    const frames = await folder.open();
    const { name } = await frames.store('cam', before, rawFrame('before'));
    const picture = (await frames.open(name))!;
    const untouched = (await frames.openRaw(name))!;
    const { modifiedAt } = picture;
    clock.letRunOut();
    await frames.store('cam', after, rawFrame('after'));
    const { size, mtime } = await picture.handle.stat();
    assert.deepEqual([size, mtime], [picture.sizeBytes, modifiedAt]);
    assert.ok(before.equals(await picture.handle.readFile()));
    assert.equal(await untouched.handle.readFile('utf8'), 'before');
    await picture.handle.close();
    await untouched.handle.close();
  });

  test('where it was being opened', () =>
    readAcross(async (frames, name, stored) => {
      const file = await frames.open(name);
      await stored;
      // The file was there or not; another's bytes it never has.
      if (file !== null) assert.equal(await textOf(file), before.toString());
    }));

  test('where it was being read', () =>
    readAcross(async (frames, name) => {
      const bytes = await frames.read(name);
      if (bytes !== null) assert.ok(before.equals(bytes));
    }));

  test('where it was closed while it still read', async () => {
    const frames = await folder.open();
    const long = Buffer.alloc(20_000_000, 'before');
    const { name } = await frames.store('cam', long, null);
    const { handle } = (await frames.open(name))!;
    clock.letRunOut();
    const reading = handle.readFile();
    const closing = handle.close();
    await frames.store('cam', Buffer.from('after'), null);
    assert.ok(long.equals(await reading));
    await closing;
  });

  test('and where all have closed it, its file is given away', async () => {
    const frames = await folder.open();
    const { name } = await frames.store('cam', before, rawFrame('before'));
    const inode = await folder.inodeOf(name);
    const readers = [await frames.open(name), await frames.open(name), await frames.openRaw(name)];
    for (const reader of readers) await reader!.handle.close();
    const stream = (await frames.open(name))!.handle.createReadStream({ start: 10, end: 20 });
    stream.resume();
    await once(stream, 'close');
    assert.ok(await frames.read(name));
    clock.letRunOut();
    assert.equal(await folder.inodeOf((await frames.store('cam', after, null)).name), inode);
  });
});

for (const seed of [1, 2, 3])
  test(`whoever reads a frame gets what was stored under its name, whatever else goes on (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const frames = await folder.open({ retentionS: 60, storageBytes: 400_000 });
    const pictures = new Map<string, Buffer>();
    const names: string[] = [];
    let read = 0;
    let stored = 0;
    /** Every one like no other, at every place. */
    const picture = () => Buffer.alloc(Math.ceil(random() * 20_000), `${seed}.${stored++}|`);

    async function check(name: string, bytes: Uint8Array | null): Promise<void> {
      if (bytes === null) return;
      read++;
      assert.ok(pictures.get(name)!.equals(bytes), name);
    }
    /** In two parts, with others at work in between. */
    async function checkOpened(name: string, file: OpenedFrame | null): Promise<void> {
      if (file === null) return;
      const bytes = Buffer.alloc(file.sizeBytes);
      const half = file.sizeBytes >> 1;
      await file.handle.read(bytes, 0, half, 0);
      for (let turns = random() * 6; turns > 0; turns--) await new Promise(setImmediate);
      await file.handle.read(bytes, half, file.sizeBytes - half, half);
      await file.handle.close();
      await check(name, bytes);
    }
    async function work(): Promise<void> {
      for (let i = 0; i < 150; i++) {
        const dice = random();
        // Half of the time one of the oldest: those are on their way out.
        const name =
          names[Math.floor(random() * (random() < 0.5 ? Math.min(4, names.length) : names.length))];
        if (dice < 0.45 || name === undefined) {
          const bytes = picture();
          clock.nowMs++;
          const hasRaw = random() < 0.3;
          const { name } = await frames.store('cam', bytes, hasRaw ? { bytes, headers: {} } : null);
          pictures.set(name, bytes);
          names.push(name);
        } else if (dice < 0.6) await check(name, await frames.read(name));
        else if (dice < 0.8) await checkOpened(name, await frames.open(name));
        else if (dice < 0.95) await checkOpened(name, await frames.openRaw(name));
        else clock.nowMs += Math.ceil(random() * 50_000);
        const kept = new Set(frames.list(1000).map(({ name }) => name));
        names.splice(0, names.length, ...names.filter((name) => kept.has(name)));
      }
    }
    await Promise.all(Array.from({ length: 12 }, work));
    assert.ok(read > 200);
    assert.ok((await folder.removed('age')) > 10);
    assert.ok((await folder.removed('space')) > 10);
    await frames.close();
    const kept = frames.list(1000).map(({ name }) => name);
    for (const name of kept) assert.ok(pictures.get(name)!.equals((await frames.read(name))!));
    const files = await readdir(folder.path);
    assert.deepEqual(files.filter((file) => !file.includes('.raw')).sort(), kept.sort());
  });

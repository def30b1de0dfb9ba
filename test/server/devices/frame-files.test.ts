import assert from 'node:assert/strict';
import { once } from 'node:events';
import { link, mkdtemp, readdir, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import Koa from 'koa';
import pino from 'pino';
import type { OpenedFrame } from '../../../server/devices/frame-files.ts';
import { type FrameStore, type FramesOptions, openFrames } from '../../../server/devices/frames.ts';
import type { Context } from '../../../server/http/route.ts';
import { sendFile } from '../../../server/http/send-file.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { seededRandom } from '../../support/vectors.ts';

const RETENTION_S = 600;
let folder = '';
let nowMs = 0;
let metrics = createMetrics();
const opened: FrameStore[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-frame-files-'));
  nowMs = 1e6;
  metrics = createMetrics();
});
afterEach(async () => {
  for (const frames of opened.splice(0)) await frames.close();
  await rm(folder, { recursive: true, force: true });
});

/** With a clock of its own: the timer that removes frames comes every ten seconds, later than any of these tests ends. */
async function open(options: Partial<FramesOptions> = {}): Promise<FrameStore> {
  const frames = await openFrames({
    folder,
    retentionS: RETENTION_S,
    storageBytes: 1e9,
    log: pino({ level: 'silent' }),
    metrics,
    clocks: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    ...options,
  });
  opened.push(frames);
  return frames;
}

const letRunOut = () => {
  nowMs += RETENTION_S * 1000 + 1;
};
const inodeOf = async (file: string) => (await stat(join(folder, file))).ino;
const raw = (text: string) => ({ bytes: Buffer.from(text), headers: { 'X-Frame-Width': text } });

async function removed(reason: string): Promise<number> {
  return (await metrics.framesRemoved.get()).values.find(({ labels }) => labels.reason === reason)!.value;
}

async function textOf(file: OpenedFrame | null): Promise<string> {
  assert.ok(file);
  try {
    return await file.handle.readFile('utf8');
  } finally {
    await file.handle.close();
  }
}

test('a frame whose time is over gives its file to the next one', async () => {
  const frames = await open();
  const old = await frames.store('cam', Buffer.from('the old picture'), null);
  const inode = await inodeOf(old.name);
  letRunOut();
  const { name } = await frames.store('cam', Buffer.from('new'), null);
  assert.deepEqual(await readdir(folder), [name]);
  const { ino, mode } = await stat(join(folder, name));
  assert.equal(ino, inode);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(await textOf(await frames.open(name)), 'new');
  assert.equal(await frames.open(old.name), null);
  assert.deepEqual([await removed('age'), await removed('space')], [1, 0]);
});

test('a frame that leaves its space gives its file to the one that needs it', async () => {
  const frames = await open({ storageBytes: 1000 });
  const inodes: number[] = [];
  for (let i = 0; i < 6; i++)
    inodes.push(await inodeOf((await frames.store('cam', Buffer.alloc(400, i), null)).name));
  assert.deepEqual(inodes, [inodes[0], inodes[1], inodes[0], inodes[1], inodes[0], inodes[1]]);
  assert.deepEqual([await removed('age'), await removed('space')], [0, 4]);
});

test('untouched frames give their files too, and those that nothing takes over are removed', async () => {
  const frames = await open();
  const filesOf = (name: string) => [name, `${name}.raw`, `${name}.raw.json`];
  const old = await frames.store('cam', Buffer.from('old'), raw('old and raw'));
  const inodes = await Promise.all(filesOf(old.name).map(inodeOf));
  letRunOut();
  const next = await frames.store('cam', Buffer.from('next'), raw('raw'));
  assert.deepEqual(await Promise.all(filesOf(next.name).map(inodeOf)), inodes);
  const untouched = await frames.openRaw(next.name);
  assert.deepEqual(untouched?.headers, { 'X-Frame-Width': 'raw' });
  assert.equal(await textOf(untouched), 'raw');
  letRunOut();
  const last = await frames.store('cam', Buffer.from('last'), null);
  assert.deepEqual(await readdir(folder), [last.name]);
  letRunOut();
  const { name } = await frames.store('cam', Buffer.from('x'), raw('again'));
  assert.deepEqual((await readdir(folder)).sort(), filesOf(name));
  assert.equal(await textOf(await frames.openRaw(name)), 'again');
});

describe('a reader of a frame that is over keeps its bytes', () => {
  const before = Buffer.alloc(3_000_000, 'before');
  const after = Buffer.alloc(3_000_000, 'after');

  /** @param read begins to read before the next frame is stored, and ends after it */
  async function readAcross(
    read: (frames: FrameStore, name: string, stored: Promise<void>) => Promise<void>,
  ) {
    const frames = await open();
    const { name } = await frames.store('cam', before, raw('before'));
    letRunOut();
    const { promise: stored, resolve } = Promise.withResolvers<void>();
    const reading = read(frames, name, stored);
    const next = await frames.store('cam', after, raw('after'));
    resolve();
    await reading;
    assert.ok(after.equals((await frames.read(next.name))!));
    await frames.close();
    assert.equal((await readdir(folder)).length, 3);
  }

  test('where it was open', async () => {
    const frames = await open();
    const { name } = await frames.store('cam', before, raw('before'));
    const picture = (await frames.open(name))!;
    const untouched = (await frames.openRaw(name))!;
    const { modifiedAt } = picture;
    letRunOut();
    await frames.store('cam', after, raw('after'));
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
    const frames = await open();
    const long = Buffer.alloc(20_000_000, 'before');
    const { name } = await frames.store('cam', long, null);
    const { handle } = (await frames.open(name))!;
    letRunOut();
    const reading = handle.readFile();
    const closing = handle.close();
    await frames.store('cam', Buffer.from('after'), null);
    assert.ok(long.equals(await reading));
    await closing;
  });

  test('and where all have closed it, its file is given away', async () => {
    const frames = await open();
    const { name } = await frames.store('cam', before, raw('before'));
    const inode = await inodeOf(name);
    const readers = [await frames.open(name), await frames.open(name), await frames.openRaw(name)];
    for (const reader of readers) await reader!.handle.close();
    const stream = (await frames.open(name))!.handle.createReadStream({ start: 10, end: 20 });
    stream.resume();
    await once(stream, 'close');
    assert.ok(await frames.read(name));
    letRunOut();
    assert.equal(await inodeOf((await frames.store('cam', after, null)).name), inode);
  });
});

describe('a shorter picture in a longer file is whole', () => {
  let frames: FrameStore;
  let server: Server;
  before(() => {
    const app = new Koa();
    app.silent = true;
    app.use(async (ctx) => {
      const file = (await frames.open(ctx.path.slice(1)))!;
      await sendFile(ctx as Context, { ...file, type: 'image/jpeg' });
    });
    server = createServer(app.callback()).listen(0, '127.0.0.1');
  });
  after(() => void server.close());

  for (const [oldBytes, newBytes] of [
    [20_000, 13_001],
    [13_001, 20_000],
    [20_000, 100],
  ] as const)
    test(`${newBytes} bytes after ${oldBytes}`, async () => {
      frames = await open();
      const picture = Buffer.from(Array.from({ length: newBytes }, (_, i) => i % 251));
      await frames.store('cam', Buffer.alloc(oldBytes, 255), null);
      letRunOut();
      const { name, sizeBytes } = await frames.store('cam', picture, null);
      assert.equal(sizeBytes, newBytes);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
      const whole = await fetch(url);
      assert.equal(whole.headers.get('content-length'), String(newBytes));
      assert.ok(picture.equals(Buffer.from(await whole.arrayBuffer())));
      const tail = await fetch(url, { headers: { Range: 'bytes=-100' } });
      assert.equal(tail.headers.get('content-range'), `bytes ${newBytes - 100}-${newBytes - 1}/${newBytes}`);
      assert.ok(picture.subarray(-100).equals(Buffer.from(await tail.arrayBuffer())));
      const beyond = await fetch(url, { headers: { Range: `bytes=${newBytes}-` } });
      assert.equal(beyond.status, 416);
    });
});

test('concurrent stores never share a file', async () => {
  const frames = await open();
  const storeAll = (count: number, round: string) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        frames.store(`cam-${i % 3}`, Buffer.from(`${round} ${i}`), null),
      ),
    );
  const first = await storeAll(20, 'first');
  const inodes = new Set(await Promise.all(first.map(({ name }) => inodeOf(name))));
  letRunOut();
  const second = await storeAll(30, 'second');
  const taken = new Set(await Promise.all(second.map(({ name }) => inodeOf(name))));
  assert.equal(taken.size, 30);
  assert.ok([...inodes].every((inode) => taken.has(inode)));
  for (const [i, { name }] of second.entries())
    assert.equal(await textOf(await frames.open(name)), `second ${i}`);
  assert.equal(await removed('age'), 20);
});

test('nothing is written to where a link leads, nor over files of an earlier run', async () => {
  const earlier = await open();
  const before = await earlier.store('cam', Buffer.from('before'), null);
  await earlier.close();
  const kept = join(folder, 'kept');
  await link(join(folder, before.name), kept);
  const frames = await open();
  letRunOut();
  const replaced = await frames.store('cam', Buffer.from('x'), null);
  assert.equal(await readFile(kept, 'utf8'), 'before');

  const outside = join(folder, 'outside');
  await writeFile(outside, 'outside');
  await unlink(join(folder, replaced.name));
  await symlink(outside, join(folder, replaced.name));
  letRunOut();
  const missing = await frames.store('cam', Buffer.from('y'), null);
  assert.equal(await readFile(outside, 'utf8'), 'outside');

  await unlink(join(folder, missing.name));
  letRunOut();
  const { name } = await frames.store('cam', Buffer.from('z'), null);
  assert.equal(await textOf(await frames.open(name)), 'z');
  assert.deepEqual((await readdir(folder)).sort(), [name, 'kept', 'outside'].sort());
});

for (const seed of [1, 2, 3])
  test(`whoever reads a frame gets what was stored under its name, whatever else goes on (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const frames = await open({ retentionS: 60, storageBytes: 400_000 });
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
          nowMs++;
          const hasRaw = random() < 0.3;
          const { name } = await frames.store('cam', bytes, hasRaw ? { bytes, headers: {} } : null);
          pictures.set(name, bytes);
          names.push(name);
        } else if (dice < 0.6) await check(name, await frames.read(name));
        else if (dice < 0.8) await checkOpened(name, await frames.open(name));
        else if (dice < 0.95) await checkOpened(name, await frames.openRaw(name));
        else nowMs += Math.ceil(random() * 50_000);
        const kept = new Set(frames.list(1000).map(({ name }) => name));
        names.splice(0, names.length, ...names.filter((name) => kept.has(name)));
      }
    }
    await Promise.all(Array.from({ length: 12 }, work));
    assert.ok(read > 200);
    assert.ok((await removed('age')) > 10);
    assert.ok((await removed('space')) > 10);
    await frames.close();
    const kept = frames.list(1000).map(({ name }) => name);
    for (const name of kept) assert.ok(pictures.get(name)!.equals((await frames.read(name))!));
    const files = await readdir(folder);
    assert.deepEqual(files.filter((file) => !file.includes('.raw')).sort(), kept.sort());
  });

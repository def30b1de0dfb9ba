import assert from 'node:assert/strict';
import { link, readdir, readFile, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import Koa from 'koa';
import type { FrameStore } from '../../../server/devices/frames.ts';
import type { Context } from '../../../server/http/route.ts';
import { sendFile } from '../../../server/http/send-file.ts';
import {
  createHandClock,
  type FrameFolder,
  type HandClock,
  makeFrameFolder,
  rawFrame,
  textOf,
} from '../../support/frame-folder.ts';

let clock: HandClock;
let folder: FrameFolder;
beforeEach(async () => {
  clock = createHandClock();
  folder = await makeFrameFolder({ clocks: clock });
});
afterEach(() => folder.dispose());

test('a frame whose time is over gives its file to the next one', async () => {
  const frames = await folder.open();
  const old = await frames.store('cam', Buffer.from('the old picture'), null);
  const inode = await folder.inodeOf(old.name);
  clock.letRunOut();
  const { name } = await frames.store('cam', Buffer.from('new'), null);
  assert.deepEqual(await readdir(folder.path), [name]);
  const { ino, mode } = await stat(join(folder.path, name));
  assert.equal(ino, inode);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(await textOf(await frames.open(name)), 'new');
  assert.equal(await frames.open(old.name), null);
  assert.deepEqual([await folder.removed('age'), await folder.removed('space')], [1, 0]);
});

test('a frame that leaves its space gives its file to the one that needs it', async () => {
  const frames = await folder.open({ storageBytes: 1000 });
  const inodes: number[] = [];
  for (let i = 0; i < 6; i++)
    inodes.push(await folder.inodeOf((await frames.store('cam', Buffer.alloc(400, i), null)).name));
  assert.deepEqual(inodes, [inodes[0], inodes[1], inodes[0], inodes[1], inodes[0], inodes[1]]);
  assert.deepEqual([await folder.removed('age'), await folder.removed('space')], [0, 4]);
});

test('untouched frames give their files too, and those that nothing takes over are removed', async () => {
  const frames = await folder.open();
  const filesOf = (name: string) => [name, `${name}.raw`, `${name}.raw.json`];
  const old = await frames.store('cam', Buffer.from('old'), rawFrame('old and raw'));
  const inodes = await Promise.all(filesOf(old.name).map(folder.inodeOf));
  clock.letRunOut();
  const next = await frames.store('cam', Buffer.from('next'), rawFrame('raw'));
  assert.deepEqual(await Promise.all(filesOf(next.name).map(folder.inodeOf)), inodes);
  const untouched = await frames.openRaw(next.name);
  assert.deepEqual(untouched?.headers, { 'X-Frame-Width': 'raw' });
  assert.equal(await textOf(untouched), 'raw');
  clock.letRunOut();
  const last = await frames.store('cam', Buffer.from('last'), null);
  assert.deepEqual(await readdir(folder.path), [last.name]);
  clock.letRunOut();
  const { name } = await frames.store('cam', Buffer.from('x'), rawFrame('again'));
  assert.deepEqual((await readdir(folder.path)).sort(), filesOf(name));
  assert.equal(await textOf(await frames.openRaw(name)), 'again');
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
      frames = await folder.open();
      const picture = Buffer.from(Array.from({ length: newBytes }, (_, i) => i % 251));
      await frames.store('cam', Buffer.alloc(oldBytes, 255), null);
      clock.letRunOut();
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
  const frames = await folder.open();
  const storeAll = (count: number, round: string) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        frames.store(`cam-${i % 3}`, Buffer.from(`${round} ${i}`), null),
      ),
    );
  const first = await storeAll(20, 'first');
  const inodes = new Set(await Promise.all(first.map(({ name }) => folder.inodeOf(name))));
  clock.letRunOut();
  const second = await storeAll(30, 'second');
  const taken = new Set(await Promise.all(second.map(({ name }) => folder.inodeOf(name))));
  assert.equal(taken.size, 30);
  assert.ok([...inodes].every((inode) => taken.has(inode)));
  for (const [i, { name }] of second.entries())
    assert.equal(await textOf(await frames.open(name)), `second ${i}`);
  assert.equal(await folder.removed('age'), 20);
});

test('nothing is written to where a link leads, nor over files of an earlier run', async () => {
  const earlier = await folder.open();
  const before = await earlier.store('cam', Buffer.from('before'), null);
  await earlier.close();
  const kept = join(folder.path, 'kept');
  await link(join(folder.path, before.name), kept);
  const frames = await folder.open();
  clock.letRunOut();
  const replaced = await frames.store('cam', Buffer.from('x'), null);
  assert.equal(await readFile(kept, 'utf8'), 'before');

  const outside = join(folder.path, 'outside');
  await writeFile(outside, 'outside');
  await unlink(join(folder.path, replaced.name));
  await symlink(outside, join(folder.path, replaced.name));
  clock.letRunOut();
  const missing = await frames.store('cam', Buffer.from('y'), null);
  assert.equal(await readFile(outside, 'utf8'), 'outside');

  await unlink(join(folder.path, missing.name));
  clock.letRunOut();
  const { name } = await frames.store('cam', Buffer.from('z'), null);
  assert.equal(await textOf(await frames.open(name)), 'z');
  assert.deepEqual((await readdir(folder.path)).sort(), [name, 'kept', 'outside'].sort());
});

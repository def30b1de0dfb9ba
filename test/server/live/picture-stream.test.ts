import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { createPictureStreams } from '../../../server/live/picture-stream.ts';

const jpeg = (n: number) => new Uint8Array(100).fill(n);

function source() {
  const watchers = new Set<(jpeg: Uint8Array) => void>();
  return {
    watch(onPicture: (jpeg: Uint8Array) => void) {
      watchers.add(onPicture);
      return () => void watchers.delete(onPicture);
    },
    show: (n: number) => {
      for (const watcher of watchers) watcher(jpeg(n));
    },
    get watchers() {
      return watchers.size;
    },
  };
}

test('a client that reads slowly gets the newest picture, and the others are counted', async () => {
  const camera = source();
  let missed = 0;
  const streams = createPictureStreams({ limit: 1, onMissed: () => missed++ });
  const stream = streams.open(camera.watch);
  for (let n = 1; n <= 5; n++) camera.show(n);
  const seen: number[] = [];
  stream.on('data', (part: Buffer) => {
    assert.match(
      part.toString('latin1'),
      /^--facepool-picture\r\nContent-Type: image\/jpeg\r\nContent-Length: 100\r\n\r\n/,
    );
    seen.push(part.at(-3)!);
  });
  await new Promise((resolve) => setImmediate(resolve));
  camera.show(6);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(seen.at(-1), 6);
  assert.equal(seen.length + missed, 6);
  assert.ok(missed >= 3);
  stream.destroy();
  await once(stream, 'close');
  assert.deepEqual([camera.watchers, streams.size], [0, 0]);
});

test('one that reads nothing while pictures come is dropped', async () => {
  const camera = source();
  let dropped = 0;
  const streams = createPictureStreams({ limit: 1, silentAfterMs: 0, onDropped: () => dropped++ });
  const stream = streams.open(camera.watch);
  stream.on('error', () => {});
  stream.read(0);
  const closed = once(stream, 'close');
  for (let n = 1; n <= 5 && !stream.destroyed; n++) {
    camera.show(n);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await closed;
  assert.equal(dropped, 1);
  assert.equal(camera.watchers, 0);
});

test('there is a limit, and none is let in after the end', () => {
  const camera = source();
  const streams = createPictureStreams({ limit: 1 });
  streams.open(camera.watch);
  const isRefused = (error: unknown) => error instanceof ServerError && error.code === 'TOO_MANY_VIEWERS';
  assert.throws(() => streams.open(camera.watch), isRefused);
  streams.close();
  assert.throws(() => streams.open(camera.watch), isRefused);
  assert.equal(camera.watchers, 0);
});

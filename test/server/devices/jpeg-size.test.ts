import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { jpegSize } from '../../../server/devices/jpeg-size.ts';

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'teal' } });

test('the size of a JPEG is read from its header, baseline or progressive, with metadata before it', async () => {
  assert.deepEqual(jpegSize(await picture(320, 240).jpeg().toBuffer()), { width: 320, height: 240 });
  const progressive = await picture(31, 17)
    .jpeg({ progressive: true })
    .withExif({ IFD0: { Artist: 'x'.repeat(500) } })
    .toBuffer();
  assert.deepEqual(jpegSize(progressive), { width: 31, height: 17 });
});

test('what is no JPEG, or ends before its size, has none', async () => {
  const jpeg = await picture(32, 24).jpeg().toBuffer();
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('no picture at all'),
    await picture(32, 24).png().toBuffer(),
    jpeg.subarray(0, 20),
    Buffer.from('ffd8ffe00000ffe00000', 'hex'),
  ])
    assert.equal(jpegSize(bytes), null);
});

test('any bytes after the beginning of a JPEG are read without a fault', () => {
  let seed = 1;
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.alloc(2 + (round % 64));
    for (let i = 2; i < bytes.length; i++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      bytes[i] = seed % 3 === 0 ? 0xff : seed >>> 16;
    }
    bytes.set([0xff, 0xd8]);
    const size = jpegSize(bytes);
    assert.ok(size === null || (size.width > 0 && size.height > 0));
  }
});

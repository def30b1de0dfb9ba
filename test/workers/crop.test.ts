import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { cropPicture } from '../../workers/crop.ts';
import type { Box } from '../../workers/protocol.ts';
import { readSample } from '../support/samples.ts';

const limits = { maxPixels: 100_000_000, maxFaces: 10 };

async function crop(bytes: Uint8Array, region: Box | null, maxSidePx: number | null = null) {
  const cut = await cropPicture(
    { kind: 'crop', input: { kind: 'encoded', bytes }, region, maxSidePx },
    limits,
  );
  return { ...cut, header: await sharp(cut.jpeg).metadata() };
}

test('a region is cut out to the pixel, and what reaches over the edge is left out', async () => {
  const photo = await readSample(1);
  const cut = await crop(photo, { x: 100, y: 50, width: 200, height: 120 });
  assert.deepEqual([cut.header.width, cut.header.height, cut.scale], [200, 120, 1]);
  const source = await sharp(photo).extract({ left: 100, top: 50, width: 200, height: 120 }).raw().toBuffer();
  const got = await sharp(cut.jpeg).raw().toBuffer();
  const meanDifference = got.reduce((sum, value, i) => sum + Math.abs(value - source[i]!), 0) / got.length;
  assert.ok(meanDifference < 2, `${meanDifference}`);

  const atEdge = await crop(photo, { x: -40, y: -30, width: 100, height: 90 });
  assert.deepEqual(atEdge.region, { x: 0, y: 0, width: 60, height: 60 });
});

test('a region outside the picture is refused', async () => {
  await assert.rejects(crop(await readSample(1), { x: 99_999, y: 0, width: 10, height: 10 }), {
    name: 'PictureError',
    reason: 'bad_picture',
  });
});

test('a thumbnail is as large as asked for, keeps its shape, and is never enlarged', async () => {
  const photo = await readSample(1);
  const { width, height } = await sharp(photo).metadata();
  const small = await crop(photo, null, 192);
  assert.equal(Math.max(small.header.width, small.header.height), 192);
  assert.ok(Math.abs(small.header.width / small.header.height - width / height) < 0.02);
  const tiny = await crop(photo, { x: 0, y: 0, width: 60, height: 40 }, 192);
  assert.deepEqual([tiny.header.width, tiny.header.height], [60, 40]);
});

test('a very large picture is read smaller, and the answer says by how much', async () => {
  const large = await sharp({ create: { width: 8192, height: 4096, channels: 3, background: '#406080' } })
    .png()
    .toBuffer();
  const cut = await crop(large, { x: 4000, y: 2000, width: 400, height: 200 });
  assert.equal(cut.scale, 0.5);
  assert.deepEqual([cut.header.width, cut.header.height], [200, 100]);
  assert.deepEqual(cut.region, { x: 4000, y: 2000, width: 400, height: 200 });
});

test('what the camera wrote about place and device does not come along', async () => {
  const tagged = await sharp(await readSample(1))
    .withExif({ IFD0: { Copyright: 'somebody' }, IFD3: { GPSLatitude: '1/1 2/1 3/1' } })
    .jpeg()
    .toBuffer();
  assert.ok((await sharp(tagged).metadata()).exif);
  assert.equal((await crop(tagged, null)).header.exif, undefined);
});

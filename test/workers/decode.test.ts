import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodePicture, formatOf, PictureError } from '../../workers/decode.ts';
import { pngBomb } from '../support/pictures.ts';
import { TEST_LIMITS } from '../support/pipeline.ts';
import { readSample } from '../support/samples.ts';

const decode = (bytes: Uint8Array) => decodePicture(bytes, TEST_LIMITS);

const redThenBlue = sharp({
  create: { width: 40, height: 20, channels: 3, background: '#ff0000' },
}).composite([
  {
    input: { create: { width: 20, height: 20, channels: 3, background: '#0000ff' } },
    left: 20,
    top: 0,
  },
]);

test('JPEG, PNG, WebP and AVIF give the same upright RGB picture', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'avif'] as const) {
    const { picture } = await decode(await redThenBlue.clone().toFormat(format, { quality: 95 }).toBuffer());
    assert.deepEqual([picture.width, picture.height, picture.data.length], [40, 20, 2400], format);
    const [red, , blue] = [picture.data[3 * 5]!, 0, picture.data[3 * 5 + 2]!];
    assert.ok(red > 200 && blue < 60, `${format}: ${red}, ${blue}`);
  }
});

test('EXIF orientation is applied', async () => {
  const turned = await redThenBlue.clone().jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toBuffer();
  const { picture, width, height } = await decode(turned);
  assert.deepEqual([picture.width, picture.height, width, height], [20, 40, 20, 40]);
  assert.ok(picture.data[0]! > 200, 'the red half is on top');
});

test('grey pictures and pictures with transparency become RGB, over white', async () => {
  const grey = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } })
    .greyscale()
    .png()
    .toBuffer();
  assert.deepEqual([...(await decode(grey)).picture.data.subarray(0, 3)], [128, 128, 128]);
  const clear = await sharp({
    create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
  })
    .png()
    .toBuffer();
  assert.deepEqual([...(await decode(clear)).picture.data.subarray(0, 3)], [255, 255, 255]);
});

test('files of one grey channel, of 8 or 16 bits, with transparency or without, become RGB', async () => {
  const create = { width: 8, height: 8, background: { r: 128, g: 128, b: 128, alpha: 0.5 } };
  const opaque = sharp({ create: { ...create, channels: 3 } });
  const clear = sharp({ create: { ...create, channels: 4 } });
  const files = [
    [await opaque.clone().toColourspace('b-w').png().toBuffer(), 1, 128],
    [await opaque.clone().toColourspace('b-w').jpeg({ quality: 100 }).toBuffer(), 1, 128],
    [await opaque.clone().toColourspace('grey16').png().toBuffer(), 1, 128],
    [await clear.clone().toColourspace('b-w').png().toBuffer(), 2, 191],
    [await clear.clone().toColourspace('grey16').png().toBuffer(), 2, 191],
  ] as const;
  for (const [file, channels, grey] of files) {
    assert.equal((await sharp(file).metadata()).channels, channels);
    const { data } = (await decode(file)).picture;
    assert.equal(data.length, 8 * 8 * 3);
    assert.ok(
      data.every((value) => Math.abs(value - grey) <= 1),
      `${channels} channels: ${data.subarray(0, 6)}`,
    );
  }
});

test('16-bit pictures become 8-bit ones', async () => {
  const deep = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#ff8000' } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  const { data } = (await decode(deep)).picture;
  assert.equal(data.length, 8 * 8 * 3);
  assert.ok(Math.abs(data[0]! - 255) <= 1 && Math.abs(data[1]! - 128) <= 1);
});

test('a very large picture is reduced, and its true size is told', async () => {
  const large = await sharp({ create: { width: 6000, height: 3000, channels: 3, background: '#123456' } })
    .jpeg()
    .toBuffer();
  const { picture, width, height } = await decode(large);
  assert.deepEqual([width, height], [6000, 3000]);
  assert.deepEqual([picture.width, picture.height], [4096, 2048]);
});

async function reasonOf(bytes: Uint8Array): Promise<PictureError> {
  const error = await decode(bytes).then(
    () => assert.fail('the picture was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PictureError, String(error));
  return error;
}

test('no bytes, text, SVG, GIF and TIFF are refused by their first bytes', async () => {
  assert.match((await reasonOf(new Uint8Array())).message, /0 bytes/);
  assert.match((await reasonOf(Buffer.from('hello world'))).message, /11 bytes of something else/);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const gif = await redThenBlue.clone().gif().toBuffer();
  const tiff = await redThenBlue.clone().tiff().toBuffer();
  for (const bytes of [svg, gif, tiff]) assert.match((await reasonOf(bytes)).message, /something else/);
});

test('a JPEG that ends too early is refused', async () => {
  const whole = await readSample(1);
  const error = await reasonOf(whole.subarray(0, whole.length / 2));
  assert.equal(error.reason, 'bad_picture');
  assert.match(error.message, /JPEG picture is broken or cut off/);
});

test('a header that promises 20,000 x 20,000 pixels is refused before anything is decoded', async () => {
  const error = await reasonOf(pngBomb(20_000, 20_000));
  assert.equal(error.reason, 'too_large');
  assert.match(error.message, /expected at most 50000000 pixels, received 20000 x 20000/);
});

test('bytes of a picture inside another name are known by their signature', async () => {
  assert.equal(formatOf(await readSample(1)), 'JPEG');
  assert.equal(formatOf(Buffer.from('RIFF....WAVE')), null);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { psnr } from '../../bench/psnr.ts';
import { samplePhoto } from '../../bench/sample-photos.ts';
import { createJpegEncoder } from '../../kernels/jpeg-encoder.ts';
import type { Picture } from '../../kernels/picture.ts';
import { jpegSize } from '../../server/devices/jpeg-size.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { randomBytes } from './random.ts';

const { program: ffmpeg, reason: withoutFfmpeg } = await ffmpegOrReason();
const reference = await createJpegEncoder('reference');

const sharpsOwn = ({ width, height, data }: Picture, quality: number): Promise<Buffer> =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, optimiseCoding: false })
    .toBuffer();

/** Fails on warnings too. */
async function decoded(jpeg: Uint8Array): Promise<Picture> {
  const { data, info } = await sharp(jpeg, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true });
  assert.equal(info.channels, 3);
  return { width: info.width, height: info.height, data };
}

const flat = (width: number, height: number, level: number): Picture => ({
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(level),
});
const noise = (width: number, height: number): Picture => ({
  width,
  height,
  data: randomBytes(width * height * 3, width + height),
});
/** Black and white at random. */
const extremeNoise = (width: number, height: number): Picture => ({
  width,
  height,
  data: noise(width, height).data.map((value) => (value < 128 ? 0 : 255)),
});

/** Of each frequency the block that has most of it: white where the cosines are positive. No coefficient is larger in any picture. */
function strongest(): Picture {
  const side = 64;
  const picture = flat(side, side, 0);
  const cosine = (x: number, u: number) => Math.cos(((2 * (x & 7) + 1) * u * Math.PI) / 16);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (cosine(x, x >> 3) * cosine(y, y >> 3) > 0)
        picture.data.fill(255, 3 * (y * side + x), 3 * (y * side + x + 1));
    }
  }
  return picture;
}

/** Markers with what their segments hold, in order, and the scan's data up to the end of the image. */
function segmentsOf(jpeg: Uint8Array): { segments: [marker: number, body: Buffer][]; scan: Buffer } {
  const bytes = Buffer.from(jpeg);
  assert.equal(bytes.readUInt16BE(0), 0xffd8);
  assert.equal(bytes.readUInt16BE(bytes.length - 2), 0xffd9);
  const segments: [number, Buffer][] = [];
  let position = 2;
  do {
    assert.equal(bytes[position], 0xff);
    const end = position + 2 + bytes.readUInt16BE(position + 2);
    segments.push([bytes[position + 1]!, bytes.subarray(position + 4, end)]);
    position = end;
  } while (segments.at(-1)![0] !== 0xda);
  return { segments, scan: bytes.subarray(position, -2) };
}

const isTable = ([marker]: readonly [number, Buffer]) => marker === 0xdb || marker === 0xc4;

const sizes = [
  [1, 1],
  [7, 5],
  [8, 8],
  [16, 16],
  [17, 33],
  [2, 70],
  [320, 240],
  [641, 479],
] as const;

for (const implementation of ['simd', 'reference'] as const) {
  const encoder = await createJpegEncoder(implementation);

  describe(`JPEG, ${implementation}`, () => {
    it('keeps as much of a photo as sharp does at the same quality, within 0.1 dB, in as many bytes, within 3 %', async () => {
      // The twin gives the same bytes, and takes its time.
      for (const number of implementation === 'simd' ? [1, 2, 3, 4, 5, 6] : [1]) {
        const photo = await samplePhoto(number, 320, 240);
        for (const quality of [50, 80, 90, 95]) {
          const [own, sharps] = [encoder.encode(photo, quality), await sharpsOwn(photo, quality)];
          const [ownDb, sharpsDb] = [
            psnr((await decoded(own)).data, photo.data),
            psnr((await decoded(sharps)).data, photo.data),
          ];
          const what = `photo ${number} at ${quality}`;
          assert.ok(ownDb > sharpsDb - 0.1, `${what}: ${ownDb} dB, sharp ${sharpsDb}`);
          assert.ok(
            Math.abs(own.length / sharps.length - 1) < 0.03,
            `${what}: ${own.length}, sharp ${sharps.length}`,
          );
        }
      }
    });

    it('writes pictures of every size, the edge ones as well as sharp', async () => {
      for (const [width, height] of sizes) {
        const photo = await samplePhoto(2, width, height);
        const own = encoder.encode(photo, 90);
        assert.deepEqual(jpegSize(own), { width, height });
        const picture = await decoded(own);
        assert.deepEqual([picture.width, picture.height], [width, height]);
        const sharps = await decoded(await sharpsOwn(photo, 90));
        // Of a few pixels one level is a decibel or two.
        const allowedDb = width * height < 1000 ? 3 : 0.1;
        const [ownDb, sharpsDb] = [psnr(picture.data, photo.data), psnr(sharps.data, photo.data)];
        assert.ok(
          ownDb > Math.min(sharpsDb, 45) - allowedDb,
          `${width} x ${height}: ${ownDb} dB, sharp ${sharpsDb}`,
        );
      }
    });

    it('gives flat pictures back as they were', async () => {
      for (const level of [0, 1, 128, 254, 255]) {
        const { data } = await decoded(encoder.encode(flat(33, 17, level), 90));
        assert.ok(
          data.every((value) => Math.abs(value - level) <= 1),
          `level ${level}: ${data[0]}`,
        );
      }
    });

    it('bears noise and the largest coefficients at the lowest and the highest quality', async () => {
      for (const picture of [noise(97, 50), extremeNoise(97, 50), strongest()]) {
        for (const [quality, allowedDb] of [
          [1, 0.1],
          [100, 0.3],
        ] as const) {
          const own = psnr((await decoded(encoder.encode(picture, quality))).data, picture.data);
          const sharps = psnr((await decoded(await sharpsOwn(picture, quality))).data, picture.data);
          assert.ok(own > Math.min(sharps, 60) - allowedDb, `quality ${quality}: ${own} dB, sharp ${sharps}`);
        }
      }
    });

    it("has the standard's tables, those of every quality as sharp scales them, and one scan without restarts", async () => {
      const picture = noise(16, 16);
      for (let quality = 1; quality <= 100; quality++) {
        const { segments, scan } = segmentsOf(encoder.encode(picture, quality));
        const sharps = segmentsOf(await sharpsOwn(picture, quality));
        assert.deepEqual(segments.filter(isTable), sharps.segments.filter(isTable), `quality ${quality}`);
        assert.deepEqual(
          segments.map(([marker]) => marker),
          [0xe0, 0xdb, 0xdb, 0xc0, 0xc4, 0xc4, 0xc4, 0xc4, 0xda],
        );
        for (let i = 0; i < scan.length; i++) if (scan[i] === 0xff) assert.equal(scan[++i], 0);
      }
    });

    it("gives bytes of the caller's own, in a buffer of their length", async () => {
      const first = encoder.encode(noise(48, 32), 85);
      const copy = first.slice();
      encoder.encode(noise(32, 48), 30);
      assert.deepEqual(first, copy);
      assert.equal(first.buffer.byteLength, first.length);
    });

    it('says which field is wrong, what was expected and what came', () => {
      assert.throws(() => encoder.encode({ ...noise(4, 4), width: 5 }, 85), {
        name: 'RangeError',
        message: 'data: expected 5 x 4 x 3 = 60 bytes, received 48',
      });
      for (const quality of [0, 101, 85.5, Number.NaN]) {
        assert.throws(() => encoder.encode(noise(4, 4), quality), {
          name: 'RangeError',
          message: `quality: expected a whole number from 1 to 100, received ${quality}`,
        });
      }
      assert.throws(() => encoder.encode({ width: 65_536, height: 1, data: new Uint8Array(196_608) }, 85), {
        message: 'width: expected a whole number from 1 to 65535, received 65536',
      });
    });
  });
}

describe('JPEG, both', () => {
  it("has the twin's bytes whatever the size, quality and picture", async () => {
    const simd = await createJpegEncoder('simd');
    for (const quality of [1, 100])
      assert.deepEqual(simd.encode(strongest(), quality), reference.encode(strongest(), quality));
    for (const [width, height] of sizes) {
      for (const picture of [
        await samplePhoto(4, width, height),
        flat(width, height, 0),
        noise(width, height),
        extremeNoise(width, height),
      ]) {
        for (const quality of width > 300 ? [100] : [1, 2, 37, 50, 85, 95, 100]) {
          const [own, twins] = [simd.encode(picture, quality), reference.encode(picture, quality)];
          assert.equal(Buffer.compare(own, twins), 0, `${width} x ${height} at ${quality}`);
        }
      }
    }
  });

  it('takes the longest sides there are, and small pictures as before afterwards', async () => {
    const simd = await createJpegEncoder('simd');
    const before = simd.encode(noise(20, 20), 85);
    for (const [width, height] of [
      [65_535, 2],
      [2, 65_535],
    ] as const) {
      const picture = extremeNoise(width, height);
      assert.equal(Buffer.compare(simd.encode(picture, 100), reference.encode(picture, 100)), 0);
      assert.deepEqual(simd.encode(noise(20, 20), 85), before);
    }
    // libjpeg reads no more than that.
    const long = extremeNoise(65_500, 17);
    assert.ok(psnr((await decoded(simd.encode(long, 100))).data, long.data) > 8);
  });

  it('is decoded by ffmpeg, many in a row as recordings have them, without a warning', {
    skip: withoutFfmpeg,
  }, async () => {
    const simd = await createJpegEncoder('simd');
    const pictures = await Promise.all([1, 2, 3].map((number) => samplePhoto(number, 322, 241)));
    const stream = Buffer.concat([...pictures, noise(322, 241)].map((picture) => simd.encode(picture, 85)));
    const options = [
      '-v',
      'warning',
      '-err_detect',
      'explode',
      '-f',
      'mjpeg',
      '-i',
      '-',
      '-f',
      'framemd5',
      '-',
    ];
    const { status, stdout, stderr } = spawnSync(ffmpeg!.path, options, { input: stream });
    assert.equal(`${stderr}`, '');
    assert.equal(status, 0);
    assert.equal(`${stdout}`.split('\n').filter((line) => /^0,/.test(line)).length, 4);
  });
});

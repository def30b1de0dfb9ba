import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { psnr } from '../../bench/psnr.ts';
import { samplePhoto } from '../../bench/sample-photos.ts';
import { type Capture, capture, crosstalk, illuminants, plainCapture } from '../../bench/simulated-sensor.ts';
import { createEnhancer } from '../../kernels/enhance.ts';
import type { SensorFrame } from '../../kernels/enhance-steps.ts';
import { type SensorState, unknownSensorState } from '../../kernels/enhancement-report.ts';
import { FrameHistory } from '../../kernels/frame-history.ts';
import { createPixelKernels } from '../../kernels/kernels.ts';
import type { Picture } from '../../kernels/picture.ts';
import { randomBytes } from './random.ts';

const enhancer = await createEnhancer('simd');
const pixels = await createPixelKernels('simd');
const bytesPerPixel = { RGB565: 2, YUV422: 2, GRAYSCALE: 1, RGB888: 3 } as const;

const frameOf = ({ width, height, bytes }: Capture): SensorFrame => ({
  bytes,
  width,
  height,
  format: 'RGB565',
  byteOrder: 'BE',
});

function flatFrame(width: number, height: number, format: SensorFrame['format'], byte: number): SensorFrame {
  const bytes = new Uint8Array(width * height * bytesPerPixel[format]).fill(byte);
  return { bytes, width, height, format, byteOrder: 'BE' };
}

const plainly = (made: Capture) => pixels.unpackRgb565(made.bytes, made.width, made.height, 'BE').data;

/** Decibels that enhancement gains over plain unpacking, against the photo. */
async function gained(
  made: Capture,
  clean: Picture,
  sensor: SensorState = unknownSensorState,
): Promise<number> {
  const { picture } = enhancer.enhance(frameOf(made), sensor, null);
  return psnr(picture.data, clean.data) - psnr(plainly(made), clean.data);
}

describe('enhancement', () => {
  it('gives the same bytes and the same report with the kernels and with their plain twins', async () => {
    const twin = await createEnhancer('reference');
    const cases = [
      [1, 1, 'RGB565'],
      [64, 48, 'RGB565'],
      [33, 17, 'RGB565'],
      [50, 31, 'YUV422'],
      [17, 40, 'GRAYSCALE'],
      [40, 41, 'RGB888'],
    ] as const;
    for (const [width, height, format] of cases) {
      for (const byteOrder of ['BE', 'LE'] as const) {
        const histories = [new FrameHistory(width, height), new FrameHistory(width, height)] as const;
        for (let seed = 0; seed < 3; seed++) {
          const bytes = randomBytes(width * height * bytesPerPixel[format], seed);
          const frame: SensorFrame = { bytes, width, height, format, byteOrder };
          const expected = twin.enhance(frame, unknownSensorState, seed === 0 ? null : histories[0]);
          assert.deepEqual(
            enhancer.enhance(frame, unknownSensorState, seed === 0 ? null : histories[1]),
            expected,
          );
        }
      }
    }
    const clean = await samplePhoto(2, 160, 120);
    const histories = [new FrameHistory(160, 120), new FrameHistory(160, 120)] as const;
    for (let seed = 0; seed < 3; seed++) {
      const frame = frameOf(
        capture(clean, { ...plainCapture, gain: 16, exposure: 0.3, mosaic: 'bayer', seed }),
      );
      const expected = twin.enhance(frame, unknownSensorState, histories[0]);
      assert.deepEqual(enhancer.enhance(frame, unknownSensorState, histories[1]), expected);
    }
  });

  it('gives detectors two looks at a very dark frame, and its own picture otherwise', async () => {
    const twin = await createEnhancer('reference');
    const clean = await samplePhoto(2, 160, 120);
    const history = new FrameHistory(160, 120);
    const made = (seed: number) =>
      frameOf(capture(clean, { ...plainCapture, gain: 16, exposure: 0.15, mosaic: 'bayer', seed }));
    const alone = enhancer.enhance(made(0), unknownSensorState, null, 'corrected', 'dct', true);
    assert.deepEqual(alone, twin.enhance(made(0), unknownSensorState, null, 'corrected', 'dct', true));
    assert.deepEqual(
      alone.looks.map(({ data }) => data.length),
      [57_600, 57_600],
    );
    assert.equal(alone.report.legible, false);
    assert.deepEqual(enhancer.enhance(made(0), unknownSensorState, null).looks, []);
    for (let seed = 0; seed < 8; seed++) enhancer.enhance(made(seed), unknownSensorState, history);
    const merged = enhancer.enhance(made(8), unknownSensorState, history, 'corrected', 'dct', true);
    assert.deepEqual([merged.looks.length, merged.report.legible], [2, true]);
    // With little noise left nothing is softened: the corrected look is the picture.
    assert.deepEqual(merged.looks[1], merged.picture);
    const bright = frameOf(capture(clean, plainCapture));
    const { looks, report } = enhancer.enhance(bright, unknownSensorState, null, 'corrected', 'dct', true);
    assert.deepEqual([looks, report.legible], [[], true]);
  });

  it('writes the picture where it is told to, and asks for as many bytes as it has', async () => {
    const frame = frameOf(capture(await samplePhoto(2, 40, 24), plainCapture));
    const own = enhancer.enhance(frame, unknownSensorState, null).picture;
    const target = new Uint8Array(40 * 24 * 3);
    const { picture } = enhancer.enhance(frame, unknownSensorState, null, 'corrected', 'dct', false, target);
    assert.equal(picture.data, target);
    assert.deepEqual(target, own.data);
    assert.throws(
      () => enhancer.enhance(frame, unknownSensorState, null, 'corrected', 'dct', false, new Uint8Array(7)),
      /target: expected 40 x 24 x 3 = 2880 bytes, received 7/,
    );
  });

  it('brings a dim, noisy capture with a colour cast much nearer to the clean photo, without any header', async () => {
    for (const number of [2, 3, 5]) {
      const clean = await samplePhoto(number, 320, 240);
      for (const mosaic of ['none', 'bayer'] as const) {
        const settings = { ...plainCapture, gain: 4, exposure: 0.4, illuminant: 'tungsten' as const, mosaic };
        assert.ok((await gained(capture(clean, settings), clean)) > 8, `photo ${number}, mosaic ${mosaic}`);
      }
    }
  });

  it('leaves a well lit capture at least as near to the photo as it was', async () => {
    for (const number of [1, 2, 3, 4, 5, 6]) {
      const clean = await samplePhoto(number, 320, 240);
      for (const mosaic of ['none', 'bayer'] as const) {
        assert.ok(
          (await gained(capture(clean, { ...plainCapture, mosaic }), clean)) > -0.3,
          `photo ${number}, ${mosaic}`,
        );
      }
    }
  });

  it('uses an illuminant that the sensor names', async () => {
    const clean = await samplePhoto(2, 320, 240);
    const made = capture(clean, {
      ...plainCapture,
      gain: 4,
      exposure: 0.4,
      illuminant: 'tungsten',
      mosaic: 'bayer',
    });
    const light = illuminants.tungsten;
    const seen = crosstalk.map((row) => 1 / (row[0] * light[0] + row[1] * light[1] + row[2] * light[2]));
    const sensor = { ...unknownSensorState, illuminantGains: seen as unknown as [number, number, number] };
    assert.ok((await gained(made, clean, sensor)) > (await gained(made, clean)) - 0.2);
    assert.equal(enhancer.enhance(frameOf(made), sensor, null).report.whiteBalance.source, 'headers');
  });

  it('believes a gain that fits the picture, and not one that contradicts it', async () => {
    const clean = await samplePhoto(3, 320, 240);
    const made = frameOf(capture(clean, { ...plainCapture, gain: 8 }));
    const fitting = enhancer.enhance(made, { ...unknownSensorState, gain: 8 }, null).report;
    assert.deepEqual([fitting.noise.source, fitting.noise.gain, fitting.notBelieved], ['headers', 8, []]);
    const stale = enhancer.enhance(made, { ...unknownSensorState, gain: 128 }, null).report;
    assert.deepEqual([stale.noise.source, stale.notBelieved], ['frame', ['gain']]);
    assert.ok(stale.noise.gain >= 4 && stale.noise.gain <= 16);
  });

  it('does not believe an illuminant that the picture contradicts', async () => {
    const clean = await samplePhoto(3, 320, 240);
    const made = frameOf(capture(clean, { ...plainCapture, gain: 4, exposure: 0.5 }));
    const sensor = { ...unknownSensorState, illuminantGains: [0.3, 1, 4] as const };
    const { report } = enhancer.enhance(made, sensor, null);
    assert.notEqual(report.whiteBalance.source, 'headers');
    assert.deepEqual(report.notBelieved, ['illuminantGains']);
    assert.deepEqual(enhancer.enhance(made, sensor, null, 'captured').report.notBelieved, []);
  });

  it('leaves a frame dark in which there is nothing but noise', () => {
    const nothing: Picture = { width: 320, height: 240, data: new Uint8Array(320 * 240 * 3) };
    for (const mosaic of ['none', 'bayer'] as const) {
      for (const gain of [1, 4, 16, 64]) {
        const made = capture(nothing, { ...plainCapture, gain, mosaic });
        const { picture, report } = enhancer.enhance(frameOf(made), unknownSensorState, null);
        const mean = picture.data.reduce((sum, value) => sum + value, 0) / picture.data.length;
        assert.ok(report.exposureGain < 1.6, `${mosaic}, gain ${gain}: brightened by ${report.exposureGain}`);
        assert.ok(mean < 32, `${mosaic}, gain ${gain}: mean ${mean}`);
      }
    }
  });

  it('keeps black black, white white and grey even, in every format and at odd sizes', () => {
    for (const [width, height] of [
      [1, 1],
      [2, 3],
      [31, 18],
      [320, 240],
    ] as const) {
      for (const format of ['RGB565', 'GRAYSCALE', 'RGB888'] as const) {
        const black = enhancer.enhance(flatFrame(width, height, format, 0), unknownSensorState, null).picture;
        assert.ok(
          black.data.every((value) => value <= 1),
          `${format} ${width} x ${height}`,
        );
        const white = enhancer.enhance(
          flatFrame(width, height, format, 255),
          unknownSensorState,
          null,
        ).picture;
        assert.ok(
          white.data.every((value) => value >= 252),
          `${format} ${width} x ${height}`,
        );
        assert.equal(white.data.length, width * height * 3);
      }
      const grey = enhancer.enhance(
        flatFrame(width, height, 'GRAYSCALE', 128),
        unknownSensorState,
        null,
      ).picture;
      const level = grey.data[0]!;
      assert.ok(level >= 110 && level <= 160, `grey became ${level}`);
      assert.ok(grey.data.every((value) => Math.abs(value - level) <= 1));
    }
  });

  it('keeps the colours of both sides of an edge apart where it falls between columns of half-size colour', async () => {
    const [width, height] = [64, 32];
    const [bright, dark] = [
      [200, 120, 40],
      [50, 30, 10],
    ] as const;
    const bytes = Uint8Array.from(
      { length: width * height * 3 },
      (_, i) => (Math.floor(i / 3) % width < 33 ? bright : dark)[i % 3]!,
    );
    const frame: SensorFrame = { bytes, width, height, format: 'RGB888', byteOrder: 'BE' };
    for (const each of [enhancer, await createEnhancer('reference')]) {
      const { data } = each.enhance(frame, unknownSensorState, null, 'captured').picture;
      const furthest = data.reduce((most, value, i) => Math.max(most, Math.abs(value - bytes[i]!)), 0);
      // Half-size colour alone is off by 22.
      assert.ok(furthest <= 8, `${furthest} with ${each.implementation}`);
    }
  });

  it('gives the same bytes by the Wiener filter and by its plain twin, and gains most of what the DCT does', async () => {
    const twin = await createEnhancer('reference');
    for (const [width, height] of [
      [1, 1],
      [33, 17],
      [64, 50],
    ] as const) {
      const bytes = randomBytes(width * height * 2, 7);
      const frame: SensorFrame = { bytes, width, height, format: 'RGB565', byteOrder: 'BE' };
      assert.deepEqual(
        enhancer.enhance(frame, unknownSensorState, null, 'corrected', 'wiener'),
        twin.enhance(frame, unknownSensorState, null, 'corrected', 'wiener'),
      );
    }
    const clean = await samplePhoto(2, 320, 240);
    const made = capture(clean, { ...plainCapture, gain: 16, exposure: 0.4, mosaic: 'bayer' });
    const over = (method: 'dct' | 'wiener') => {
      const { picture, report } = enhancer.enhance(
        frameOf(made),
        unknownSensorState,
        null,
        'captured',
        method,
      );
      assert.equal(report.noise.method, method);
      return psnr(picture.data, made.noiseless) - psnr(plainly(made), made.noiseless);
    };
    assert.ok(over('wiener') > 0.7 * over('dct'), `${over('wiener')} of ${over('dct')} dB`);
  });

  it('keeps all black and all white what they are by the Wiener filter too', () => {
    for (const [byte, expected] of [
      [0, 0],
      [255, 255],
    ] as const) {
      const { picture } = enhancer.enhance(
        flatFrame(17, 9, 'RGB565', byte),
        unknownSensorState,
        null,
        'captured',
        'wiener',
      );
      assert.ok(picture.data.every((value) => Math.abs(value - expected) <= 1));
    }
  });

  it('survives pure noise at any size a camera has', () => {
    for (const [width, height] of [
      [3, 200],
      [200, 3],
      [161, 121],
      [1600, 1200],
    ] as const) {
      const bytes = randomBytes(width * height * 2, width);
      const frame: SensorFrame = { bytes, width, height, format: 'RGB565', byteOrder: 'LE' };
      const { picture, report } = enhancer.enhance(frame, unknownSensorState, null);
      assert.equal(picture.data.length, width * height * 3);
      assert.ok(Number.isFinite(report.noise.sigma) && Number.isFinite(report.exposureGain));
    }
  });

  it('says which field of a frame or of the sensor state makes no sense', () => {
    const frame = flatFrame(8, 8, 'RGB565', 0);
    const attempt = (broken: Partial<SensorFrame>, sensor: Partial<SensorState> = {}) =>
      enhancer.enhance({ ...frame, ...broken }, { ...unknownSensorState, ...sensor }, null);
    assert.throws(() => attempt({ width: 9 }), /bytes: expected 9 x 8 x 2 = 144 bytes, received 128/);
    assert.throws(() => attempt({ format: 'JPEG' as 'RGB565' }), /format: expected one of RGB565, /);
    assert.throws(() => attempt({ format: 'YUV422', width: 9 }), /width: expected an even number/);
    assert.throws(() => attempt({ byteOrder: 'XE' as 'BE' }), /byteOrder/);
    assert.throws(
      () => enhancer.enhance(frame, unknownSensorState, null, 'corrected', 'median' as 'dct'),
      /method: expected 'dct' or 'wiener', received "median"/,
    );
    assert.throws(() => attempt({}, { gain: Number.NaN }), /sensor\.gain: expected a factor/);
    assert.throws(() => attempt({}, { illuminantGains: [1, 0, 1] }), /sensor\.illuminantGains/);
    assert.throws(
      () => enhancer.enhance(frame, unknownSensorState, new FrameHistory(16, 8)),
      /history: expected one of 8 x 8, received 16 x 8/,
    );
  });
});

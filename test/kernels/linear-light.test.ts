import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { psnr } from '../../bench/psnr.ts';
import { samplePhoto } from '../../bench/sample-photos.ts';
import { capture, plainCapture } from '../../bench/simulated-sensor.ts';
import { createEnhancer } from '../../kernels/enhance.ts';
import type { SensorFrame } from '../../kernels/enhance-steps.ts';
import { unknownSensorState } from '../../kernels/enhancement-report.ts';
import { FrameHistory } from '../../kernels/frame-history.ts';
import { gammaTable } from '../../kernels/linear-light.ts';
import { randomBytes } from './random.ts';

const enhancer = await createEnhancer('simd');
const linear = { ...unknownSensorState, gammaApplied: false };
const [width, height] = [320, 240];

const frameOf = (bytes: Uint8Array, format: SensorFrame['format'] = 'RGB565'): SensorFrame => ({
  bytes,
  width,
  height,
  format,
  byteOrder: 'BE',
});

describe('a frame that its headers call linear', () => {
  it('of 8 bits comes out as the same scene does with the gamma of the sensor, to 40 dB', async () => {
    for (const number of [2, 3, 4, 5, 6]) {
      const photo = await samplePhoto(number, width, height);
      const pictures = [true, false].map((isLinear) => {
        const { noiseless } = capture(photo, { ...plainCapture, mosaic: 'bayer', linear: isLinear });
        const frame = frameOf(Uint8Array.from(noiseless, Math.round), 'RGB888');
        return enhancer.enhance(frame, isLinear ? linear : unknownSensorState, null).picture.data;
      });
      assert.ok(psnr(pictures[0]!, pictures[1]!) > 40, `photo ${number}`);
    }
  });

  it('of RGB565, coarse in the dark, comes within 3 dB in good light and 5 in dim light, and says what was done', async () => {
    for (const number of [2, 3, 4]) {
      const photo = await samplePhoto(number, width, height);
      for (const [light, mostDecibels] of [
        [{ gain: 1, exposure: 1 }, 3],
        [{ gain: 4, exposure: 0.4 }, 5],
      ] as const) {
        const settings = { ...plainCapture, ...light, mosaic: 'bayer' } as const;
        const withGamma = enhancer.enhance(frameOf(capture(photo, settings).bytes), unknownSensorState, null);
        const frame = frameOf(capture(photo, { ...settings, linear: true }).bytes);
        const { picture, report } = enhancer.enhance(frame, linear, null);
        const reached = psnr(picture.data, photo.data);
        const message = `photo ${number}, gain ${light.gain}: ${reached}`;
        assert.ok(reached > psnr(withGamma.picture.data, photo.data) - mostDecibels, message);
        const ignored = enhancer.enhance(frame, unknownSensorState, null).picture;
        assert.ok(reached > psnr(ignored.data, photo.data) + 8, message);
        assert.deepEqual(report.gamma, { source: 'headers', applied: true });
        assert.deepEqual(report.notBelieved, []);
      }
    }
  });

  it('keeps its gamma where it is too bright to be linear, and says so', async () => {
    for (const number of [2, 3, 4, 5, 6]) {
      const photo = await samplePhoto(number, width, height);
      const frame = frameOf(capture(photo, { ...plainCapture, mosaic: 'bayer' }).bytes);
      const { picture, report } = enhancer.enhance(frame, linear, null);
      assert.deepEqual(report.gamma, { source: 'none', applied: false });
      assert.deepEqual(report.notBelieved, ['gamma']);
      assert.deepEqual(picture, enhancer.enhance(frame, unknownSensorState, null).picture);
    }
  });

  it('gives the same bytes and the same report with the kernels and with their plain twins', async () => {
    const twin = await createEnhancer('reference');
    for (const [w, h, format, bytesPerPixel] of [
      [1, 1, 'RGB565', 2],
      [33, 17, 'RGB565', 2],
      [50, 31, 'YUV422', 2],
      [17, 40, 'GRAYSCALE', 1],
      [40, 41, 'RGB888', 3],
    ] as const) {
      for (const byteOrder of ['BE', 'LE'] as const) {
        const histories = [new FrameHistory(w, h), new FrameHistory(w, h)] as const;
        for (let seed = 0; seed < 2; seed++) {
          // Dark in every format: otherwise it would not be believed.
          const bytes = randomBytes(w * h * bytesPerPixel, seed).map((byte) => byte & 0b0011_0001);
          const frame: SensorFrame = { bytes, width: w, height: h, format, byteOrder };
          const made = enhancer.enhance(frame, linear, histories[0]);
          assert.deepEqual(made, twin.enhance(frame, linear, histories[1]));
          if (format !== 'YUV422') assert.equal(made.report.gamma.applied, true);
        }
      }
    }
  });

  it('keeps black black and white white', () => {
    assert.deepEqual([gammaTable[0], gammaTable[255]], [0, 255]);
    const frame = frameOf(new Uint8Array(width * height * 2));
    assert.ok(enhancer.enhance(frame, linear, null).picture.data.every((value) => value === 0));
  });
});

it('a frame of a sensor with gamma is the same whether its headers say so or nothing', async () => {
  const photo = await samplePhoto(2, width, height);
  const frame = frameOf(capture(photo, { ...plainCapture, gain: 4, exposure: 0.4, mosaic: 'bayer' }).bytes);
  const expected = enhancer.enhance(frame, unknownSensorState, null);
  assert.deepEqual(enhancer.enhance(frame, { ...unknownSensorState, gammaApplied: true }, null), expected);
});

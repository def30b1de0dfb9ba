/**
 * What enhancement is worth, in decibels over plain unpacking, on simulated captures of the sample photos. Denoising is measured against
 * the same capture without noise, the whole of it against the clean photo. `--sheet <file>` writes a contact sheet: clean, plain, enhanced.
 */
import sharp from 'sharp';
import { createEnhancer, type Enhancer } from '../kernels/enhance.ts';
import { type SensorState, unknownSensorState } from '../kernels/enhancement-report.ts';
import { FrameHistory } from '../kernels/frame-history.ts';
import { createPixelKernels } from '../kernels/kernels.ts';
import type { Picture } from '../kernels/picture.ts';
import { type Reporter, verify } from './harness.ts';
import { samplePhoto, samplePhotoCount } from './sample-photos.ts';
import {
  type Capture,
  type CaptureSettings,
  capture,
  crosstalk,
  illuminants,
  plainCapture,
} from './simulated-sensor.ts';

export const title = 'decibels over the plain unpack, mean of six photos at 640x480, simulated OV2640';

const [width, height] = [640, 480];
const stillFrames = 8;

const frameOf = ({ bytes }: Capture) =>
  ({ bytes, width, height, format: 'RGB565', byteOrder: 'BE' }) as const;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const enhancer = await createEnhancer('simd');
  const kernels = await createPixelKernels('simd');
  const unpack = ({ bytes }: Capture) => kernels.unpackRgb565(bytes, width, height, 'BE').data;
  const photos = await Promise.all(
    Array.from({ length: samplePhotoCount }, (_, i) => samplePhoto(i + 1, width, height)),
  );
  denoising(reporter, enhancer, unpack, photos);
  correction(reporter, enhancer, unpack, photos);
  if (options.sheet !== undefined) await contactSheet(options.sheet, enhancer, unpack, photos);
}

type Unpack = (made: Capture) => Uint8Array;

/** Promised decibels at gain 1, 4 and 16: alone for three samples a pixel, alone for a mosaic. */
const promised = { none: [7.5, 8, 9], bayer: [4.5, 5, 6] } as const;

function denoising(reporter: Reporter, enhancer: Enhancer, unpack: Unpack, photos: readonly Picture[]): void {
  for (const mosaic of ['none', 'bayer'] as const) {
    for (const [i, gain] of [1, 4, 16].entries()) {
      let [single, learnt, still] = [0, 0, 0];
      for (const photo of photos) {
        const history = new FrameHistory(width, height);
        const settings = { ...plainCapture, gain, exposure: 0.4, illuminant: 'tungsten', mosaic } as const;
        for (let frame = 0; frame < stillFrames; frame++) {
          const made = capture(photo, { ...settings, seed: 100 + 7 * frame });
          const merged = enhancer.enhance(frameOf(made), unknownSensorState, history, 'captured').picture;
          if (frame === 0) single += gained(made, merged, unpack);
          if (frame === stillFrames - 1) still += gained(made, merged, unpack);
        }
        // A frame on its own again, of a camera whose noise is known.
        const last = capture(photo, { ...settings, seed: 999 });
        learnt += gained(
          last,
          enhancer.enhance(frameOf(last), { ...unknownSensorState, gain }, null, 'captured').picture,
          unpack,
        );
      }
      const noise = mosaic === 'none' ? 'white noise' : "a mosaic's noise";
      const add = (name: string, sum: number, atLeast?: number) =>
        reporter.add({
          name: `denoising, ${noise}, gain ${gain}: ${name}`,
          unit: 'dB',
          value: sum / photos.length,
          target: atLeast === undefined ? undefined : { atLeast },
        });
      add('one frame, no header', single, promised[mosaic][i]!);
      add('one frame, gain named', learnt);
      add(`${stillFrames} still frames`, still, mosaic === 'none' ? 10.5 : undefined);
    }
  }
}

const badLights = [
  { gain: 4, exposure: 0.4, illuminant: 'neutral' },
  { gain: 4, exposure: 0.4, illuminant: 'tungsten' },
  { gain: 1, exposure: 1, illuminant: 'tungsten' },
  { gain: 16, exposure: 0.15, illuminant: 'neutral' },
  { gain: 16, exposure: 0.15, illuminant: 'tungsten' },
  { gain: 16, exposure: 0.15, illuminant: 'fluorescent' },
] as const;
const goodLight = { gain: 1, exposure: 1, illuminant: 'neutral' } as const;

function correction(
  reporter: Reporter,
  enhancer: Enhancer,
  unpack: Unpack,
  photos: readonly Picture[],
): void {
  let [sum, count] = [0, 0];
  for (const light of [goodLight, ...badLights]) {
    let [blind, known, worst] = [0, 0, Number.POSITIVE_INFINITY];
    for (const photo of photos) {
      const made = capture(photo, { ...plainCapture, ...light, mosaic: 'bayer', seed: 3 });
      const over = (sensor: SensorState) =>
        psnr(enhancer.enhance(frameOf(made), sensor, null).picture.data, photo.data) -
        psnr(unpack(made), photo.data);
      const gain = over(unknownSensorState);
      blind += gain / photos.length;
      known += over(knownLight(light)) / photos.length;
      worst = Math.min(worst, gain);
    }
    const isGood = light === goodLight;
    const isPromised = light.gain === 4 && light.illuminant === 'tungsten';
    if (!isGood) {
      sum += blind;
      count++;
    }
    const name = `against the photo, gain ${light.gain}, light ${light.exposure}, ${light.illuminant}`;
    reporter.add({
      name: `${name}: no header`,
      unit: 'dB',
      value: blind,
      target: isPromised ? { atLeast: 10 } : undefined,
    });
    reporter.add({
      name: `${name}: light named`,
      unit: 'dB',
      value: known,
      target: isPromised ? { atLeast: 12 } : undefined,
    });
    if (isGood)
      reporter.add({ name: `${name}: worst photo`, unit: 'dB', value: worst, target: { atLeast: -0.3 } });
  }
  reporter.add({
    name: 'against the photo, mean of all bad lights, no header',
    unit: 'dB',
    value: sum / count,
    target: { atLeast: 7 },
  });
}

/** What a sensor knows that measures its light: factors that make grey grey as its filters see it. */
function knownLight({ gain, illuminant }: Pick<CaptureSettings, 'gain' | 'illuminant'>): SensorState {
  const light = illuminants[illuminant];
  const [r, g, b] = crosstalk.map((row) => 1 / (row[0] * light[0] + row[1] * light[1] + row[2] * light[2]));
  return { gain, whiteBalanced: false, illuminantGains: [r!, g!, b!] };
}

function gained(made: Capture, denoised: Picture, unpack: Unpack): number {
  return psnr(denoised.data, made.noiseless) - psnr(unpack(made), made.noiseless);
}

/** Peak signal-to-noise ratio in decibels. */
function psnr(a: ArrayLike<number>, b: ArrayLike<number>): number {
  verify(a.length === b.length && a.length > 0, 'pictures of one size');
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return 10 * Math.log10((255 ** 2 * a.length) / squares);
}

async function contactSheet(
  file: string,
  enhancer: Enhancer,
  unpack: Unpack,
  photos: readonly Picture[],
): Promise<void> {
  const rows = photos.flatMap((photo) =>
    [goodLight, badLights[1], badLights[5]].map((light) => ({ photo, light })),
  );
  const tiles = rows.flatMap(({ photo, light }, row) => {
    const made = capture(photo, { ...plainCapture, ...light, mosaic: 'bayer', seed: 3 });
    const pictures = [
      photo.data,
      unpack(made),
      enhancer.enhance(frameOf(made), unknownSensorState, null).picture.data,
    ];
    return pictures.map((data, column) => ({
      input: Buffer.from(data),
      raw: { width, height, channels: 3 as const },
      left: column * width,
      top: row * height,
    }));
  });
  const size = {
    width: 3 * width,
    height: rows.length * height,
    channels: 3 as const,
    background: '#000000',
  };
  await sharp({ create: size }).composite(tiles).png().toFile(file);
}

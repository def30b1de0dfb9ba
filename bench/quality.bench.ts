/**
 * What enhancement is worth, in decibels over plain unpacking, on simulated captures of the sample photos. Denoising is measured against
 * the same capture without noise, the whole of it against the clean photo. `--sheets <folder>` writes contact sheets of every light.
 */
import { createEnhancer, type Enhancer } from '../kernels/enhance.ts';
import { type SensorState, unknownSensorState } from '../kernels/enhancement-report.ts';
import { FrameHistory } from '../kernels/frame-history.ts';
import { createPixelKernels } from '../kernels/kernels.ts';
import type { Picture } from '../kernels/picture.ts';
import { writeContactSheets } from './contact-sheets.ts';
import type { Reporter } from './harness.ts';
import { badLights, goodLight, knownLight, nameOf, unevenLights } from './lights.ts';
import { withLocalTone } from './local-tone.ts';
import { psnr } from './psnr.ts';
import { samplePhoto, samplePhotoCount } from './sample-photos.ts';
import { type Capture, type CaptureSettings, capture, plainCapture } from './simulated-sensor.ts';

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
  if (options.sheets !== undefined) {
    const files = await writeContactSheets(options.sheets, enhancer, kernels);
    reporter.note(
      `clean, plain unpack, enhanced, merged over eight frames, without headers: ${files.join(', ')}`,
    );
  }
}

type Unpack = (made: Capture) => Uint8Array;

/** Promised decibels at gain 1, 4 and 16. A mosaic's noise is promised for a camera whose noise is known from still frames. */
const promised = { none: [7.5, 8, 9], bayer: [4.5, 5, 6] } as const;
const promisedStill = 10.5;

function denoising(reporter: Reporter, enhancer: Enhancer, unpack: Unpack, photos: readonly Picture[]): void {
  for (const mosaic of ['none', 'bayer'] as const) {
    for (const [i, gain] of [1, 4, 16].entries()) {
      const sums = { alone: 0, named: 0, learnt: 0, learntScene: 0, still: 0 };
      // A camera that watched another scene before.
      let taught = watch(enhancer, photos.at(-1)!, gain, mosaic).history;
      for (const photo of photos) {
        const last = capture(photo, { ...stillSettings(gain, mosaic), seed: 999 });
        const enhance = (sensor: SensorState, history: FrameHistory | null) =>
          enhancer.enhance(frameOf(last), sensor, history, 'captured').picture;
        sums.alone += gained(last, enhance(unknownSensorState, null), unpack);
        sums.named += gained(last, enhance({ ...unknownSensorState, gain }, null), unpack);
        const learnt = enhance(unknownSensorState, taught);
        sums.learnt += gained(last, learnt, unpack);
        if (mosaic === 'bayer') sums.learntScene += gainedTowardsScene(last, learnt, photo, gain, unpack);
        const watched = watch(enhancer, photo, gain, mosaic);
        sums.still += gained(watched.last, watched.merged, unpack);
        taught = watched.history;
      }
      const noise = mosaic === 'none' ? 'white noise' : "a mosaic's noise";
      const add = (name: string, sum: number, atLeast?: number) =>
        reporter.add({
          name: `denoising, ${noise}, gain ${gain}: ${name}`,
          unit: 'dB',
          value: sum / photos.length,
          target: atLeast === undefined ? undefined : { atLeast },
        });
      const isWhite = mosaic === 'none';
      add('one frame, no header', sums.alone, isWhite ? promised.none[i]! : undefined);
      add('one frame, gain named', sums.named);
      add('one frame, spectrum learnt', sums.learnt, isWhite ? undefined : promised.bayer[i]!);
      if (!isWhite) add('the same against what three samples a pixel would have given', sums.learntScene);
      add(`${stillFrames} still frames`, sums.still, isWhite ? promisedStill : undefined);
    }
  }
}

const stillSettings = (gain: number, mosaic: 'none' | 'bayer'): CaptureSettings => ({
  ...plainCapture,
  gain,
  exposure: 0.4,
  illuminant: 'tungsten',
  mosaic,
});

/** Still frames of one scene, merged into a history of their own; the last one is what is measured. */
function watch(enhancer: Enhancer, photo: Picture, gain: number, mosaic: 'none' | 'bayer') {
  const history = new FrameHistory(width, height);
  for (let frame = 0; ; frame++) {
    const last = capture(photo, { ...stillSettings(gain, mosaic), seed: 100 + 7 * frame });
    const merged = enhancer.enhance(frameOf(last), unknownSensorState, history, 'captured').picture;
    if (frame === stillFrames - 1) return { history, last, merged };
  }
}

/** A mosaic leaves coloured fringes at edges; who keeps them is nearer to the noiseless capture, and farther from the scene. */
function gainedTowardsScene(
  made: Capture,
  denoised: Picture,
  photo: Picture,
  gain: number,
  unpack: Unpack,
): number {
  const { noiseless } = capture(photo, stillSettings(gain, 'none'));
  return psnr(denoised.data, noiseless) - psnr(unpack(made), noiseless);
}

function correction(
  reporter: Reporter,
  enhancer: Enhancer,
  unpack: Unpack,
  photos: readonly Picture[],
): void {
  let [sum, count] = [0, 0];
  for (const light of [goodLight, ...badLights, ...unevenLights]) {
    let [blind, known, toned, worst] = [0, 0, 0, Number.POSITIVE_INFINITY];
    for (const photo of photos) {
      const made = capture(photo, { ...plainCapture, ...light, mosaic: 'bayer', seed: 3 });
      const over = (picture: Picture) => psnr(picture.data, photo.data) - psnr(unpack(made), photo.data);
      const enhance = (sensor: SensorState) => enhancer.enhance(frameOf(made), sensor, null).picture;
      const alone = enhance(unknownSensorState);
      const gain = over(alone);
      toned += (over(withLocalTone(alone)) - gain) / photos.length;
      blind += gain / photos.length;
      known += over(enhance(knownLight(light))) / photos.length;
      worst = Math.min(worst, gain);
    }
    const isGood = light === goodLight;
    const isUneven = light.shade !== undefined;
    const isPromised = light.gain === 4 && light.illuminant === 'tungsten';
    if (!isGood && !isUneven) {
      sum += blind;
      count++;
    }
    const name = `against the photo, ${nameOf(light)}`;
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
    reporter.add({ name: `${name}: what a local tone step would add`, unit: 'dB', value: toned });
    if (isGood)
      reporter.add({ name: `${name}: worst photo`, unit: 'dB', value: worst, target: { atLeast: -0.3 } });
  }
  reporter.add({
    name: 'against the photo, mean of all bad even lights, no header',
    unit: 'dB',
    value: sum / count,
    target: { atLeast: 7 },
  });
}

function gained(made: Capture, denoised: Picture, unpack: Unpack): number {
  return psnr(denoised.data, made.noiseless) - psnr(unpack(made), made.noiseless);
}

/**
 * Faces found in dim, noisy captures, in percent of those found in the clean photos: plain unpack, denoised as captured, corrected, and
 * merged over eight still frames. Simulated sensor with a mosaic, 320x240, gain 16, a seventh of the light.
 */
import { createEnhancer } from '../kernels/enhance.ts';
import { unknownSensorState } from '../kernels/enhancement-report.ts';
import { FrameHistory } from '../kernels/frame-history.ts';
import { createPixelKernels } from '../kernels/kernels.ts';
import type { Picture } from '../kernels/picture.ts';
import type { DetectedFace, Detector } from '../workers/detect/detector.ts';
import { openModels } from '../workers/models.ts';
import { createGraphOpener } from '../workers/session.ts';
import type { Reporter } from './harness.ts';
import { samplePhoto, samplePhotoCount } from './sample-photos.ts';
import { findYunet, SSD, WITHOUT_YUNET } from './selections.ts';
import { capture, illuminants, plainCapture } from './simulated-sensor.ts';

export const title = 'faces found, percent of those in the clean photo, 320x240, gain 16, 0.15 of the light';

const [width, height] = [320, 240];
/** The photos are cut to several sizes, so that there are enough faces; each is captured under each light. */
const zooms = [1, 1.35, 1.8] as const;
const stillFrames = 8;
const ways = [
  'plain unpack',
  'denoised',
  'corrected',
  'eight frames, denoised',
  'eight frames, corrected',
] as const;

export async function run(reporter: Reporter): Promise<void> {
  const opener = await createGraphOpener('cpu');
  const yunet = await findYunet();
  if (yunet === null) reporter.note(WITHOUT_YUNET);
  for (const [name, selection] of [
    ['SSD', SSD],
    ['YuNet', yunet],
  ] as const) {
    if (selection === null) continue;
    const { detector } = await openModels(opener, selection);
    await measure(reporter, name, detector);
    await detector.release();
  }
}

async function measure(reporter: Reporter, name: string, detector: Detector): Promise<void> {
  const kernels = await createPixelKernels('simd');
  const enhancer = await createEnhancer('simd');
  const detect = (picture: Picture) => detector.detect(kernels.load(picture));
  const found: Record<string, number> = Object.fromEntries(ways.map((way) => [way, 0]));
  let [faces, wrong] = [0, 0];
  for (let number = 1; number <= samplePhotoCount; number++) {
    for (const zoom of zooms) {
      const clean = await zoomed(number, zoom);
      const expected = await detect(clean);
      for (const illuminant of Object.keys(illuminants) as (keyof typeof illuminants)[]) {
        faces += expected.length;
        const history = {
          captured: new FrameHistory(width, height),
          corrected: new FrameHistory(width, height),
        };
        const pictures: Partial<Record<(typeof ways)[number], Picture>> = {};
        for (let seed = 0; seed < stillFrames; seed++) {
          const made = capture(clean, {
            ...plainCapture,
            gain: 16,
            exposure: 0.15,
            illuminant,
            mosaic: 'bayer',
            seed,
          });
          const frame = { bytes: made.bytes, width, height, format: 'RGB565', byteOrder: 'BE' } as const;
          const denoised = enhancer.enhance(frame, unknownSensorState, history.captured, 'captured').picture;
          const corrected = enhancer.enhance(frame, unknownSensorState, history.corrected).picture;
          if (seed === 0) {
            pictures['plain unpack'] = kernels.unpackRgb565(made.bytes, width, height, 'BE');
            pictures.denoised = denoised;
            pictures.corrected = corrected;
          }
          pictures['eight frames, denoised'] = denoised;
          pictures['eight frames, corrected'] = corrected;
        }
        for (const way of ways) {
          const seen = await detect(pictures[way]!);
          const matched = expected.filter((face) => seen.some((other) => overlap(face, other) > 0.5)).length;
          found[way]! += matched;
          if (way === 'corrected') wrong += Math.max(0, seen.length - matched);
        }
      }
    }
  }
  for (const way of ways) {
    const atLeast =
      name !== 'YuNet' ? null : way === 'corrected' ? 90 : way === 'eight frames, corrected' ? 98 : null;
    reporter.add({
      name: `${name}, ${faces} faces: ${way}`,
      unit: '%',
      value: (100 * found[way]!) / faces,
      target: atLeast === null ? undefined : { atLeast },
    });
  }
  reporter.add({ name: `${name}: faces in corrected frames that match none`, unit: 'faces', value: wrong });
}

/** The middle of a photo, enlarged that much. */
async function zoomed(number: number, zoom: number): Promise<Picture> {
  const [w, h] = [Math.round(width * zoom), Math.round(height * zoom)];
  const { data } = await samplePhoto(number, w, h);
  const cut = new Uint8Array(3 * width * height);
  const [left, top] = [(w - width) >> 1, (h - height) >> 2];
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * w + left) * 3;
    cut.set(data.subarray(start, start + 3 * width), y * width * 3);
  }
  return { width, height, data: cut };
}

/** Intersection over union of the boxes. */
function overlap({ box: a }: DetectedFace, { box: b }: DetectedFace): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (across <= 0 || down <= 0) return 0;
  const both = across * down;
  return both / (a.width * a.height + b.width * b.height - both);
}

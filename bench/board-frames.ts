/** What the boards of boards.bench.ts see: scenes out of the sample photos, as a simulated sensor gives them. */
import sharp, { type Sharp } from 'sharp';
import type { Picture } from '../kernels/picture.ts';
import type { Gallery } from '../server/recognition/gallery.ts';
import { readSample } from '../test/support/samples.ts';
import { onePersonJpeg } from './pictures.ts';
import { capture, plainCapture } from './simulated-sensor.ts';

export const WIDTH = 320;
export const HEIGHT = 240;
export const KNOWN = 'Anna';
const LEAST_WITH_FACE = 100;
const LEAST_WITHOUT_FACE = 300;
/**
 * Captures of one scene that boards send in turn: each has noise of its own. Odd, so that none of 8 or 64 boards in step with each other
 * gets the same one every time, which no sensor would give.
 */
const CAPTURES = 9;
/** Others in the gallery, so that there is somebody to be taken for: parts of the sample photos with one person. */
const OTHERS = [
  { photo: 6, region: { left: 520, top: 240, width: 460, height: 520 } },
  { photo: 1, region: { left: 777, top: 340, width: 310, height: 380 } },
] as const;
/** A part of a sample photo with nobody in it. */
const EMPTY_ROOM = { photo: 1, region: { left: 0, top: 0, width: 320, height: 240 } } as const;

export interface Kind {
  readonly name: string;
  readonly frames: readonly Buffer[];
  readonly faces: 0 | 1;
  /** Whom the answer has to name. */
  readonly recognizedAs: string | null;
  readonly leastPerS?: number;
}

/** All that differs between the first two is whether the person is enrolled. */
export async function frameKinds(): Promise<Record<'stranger' | 'known' | 'empty', Kind>> {
  const stranger: Kind = {
    name: "with a stranger's face",
    frames: await capturesOf(sharp(await onePersonJpeg())),
    faces: 1,
    recognizedAs: null,
    leastPerS: LEAST_WITH_FACE,
  };
  const empty: Kind = {
    name: 'without a face',
    frames: await capturesOf(sharp(await readSample(EMPTY_ROOM.photo)).extract(EMPTY_ROOM.region)),
    faces: 0,
    recognizedAs: null,
    leastPerS: LEAST_WITHOUT_FACE,
  };
  return { stranger, known: { ...stranger, name: 'with a known face', recognizedAs: KNOWN }, empty };
}

export async function enrolOthers(gallery: Gallery): Promise<void> {
  for (const [i, { photo, region }] of OTHERS.entries())
    await gallery.enrol(
      `Other ${i + 1}`,
      await sharp(await readSample(photo))
        .extract(region)
        .jpeg()
        .toBuffer(),
    );
}

/** What a simulated sensor makes of a scene, several times, in daylight indoors: a little gain, white balance done. */
async function capturesOf(scene: Sharp): Promise<Buffer[]> {
  const data = await scene.resize(WIDTH, HEIGHT).removeAlpha().raw().toBuffer();
  const photo: Picture = { width: WIDTH, height: HEIGHT, data };
  return Array.from({ length: CAPTURES }, (_, i) =>
    Buffer.from(capture(photo, { ...plainCapture, gain: 2, mosaic: 'bayer', seed: i + 1 }).bytes),
  );
}

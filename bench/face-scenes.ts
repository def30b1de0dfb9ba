/** The sample photos cut to several sizes, and what a board sends of them in the dark. */
import type { Picture } from '../kernels/picture.ts';
import type { Box } from '../workers/protocol.ts';
import { samplePhoto, samplePhotoCount } from './sample-photos.ts';
import { capture, illuminants, plainCapture } from './simulated-sensor.ts';

export const [sceneWidth, sceneHeight] = [320, 240];
/** People are enrolled from the clean photos at this multiple of the scenes' size. */
export const enrolmentScale = 4;
export const stillFrames = 8;
/** The photos are cut to several sizes, so that there are enough faces; each is captured under each light. */
const zooms = [1, 1.2, 1.45, 1.8] as const;
const dark = { ...plainCapture, gain: 16, exposure: 0.15, mosaic: 'bayer' } as const;

export interface Scene {
  readonly photo: number;
  readonly clean: Picture;
  /** Where a box of the scene lies in the photo that people are enrolled from. */
  readonly inPhoto: (box: Box) => Box;
  /** Eight still frames of each light, RGB565 high byte first. */
  readonly frames: readonly (readonly Uint8Array[])[];
}

export async function* darkScenes(): AsyncGenerator<Scene> {
  for (let photo = 1; photo <= samplePhotoCount; photo++) {
    for (const zoom of zooms) {
      const { clean, left, top } = await zoomed(photo, zoom);
      const factor = enrolmentScale / zoom;
      yield {
        photo,
        clean,
        inPhoto: ({ x, y, width, height }) => ({
          x: (x + left) * factor,
          y: (y + top) * factor,
          width: width * factor,
          height: height * factor,
        }),
        frames: Object.keys(illuminants).map((name, light) =>
          Array.from({ length: stillFrames }, (_, frame) => {
            const illuminant = name as keyof typeof illuminants;
            return capture(clean, { ...dark, illuminant, seed: 500 + 100 * light + 7 * frame }).bytes;
          }),
        ),
      };
    }
  }
}

/** The middle of a photo, enlarged that much. */
async function zoomed(number: number, zoom: number) {
  const [w, h] = [Math.round(sceneWidth * zoom), Math.round(sceneHeight * zoom)];
  const { data } = await samplePhoto(number, w, h);
  const cut = new Uint8Array(3 * sceneWidth * sceneHeight);
  const [left, top] = [(w - sceneWidth) >> 1, (h - sceneHeight) >> 2];
  for (let y = 0; y < sceneHeight; y++) {
    const start = ((top + y) * w + left) * 3;
    cut.set(data.subarray(start, start + 3 * sceneWidth), y * sceneWidth * 3);
  }
  const clean: Picture = { width: sceneWidth, height: sceneHeight, data: cut };
  return { clean, left, top };
}

/** Contact sheets of every light, for people to judge: a row for each photo; clean, plain unpack, enhanced, merged over still frames. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Enhancer } from '../kernels/enhance.ts';
import { unknownSensorState } from '../kernels/enhancement-report.ts';
import { FrameHistory } from '../kernels/frame-history.ts';
import type { Picture, PixelKernels } from '../kernels/picture.ts';
import { badLights, goodLight, type Light, nameOf } from './lights.ts';
import { samplePhoto, samplePhotoCount } from './sample-photos.ts';
import { capture, plainCapture } from './simulated-sensor.ts';

const [width, height] = [320, 240];
const stillFrames = 8;

/** Writes a PNG for each light into `folder`, and gives their paths. */
export async function writeContactSheets(
  folder: string,
  enhancer: Enhancer,
  kernels: PixelKernels,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const photos = await Promise.all(
    Array.from({ length: samplePhotoCount }, (_, i) => samplePhoto(i + 1, width, height)),
  );
  const files: string[] = [];
  for (const light of [goodLight, ...badLights]) {
    const file = join(folder, `${nameOf(light).replaceAll(', ', '-').replaceAll(' ', '-')}.png`);
    await writeSheet(
      file,
      photos.map((photo) => [photo, ...made(photo, light, enhancer, kernels)]),
    );
    files.push(file);
  }
  return files;
}

/** Plain unpack, enhanced, merged: of frames without any header. */
function made(photo: Picture, light: Light, enhancer: Enhancer, kernels: PixelKernels): Picture[] {
  const history = new FrameHistory(width, height);
  const pictures: Picture[] = [];
  for (let seed = 0; seed < stillFrames; seed++) {
    const { bytes } = capture(photo, { ...plainCapture, ...light, mosaic: 'bayer', seed });
    const frame = { bytes, width, height, format: 'RGB565', byteOrder: 'BE' } as const;
    const { picture } = enhancer.enhance(frame, unknownSensorState, history);
    if (seed === 0) pictures.push(kernels.unpackRgb565(bytes, width, height, 'BE'), picture);
    if (seed === stillFrames - 1) pictures.push(picture);
  }
  return pictures;
}

async function writeSheet(file: string, rows: readonly (readonly Picture[])[]): Promise<void> {
  const tiles = rows.flatMap((pictures, row) =>
    pictures.map(({ data }, column) => ({
      input: Buffer.from(data),
      raw: { width, height, channels: 3 as const },
      left: column * width,
      top: row * height,
    })),
  );
  const create = {
    width: rows[0]!.length * width,
    height: rows.length * height,
    channels: 3 as const,
    background: '#000000',
  };
  await sharp({ create }).composite(tiles).png().toFile(file);
}

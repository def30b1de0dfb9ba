/** The photographs that come with the package @vladmandic/face-api, as pixels. */
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Picture } from '../kernels/picture.ts';

export const samplePhotoCount = 6;

/** Photo 1 to 6, cut and reduced to that size. */
export async function samplePhoto(number: number, width: number, height: number): Promise<Picture> {
  const file = new URL(`../node_modules/@vladmandic/face-api/demo/sample${number}.jpg`, import.meta.url);
  const pixels = await sharp(fileURLToPath(file))
    .resize(width, height, { fit: 'cover' })
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width, height, data: new Uint8Array(pixels) };
}

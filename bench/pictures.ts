/** Pictures that benches recognise: cut from the sample photos of the package that brings the weights. */
import sharp from 'sharp';
import type { Picture } from '../kernels/picture.ts';
import { samplePath } from '../test/support/samples.ts';

/** A part of the first sample photo in its own pixels, with one person in it. */
const ONE_PERSON = { left: 110, top: 210, width: 640, height: 480 } as const;
const JPEG_QUALITY = 90;

/** 640x480 with one face about 90 px wide. */
export const onePersonJpeg = (): Promise<Buffer> =>
  sharp(samplePath(1)).extract(ONE_PERSON).jpeg({ quality: JPEG_QUALITY }).toBuffer();

export async function onePersonPixels(): Promise<Picture> {
  const { data, info } = await sharp(await onePersonJpeg())
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

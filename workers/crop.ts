/** A rectangle cut out of a compressed picture, as a JPEG of its own. */
import sharp from 'sharp';
import { decodePicture, PictureError } from './decode.ts';
import { clipBox } from './geometry.ts';
import type { CropResult, CropTask, PictureLimits } from './protocol.ts';

/** Once more through JPEG, a face must stay what it was: the embedding moves by less than between two frames. */
const JPEG_QUALITY = 95;

/**
 * The answer is upright and carries nothing of the file but its pixels: no place, no camera, no preview.
 * @throws PictureError as decodePicture does, and where the region lies outside the picture
 */
export async function cropPicture(task: CropTask, limits: PictureLimits): Promise<CropResult> {
  const { picture, width: sentWidth } = await decodePicture(task.input.bytes, limits);
  const factor = picture.width / sentWidth;
  const wanted = task.region ?? {
    x: 0,
    y: 0,
    width: picture.width / factor,
    height: picture.height / factor,
  };
  const inside = clipBox(
    {
      x: wanted.x * factor,
      y: wanted.y * factor,
      width: wanted.width * factor,
      height: wanted.height * factor,
    },
    picture.width,
    picture.height,
  );
  if (inside === null)
    throw new PictureError(
      'bad_picture',
      `expected a region inside the ${picture.width} x ${picture.height} px of the picture, received one at ${wanted.x}, ${wanted.y}`,
    );
  const left = Math.floor(inside.x);
  const top = Math.floor(inside.y);
  const width = Math.min(picture.width, Math.ceil(inside.x + inside.width)) - left;
  const height = Math.min(picture.height, Math.ceil(inside.y + inside.height)) - top;
  const raw = { width: picture.width, height: picture.height, channels: 3 as const };
  let pipeline = sharp(picture.data, { raw }).extract({ left, top, width, height });
  if (task.maxSidePx !== null)
    pipeline = pipeline.resize(task.maxSidePx, task.maxSidePx, { fit: 'inside', withoutEnlargement: true });
  const jpeg = await pipeline
    .jpeg({ quality: JPEG_QUALITY, chromaSubsampling: task.maxSidePx === null ? '4:4:4' : '4:2:0' })
    .toBuffer();
  return {
    kind: 'cropped',
    jpeg,
    region: { x: left / factor, y: top / factor, width: width / factor, height: height / factor },
    scale: factor,
  };
}

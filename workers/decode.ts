/** Compressed pictures to upright RGB888, by sharp (libvips). Only the formats named here ever reach a decoder. */
import sharp from 'sharp';
import type { Picture } from '../kernels/picture.ts';
import type { PictureLimits } from './protocol.ts';

/** The picture cannot be used, and it is the picture's own fault. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
  readonly reason: 'bad_picture' | 'too_large';

  constructor(reason: 'bad_picture' | 'too_large', message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface DecodedPicture {
  readonly picture: Picture;
  /** Size of the upright picture as it was sent; `picture` is smaller where that is very large. */
  readonly width: number;
  readonly height: number;
}

/** Faces of 20 px in a picture this wide are the smallest worth finding; more pixels only cost time and memory. */
const MAX_WORKING_SIDE_PX = 4096;

/**
 * Decodes JPEG, PNG, WebP or AVIF, known by their first bytes whatever a client calls them. EXIF orientation is applied,
 * transparency laid over white.
 * @throws PictureError where the bytes are none of these, are broken or cut off, or describe too many pixels
 */
export async function decodePicture(bytes: Uint8Array, limits: PictureLimits): Promise<DecodedPicture> {
  const format = formatOf(bytes);
  if (bytes.length === 0)
    throw new PictureError('bad_picture', 'expected a JPEG, PNG, WebP or AVIF picture, received 0 bytes');
  if (format === null) {
    throw new PictureError(
      'bad_picture',
      `expected a JPEG, PNG, WebP or AVIF picture, received ${bytes.length} bytes of something else`,
    );
  }
  try {
    const source = sharp(bytes, { limitInputPixels: false, failOn: 'error', sequentialRead: true, pages: 1 });
    const header = await source.metadata();
    const pixels = header.width * header.height;
    if (pixels > limits.maxPixels) {
      throw new PictureError(
        'too_large',
        `expected at most ${limits.maxPixels} pixels, received ${header.width} x ${header.height} = ${pixels}`,
      );
    }
    const { width, height } = header.autoOrient;
    let pipeline = source.autoOrient();
    if (Math.max(width, height) > MAX_WORKING_SIDE_PX) {
      pipeline = pipeline.resize(MAX_WORKING_SIDE_PX, MAX_WORKING_SIDE_PX, { fit: 'inside' });
    }
    if (header.hasAlpha) pipeline = pipeline.flatten({ background: '#ffffff' });
    // Three channels, whatever the file has: libvips spreads a grey one.
    const { data, info } = await pipeline
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { picture: { width: info.width, height: info.height, data }, width, height };
  } catch (error) {
    if (error instanceof PictureError) throw error;
    const reason =
      error instanceof Error ? error.message.replace(/\s+/g, ' ').trim().slice(0, 200) : String(error);
    throw new PictureError('bad_picture', `the ${format} picture is broken or cut off (${reason})`);
  }
}

/** What the first bytes say, by each format's own signature; null for everything else, SVG, TIFF and GIF among it. */
export function formatOf(bytes: Uint8Array): 'JPEG' | 'PNG' | 'WebP' | 'AVIF' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'JPEG';
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'WebP';
  if (text.startsWith('ftyp', 4) && /^.{8}(avif|avis|mif1|miaf)/s.test(text) && text.includes('avif'))
    return 'AVIF';
  return null;
}

/** The pool's threads are the parallelism: libvips gets one thread a picture, and no cache of operations that never repeat. */
export function configureSharp(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

/** JPEG for a tile: decoded beside the page's own thread, at the size that the tile has on the screen. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * @param jpeg the whole file
 * @param size of the picture in the file, as far as it is known: a wrong one costs time, or sharpness
 * @param tile in pixels of the screen
 * @returns a bitmap of the tile's size, which whoever asked has to close; null where this is no picture
 */
export async function decodeJpeg(jpeg: Uint8Array<ArrayBuffer>, size: Size, tile: Size) {
  const scaled = {
    resizeWidth: Math.max(1, tile.width),
    resizeHeight: Math.max(1, tile.height),
    resizeQuality: 'low',
  } as const;
  try {
    if (typeof ImageDecoder !== 'undefined') return await decodeHere(jpeg, size, scaled);
  } catch {
    // What the one refuses the other may take, as a file that ends too soon.
  }
  const blob = new Blob([jpeg], { type: 'image/jpeg' });
  return createImageBitmap(blob, scaled).catch(() => null);
}

/**
 * Browsers give a decoder of one's own to secure pages alone. It spares the way of each file to the process that keeps blobs and back, and
 * leaves out the frequencies of the JPEG that nobody would see: together more than half of what a small picture costs.
 */
async function decodeHere(
  data: Uint8Array<ArrayBuffer>,
  size: Size,
  scaled: { readonly resizeWidth: number; readonly resizeHeight: number } & ImageBitmapOptions,
): Promise<ImageBitmap> {
  const eighths = eighthsFor(size, { width: scaled.resizeWidth, height: scaled.resizeHeight });
  const decoder = new ImageDecoder({
    data,
    type: 'image/jpeg',
    // A pixel more than asked for: a decoder that rounds down shall not come out an eighth below.
    desiredWidth: Math.ceil((size.width * eighths) / 8) + 1,
    desiredHeight: Math.ceil((size.height * eighths) / 8) + 1,
  });
  try {
    const { image } = await decoder.decode();
    try {
      return await createImageBitmap(image, scaled);
    } finally {
      image.close();
    }
  } finally {
    decoder.close();
  }
}

/** Nobody sees on a wall that a picture has a tenth fewer pixels than its tile, and half the size is decoded faster than five eighths. */
const MAY_LACK = 0.1;

/** JPEG is decoded at n/8 of its size at the cost of as many of its frequencies; all eight where the tile is larger than the picture. */
export function eighthsFor(size: Size, tile: Size): number {
  const share = Math.max(tile.width / size.width, tile.height / size.height);
  return Math.min(8, Math.max(1, Math.ceil(8 * share * (1 - MAY_LACK))));
}

/** A frame of a video to RGB: ITU-R BT.601, limited range, each chroma sample for its four pixels, in 16-bit fixed point. */
import type { Picture } from '../kernels/picture.ts';
import { PictureError } from './decode.ts';
import type { VideoPicture } from './protocol.ts';

const ONE = 2 ** 16;
const fixed = (factor: number): number => Math.round(factor * ONE);

/** 255/219 for luma; the chroma factors of BT.601 (0.299, 0.587, 0.114) times 255/224. */
const LUMA = fixed(255 / 219);
const RED_OF_V = fixed(1.402 * (255 / 224));
const GREEN_OF_U = fixed(0.344136 * (255 / 224));
const GREEN_OF_V = fixed(0.714136 * (255 / 224));
const BLUE_OF_U = fixed(1.772 * (255 / 224));
const HALF = ONE / 2;

/** The answer is the caller's own. @throws PictureError for a size that the bytes do not fit */
export function unpackYuv420({ bytes, width, height }: VideoPicture): Picture {
  if (width % 2 !== 0 || height % 2 !== 0 || bytes.length !== (width * height * 3) / 2) {
    throw new PictureError('bad_picture', `a frame of ${width} x ${height} in ${bytes.length} bytes`);
  }
  const data = new Uint8ClampedArray(3 * width * height);
  const chromaWidth = width / 2;
  const uStart = width * height;
  const vStart = uStart + uStart / 4;
  for (let row = 0; row < height; row += 2) {
    const chromaRow = (row / 2) * chromaWidth;
    for (let column = 0; column < chromaWidth; column++) {
      const u = bytes[uStart + chromaRow + column]! - 128;
      const v = bytes[vStart + chromaRow + column]! - 128;
      const red = RED_OF_V * v + HALF;
      const green = HALF - GREEN_OF_U * u - GREEN_OF_V * v;
      const blue = BLUE_OF_U * u + HALF;
      const top = row * width + 2 * column;
      put(data, top, LUMA * (bytes[top]! - 16), red, green, blue);
      put(data, top + 1, LUMA * (bytes[top + 1]! - 16), red, green, blue);
      const bottom = top + width;
      put(data, bottom, LUMA * (bytes[bottom]! - 16), red, green, blue);
      put(data, bottom + 1, LUMA * (bytes[bottom + 1]! - 16), red, green, blue);
    }
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

function put(
  data: Uint8ClampedArray,
  pixel: number,
  luma: number,
  red: number,
  green: number,
  blue: number,
): void {
  const target = 3 * pixel;
  data[target] = (luma + red) >> 16;
  data[target + 1] = (luma + green) >> 16;
  data[target + 2] = (luma + blue) >> 16;
}

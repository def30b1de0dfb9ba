/** Pictures that the demo makes of the sample photos: one person cut out, and altered copies of the whole. */
import sharp, { type Sharp } from 'sharp';
import type { Box, Point } from '../workers/protocol.ts';

export interface Photo {
  readonly jpeg: Buffer;
  readonly width: number;
  readonly height: number;
}

export interface AlteredCopy extends Photo {
  /** Where a point of the photo lies in the copy. */
  readonly mapPoint: (point: Point) => Point;
}

export interface Alteration {
  /** As short as a column of the table. */
  readonly name: string;
  readonly description: string;
  apply(photo: Photo): Promise<AlteredCopy>;
}

/** Below the side at which the detector starts to look at a picture in tiles. */
const COPY_WIDTH_PX = 1200;
const SMALL_WIDTH_PX = 800;
const TILT_DEGREES = 9;

export const ALTERATIONS: readonly Alteration[] = [
  scaled('jpeg', 'reduced to 1200 px and compressed hard', COPY_WIDTH_PX, (copy) => copy, 40),
  scaled('small', 'reduced to 800 px', SMALL_WIDTH_PX, (copy) => copy),
  scaled('dark', 'with 55 % of its values', COPY_WIDTH_PX, (copy) => copy.linear(0.55, 0)),
  scaled('grey', 'without colour, with less contrast', COPY_WIDTH_PX, (copy) =>
    copy.grayscale().linear(0.7, 40),
  ),
  { name: 'mirror', description: 'mirrored', apply: mirrored },
  { name: 'tilt', description: `tilted by ${TILT_DEGREES} degrees`, apply: tilted },
];

function scaled(
  name: string,
  description: string,
  widthPx: number,
  change: (copy: Sharp) => Sharp,
  quality = 85,
): Alteration {
  return {
    name,
    description,
    async apply(photo) {
      const copy = await finish(change(sharp(photo.jpeg).resize({ width: widthPx })), quality);
      const factor = copy.width / photo.width;
      return { ...copy, mapPoint: ([x, y]) => [x * factor, y * factor] };
    },
  };
}

async function mirrored(photo: Photo): Promise<AlteredCopy> {
  const copy = await finish(sharp(photo.jpeg).resize({ width: COPY_WIDTH_PX }).flop());
  const factor = copy.width / photo.width;
  return { ...copy, mapPoint: ([x, y]) => [copy.width - x * factor, y * factor] };
}

/** Clockwise about the middle; the copy is as much larger as its corners need. */
async function tilted(photo: Photo): Promise<AlteredCopy> {
  const factor = COPY_WIDTH_PX / 1.15 / photo.width;
  const small = await sharp(photo.jpeg)
    .resize({ width: Math.round(photo.width * factor) })
    .toBuffer();
  const copy = await finish(sharp(small).rotate(TILT_DEGREES, { background: '#404040' }));
  const [cosine, sine] = [Math.cos, Math.sin].map((turn) => turn((TILT_DEGREES * Math.PI) / 180));
  return {
    ...copy,
    mapPoint([x, y]) {
      const right = (x - photo.width / 2) * factor;
      const down = (y - photo.height / 2) * factor;
      return [
        copy.width / 2 + right * cosine! - down * sine!,
        copy.height / 2 + right * sine! + down * cosine!,
      ];
    },
  };
}

async function finish(copy: Sharp, quality = 85): Promise<Photo> {
  const { data, info } = await copy.jpeg({ quality }).toBuffer({ resolveWithObject: true });
  return { jpeg: data, width: info.width, height: info.height };
}

export async function readPhoto(jpeg: Buffer): Promise<Photo> {
  const { width, height } = await sharp(jpeg).metadata();
  return { jpeg, width, height };
}

/** Room around a face, in shares of its size: what the detector needs to see that it is one. */
const ROOM = 0.8;

/** A face with room around it, as far as the neighbours' faces leave it. */
export async function cutOut(photo: Photo, face: Box, others: readonly Box[]): Promise<Buffer> {
  let left = Math.max(0, face.x - ROOM * face.width);
  let top = Math.max(0, face.y - ROOM * face.height);
  let right = Math.min(photo.width, face.x + (1 + ROOM) * face.width);
  let bottom = Math.min(photo.height, face.y + (1 + ROOM) * face.height);
  for (const other of others) {
    const reaches =
      other.x < right && other.x + other.width > left && other.y < bottom && other.y + other.height > top;
    if (!reaches) continue;
    // The side with the widest gap is where least of the room is lost.
    const gaps = {
      left: face.x - (other.x + other.width),
      right: other.x - (face.x + face.width),
      top: face.y - (other.y + other.height),
      bottom: other.y - (face.y + face.height),
    };
    const [side] = Object.entries(gaps).reduce((widest, gap) => (gap[1] > widest[1] ? gap : widest));
    if (side === 'left') left = Math.max(left, other.x + other.width);
    else if (side === 'right') right = Math.min(right, other.x);
    else if (side === 'top') top = Math.max(top, other.y + other.height);
    else bottom = Math.min(bottom, other.y);
  }
  const region = {
    left: Math.round(left),
    top: Math.round(top),
    width: Math.max(1, Math.floor(right) - Math.round(left)),
    height: Math.max(1, Math.floor(bottom) - Math.round(top)),
  };
  return sharp(photo.jpeg).extract(region).jpeg({ quality: 92 }).toBuffer();
}

/** Pictures beside and below each other, each reduced into a field of the same size. */
export async function contactSheet(pictures: readonly Buffer[], columns: number): Promise<Buffer> {
  const [width, height, gap] = [1000, 750, 12];
  const rows = Math.ceil(pictures.length / columns);
  const fields = await Promise.all(
    pictures.map(async (picture, i) => ({
      input: await sharp(picture).resize(width, height, { fit: 'contain', background: '#18181b' }).toBuffer(),
      left: gap + (i % columns) * (width + gap),
      top: gap + Math.floor(i / columns) * (height + gap),
    })),
  );
  const sheet = {
    width: gap + columns * (width + gap),
    height: gap + rows * (height + gap),
    channels: 3 as const,
    background: '#18181b',
  };
  return sharp({ create: sheet }).composite(fields).jpeg({ quality: 88 }).toBuffer();
}

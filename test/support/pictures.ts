/** Pictures for tests, cut from the sample photographs of the npm package or made up. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { samplePhoto } from './server.ts';

/** Where the three people of the first sample photograph are, with room around their faces. */
const PEOPLE_OF_FIRST_SAMPLE = [
  { left: 352, top: 274, width: 300, height: 400 },
  { left: 777, top: 340, width: 310, height: 380 },
] as const;

/** A JPEG with one person of the first sample photograph. */
export async function portrait(person: 0 | 1, { widthPx = 300, brightness = 1 } = {}): Promise<Buffer> {
  return sharp(samplePhoto(1))
    .extract(PEOPLE_OF_FIRST_SAMPLE[person])
    .resize({ width: widthPx })
    .modulate({ brightness })
    .jpeg({ quality: 92 })
    .toBuffer();
}

/** A person as a board's raw frame: RGB565, high byte first, 320x240. */
export async function rgb565Frame(person: 0 | 1, byteOrder: 'BE' | 'LE' = 'BE'): Promise<Buffer> {
  return rgb565(sharp(await portrait(person)).resize({ width: 320, height: 240, fit: 'contain' }), byteOrder);
}

/** Somebody in daylight as a board sees her: the frame is full of the scene. RGB565, high byte first, 320x240. */
export function boardFrame(): Promise<Buffer> {
  const view = { left: 490, top: 210, width: 640, height: 480 };
  return rgb565(sharp(samplePhoto(6)).extract(view).resize(320, 240), 'BE');
}

/** A JPEG of the same person alone. */
export function daylightPortrait(): Promise<Buffer> {
  const view = { left: 560, top: 200, width: 400, height: 520 };
  return sharp(samplePhoto(6)).extract(view).jpeg({ quality: 92 }).toBuffer();
}

async function rgb565(picture: Sharp, byteOrder: 'BE' | 'LE'): Promise<Buffer> {
  const rgb = await picture.removeAlpha().raw().toBuffer();
  const frame = Buffer.alloc(320 * 240 * 2);
  for (let i = 0; i < 320 * 240; i++) {
    const code = ((rgb[3 * i]! >> 3) << 11) | ((rgb[3 * i + 1]! >> 2) << 5) | (rgb[3 * i + 2]! >> 3);
    if (byteOrder === 'BE') frame.writeUInt16BE(code, 2 * i);
    else frame.writeUInt16LE(code, 2 * i);
  }
  return frame;
}

/** A valid PNG of a few kilobytes that claims, and would unpack to, this many black pixels. */
export function pngBomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rowBytes = 1 + Math.ceil(width / 8);
  const data = deflateSync(Buffer.alloc(rowBytes * height), { level: 9 });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

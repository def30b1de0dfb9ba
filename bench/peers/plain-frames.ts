/**
 * What the older backend does with a raw frame, and nothing more: unpacks the pixels in plain JavaScript on its one thread, has sharp
 * write a JPEG, answers. No detection, no recognition.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';

export interface PlainFrames {
  readonly port: number;
  close(): Promise<void>;
}

const JPEG_QUALITY = 90;

export async function startPlainFrames(folder: string): Promise<PlainFrames> {
  let serial = 0;
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
    const [width, height] = [Number(req.headers['x-frame-width']), Number(req.headers['x-frame-height'])];
    const rgb = unpackRgb565(Buffer.concat(chunks), width * height);
    const name = `plain_${serial++ % 1000}.jpg`;
    await sharp(rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: JPEG_QUALITY })
      .toFile(join(folder, name));
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ success: true, filename: name }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** High byte first, to RGB888. */
export function unpackRgb565(frame: Uint8Array, pixels: number): Uint8Array {
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const code = (frame[2 * i]! << 8) | frame[2 * i + 1]!;
    rgb[3 * i] = Math.round(((code >> 11) * 255) / 31);
    rgb[3 * i + 1] = Math.round((((code >> 5) & 63) * 255) / 63);
    rgb[3 * i + 2] = Math.round(((code & 31) * 255) / 31);
  }
  return rgb;
}

/** What each board showed last, and the frame as it came beside what was made of it. */
import type { LastFrame, LastFrames } from '../../devices/last-frames.ts';
import { notFound, ServerError } from '../../errors.ts';
import type { Recognizer } from '../../recognition/recognizer.ts';
import {
  LastFrameQuery,
  listLastFramesDescription,
  originalFrameDescription,
  showLastFrameDescription,
} from '../descriptions/last-frames.ts';
import { readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';

export interface LastFrameDependencies {
  readonly lastFrames: LastFrames;
  readonly recognizer: Pick<Recognizer, 'unpack'>;
}

/** Near to what the sensor sent: the difference to the enhanced picture must not be the encoder's. */
const ORIGINAL_JPEG_QUALITY = 95;

export function lastFrameRoutes({ lastFrames, recognizer }: LastFrameDependencies): Route[] {
  function list(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { success: true, data: lastFrames.list().map(summary) };
  }

  function show(ctx: Context): void {
    const frame = find(ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      success: true,
      data: {
        ...summary(frame),
        enhancement: frame.enhancement,
        sensor: frame.sensor,
        warnings: frame.warnings,
        original: describeOriginal(frame),
      },
    };
  }

  async function original(ctx: Context): Promise<void> {
    const frame = find(ctx);
    if (frame.original === null) throw originalGone();
    const jpeg =
      frame.original.kind === 'encoded'
        ? frame.original.bytes
        : (await recognizer.unpack({ input: frame.original, jpegQuality: ORIGINAL_JPEG_QUALITY })).jpeg;
    ctx.set('Cache-Control', 'private, max-age=60');
    ctx.type = 'image/jpeg';
    ctx.body = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  }

  function find(ctx: Context): LastFrame {
    const { name } = readQuery(ctx, LastFrameQuery);
    const frame = lastFrames.get(String(ctx.params.deviceId), name);
    if (frame === null)
      throw notFound(name === undefined ? 'a frame of this device' : 'this frame, or it is not the last,');
    return frame;
  }

  const base = '/api/v1/devices/:deviceId/last-frame';
  return [
    {
      method: 'GET',
      path: '/api/v1/last-frames',
      access: 'read',
      frequent: true,
      description: listLastFramesDescription,
      handle: list,
    },
    {
      method: 'GET',
      path: base,
      access: 'read',
      frequent: true,
      description: showLastFrameDescription,
      handle: show,
    },
    {
      method: 'GET',
      path: `${base}/original.jpg`,
      access: 'read',
      frequent: true,
      description: originalFrameDescription,
      handle: original,
    },
  ];
}

function summary({ deviceId, name, atMs, width, height, faces }: LastFrame) {
  return { deviceId, name, at: atMs, url: `/data/${name}`, width, height, faces };
}

function describeOriginal({ deviceId, name, original }: LastFrame) {
  if (original === null) return null;
  const url = `/api/v1/devices/${encodeURIComponent(deviceId)}/last-frame/original.jpg?name=${encodeURIComponent(name)}`;
  if (original.kind === 'encoded') return { url, format: 'JPEG', bytes: original.bytes.byteLength };
  const { format, byteOrder, bytes } = original;
  return { url, format, byteOrder, bytes: bytes.byteLength };
}

const originalGone = () =>
  new ServerError(
    404,
    'ORIGINAL_GONE',
    'the frame as it came is not in memory any more: newer ones of other boards needed the room',
  );

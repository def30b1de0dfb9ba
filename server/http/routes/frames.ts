/** Frames of boards: taken in, looked at, stored, listed and served. */
import type { EncodedPicture, RawFrame } from '../../../workers/protocol.ts';
import type { FrameEnhancer } from '../../devices/frame-enhancement.ts';
import type { RawFrameFile } from '../../devices/frame-files.ts';
import type { FrameStore } from '../../devices/frames.ts';
import type { LastFrame } from '../../devices/last-frames.ts';
import { invalidField, notFound, ServerError, unsupportedMediaType } from '../../errors.ts';
import type { Config } from '../../settings.ts';
import type { BodyReader } from '../body.ts';
import {
  FRAME_FILE_FIELDS,
  FrameListQuery,
  FramePath,
  FrameQuery,
  listFramesDescription,
  serveFrameDescription,
  streamDescription,
} from '../descriptions/frames.ts';
import type { PictureOutcome } from '../face-view.ts';
import {
  checkFrameLength,
  type FrameDescription,
  frameBytes,
  readFrameDescription,
  readSensorSettings,
  type SensorSettings,
} from '../frame-headers.ts';
import { type LookDependencies, lookAt } from '../look-at.ts';
import { readPath, readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { sendFile } from '../send-file.ts';
import { isMultipart, isPicture, readPicture } from '../upload.ts';
import { secondsSince } from './recognition.ts';

export interface FrameDependencies extends LookDependencies {
  readonly config: Pick<Config, 'KEEP_RAW_FRAMES' | 'MAX_PICTURE_PIXELS'>;
  readonly frames: FrameStore;
  readonly enhancer: FrameEnhancer;
  readonly bodies: BodyReader;
  readonly events: FrameEvents;
}

/** Told of what became of each frame. */
export interface FrameEvents {
  readonly stored: (
    board: { readonly deviceId: string | null; readonly ipAddress: string },
    frame: {
      readonly deviceId: string;
      readonly filename: string;
      readonly url: string;
      readonly recognition: {
        readonly status: PictureOutcome['recognitionStatus'];
        readonly recognizedAs: string | null;
        readonly confidence: number;
        readonly error: null;
      };
    },
    seen: Omit<LastFrame, 'deviceId' | 'name' | 'atMs'> & { readonly createdAt: Date },
  ) => void;
  /** A frame of a board that says its id in a header was refused, or failed here. */
  readonly refused: (deviceId: string, why: string) => void;
}

interface ReceivedFrame {
  readonly input: EncodedPicture | RawFrame;
  readonly deviceId: string | null;
  /** Size that the headers state for a JPEG, which may state another itself. */
  readonly stated: FrameDescription | null;
}

const UNKNOWN_DEVICE = 'unknown_device';
const MAX_DEVICE_ID_CHARACTERS = 128;
const STORED_JPEG_QUALITY = 90;
const JPEG_TYPE = { 'Content-Type': 'image/jpeg' };

export function frameRoutes(dependencies: FrameDependencies): Route[] {
  const { config, frames, bodies, metrics, events, enhancer } = dependencies;

  async function receive(ctx: Context, settings: SensorSettings): Promise<ReceivedFrame> {
    const contentType = ctx.get('Content-Type');
    if (/^application\/octet-stream\b/i.test(contentType)) return receiveRaw(ctx, settings);
    if (!isMultipart(contentType) && !isPicture(contentType)) {
      throw unsupportedMediaType(
        'application/octet-stream with a raw frame, multipart/form-data with a file in the field `image`, or image/jpeg or image/png',
        contentType,
      );
    }
    const { bytes, fields } = await readPicture(ctx, bodies, FRAME_FILE_FIELDS);
    const deviceId = checkDeviceId(ctx.get('X-Device-Id') || fields.get('deviceId'));
    return { input: { kind: 'encoded', bytes }, deviceId, stated: null };
  }

  async function receiveRaw(ctx: Context, settings: SensorSettings): Promise<ReceivedFrame> {
    const deviceId = checkDeviceId(ctx.get('X-Device-Id'));
    const frame = readFrameDescription((name) => ctx.get(name), config.MAX_PICTURE_PIXELS);
    // Refused by its Content-Length where it has one, before a byte is taken in.
    if (ctx.request.length !== undefined) checkFrameLength(frame, ctx.request.length);
    const bytes = await bodies.read(ctx, frameBytes(frame) ?? undefined).catch((error: unknown) => {
      if (error instanceof ServerError && error.status === 413 && frameBytes(frame) !== null)
        throw invalidField('body', `${frameBytes(frame)} bytes`, 'more than that');
      throw error;
    });
    checkFrameLength(frame, bytes.length);
    if (frame.format === 'JPEG') return { input: { kind: 'encoded', bytes }, deviceId, stated: frame };
    const byteOrder = settings.byteOrder ?? 'BE';
    const { width, height, format } = frame;
    const enhancement = enhancer.prepare(deviceId, frame, settings);
    const input = { kind: 'raw', bytes, width, height, format, byteOrder, enhancement } as const;
    return { input, deviceId, stated: null };
  }

  async function stream(ctx: Context): Promise<void> {
    try {
      await takeFrame(ctx);
    } catch (error) {
      metrics.frames.inc({ outcome: outcomeOf(error) });
      const deviceId = ctx.get('X-Device-Id').trim();
      // Too many at a time are no fault of the board.
      if (deviceId !== '' && (error as ServerError).status !== 429)
        events.refused(
          deviceId,
          error instanceof ServerError ? error.message : 'the frame could not be processed',
        );
      throw error;
    }
  }

  async function takeFrame(ctx: Context): Promise<void> {
    const { settings, ignored } = readSensorSettings((name) => ctx.get(name));
    for (const { header } of ignored) metrics.frameHeadersIgnored.inc({ header });
    const { input, deviceId, stated } = await receive(ctx, settings);
    const startedMs = performance.now();
    // Boards without an id are told apart by their address: one must not overtake the frames of another.
    const source = deviceId === null ? `${UNKNOWN_DEVICE}@${ctx.ip}` : `device ${deviceId}`;
    const { result, outcome } = await lookAt(dependencies, input, {
      jpegQuality: STORED_JPEG_QUALITY,
      onlyNames: true,
      source,
    });
    if (result.jpeg === null) throw new Error('the thread gave no picture back');
    const raw = config.KEEP_RAW_FRAMES ? rawFile(input) : null;
    const storedSeconds = metrics.stageSeconds.startTimer({ stage: 'store' });
    const stored = await frames.store(deviceId ?? UNKNOWN_DEVICE, result.jpeg, raw);
    storedSeconds();
    metrics.frames.inc({ outcome: 'stored' });
    const warnings = ignored.map(({ warning }) => warning);
    if (stated && (stated.width !== result.width || stated.height !== result.height))
      warnings.push(
        `X-Frame-Width and X-Frame-Height say ${stated.width} x ${stated.height}, the JPEG is ${result.width} x ${result.height}`,
      );
    const { recognitionStatus, recognizedAs, confidence } = outcome;
    events.stored(
      { deviceId, ipAddress: ctx.ip },
      {
        deviceId: deviceId ?? UNKNOWN_DEVICE,
        filename: stored.name,
        url: `/data/${stored.name}`,
        recognition: { status: recognitionStatus, recognizedAs, confidence, error: null },
      },
      {
        createdAt: stored.createdAt,
        width: result.width,
        height: result.height,
        faces: outcome.faces,
        enhancement: result.enhancement,
        sensor: settings,
        warnings,
        original: input,
      },
    );
    ctx.body = {
      success: true,
      message: 'Frame received and processed',
      filename: stored.name,
      url: `/data/${stored.name}`,
      deviceId: deviceId ?? UNKNOWN_DEVICE,
      recognitionStatus: outcome.recognitionStatus,
      status: outcome.status,
      recognizedAs: outcome.recognizedAs,
      confidence: outcome.confidence,
      faces_detected: outcome.faces.length,
      processing_time: secondsSince(startedMs),
      faces: outcome.faces,
      enhancement: { fromHeaders: settings, ...result.enhancement },
      warnings,
    };
  }

  function list(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    const { limit, deviceId } = readQuery(ctx, FrameListQuery);
    const data = frames.list(limit, deviceId).map(({ name, createdAt, sizeBytes }) => ({
      id: name.slice(0, -'.jpg'.length),
      name,
      url: `/data/${name}`,
      createdAt: createdAt.toISOString(),
      size: sizeBytes,
      type: 'image',
    }));
    ctx.body = { success: true, data };
  }

  async function serve(ctx: Context): Promise<void> {
    const { name } = readPath(ctx, FramePath);
    const { raw: wantsRaw } = readQuery(ctx, FrameQuery);
    if (wantsRaw && !config.KEEP_RAW_FRAMES)
      throw new ServerError(
        404,
        'RAW_NOT_KEPT',
        'untouched frames are not kept here: KEEP_RAW_FRAMES is off',
      );
    const file = wantsRaw ? await frames.openRaw(name) : await frames.open(name);
    if (file === null) throw notFound(wantsRaw ? `the untouched frame ${name}` : `the frame ${name}`);
    const { 'Content-Type': type = 'application/octet-stream', ...headers } = file.headers;
    ctx.set(headers);
    await sendFile(ctx, { ...file, type });
  }

  const readable = { method: 'GET', access: 'read', frequent: true } as const;
  return [
    {
      method: 'POST',
      path: '/api/v1/stream/stream',
      access: 'board',
      frequent: true,
      description: streamDescription,
      handle: stream,
    },
    { ...readable, path: '/api/v1/stream/frames', description: listFramesDescription, handle: list },
    { ...readable, path: '/data/:name', description: serveFrameDescription, handle: serve },
  ];
}

function outcomeOf(error: unknown): 'superseded' | 'refused' | 'failed' {
  if (!(error instanceof ServerError) || error.status >= 500) return 'failed';
  return error.code === 'SUPERSEDED' ? 'superseded' : 'refused';
}

/** Null where the board sent none. */
function checkDeviceId(text: string | undefined): string | null {
  const deviceId = text?.trim() ?? '';
  if (deviceId === '') return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (deviceId.length > MAX_DEVICE_ID_CHARACTERS || /[\x00-\x1f\x7f]/.test(deviceId))
    throw invalidField('deviceId', `at most ${MAX_DEVICE_ID_CHARACTERS} printable characters`, deviceId);
  return deviceId;
}

/** The frame as it came, with the headers that it can be sent again with. */
function rawFile(input: EncodedPicture | RawFrame): RawFrameFile {
  if (input.kind === 'encoded')
    return { bytes: input.bytes, headers: { 'Content-Type': encodedType(input.bytes) } };
  return {
    bytes: input.bytes,
    headers: {
      'Content-Type': 'application/octet-stream',
      'X-Frame-Width': String(input.width),
      'X-Frame-Height': String(input.height),
      'X-Frame-Format': input.format,
      'X-Frame-Byte-Order': input.byteOrder,
    },
  };
}

/** By the first bytes, not by what the client called it: a browser must never be told that a picture is a page. */
function encodedType(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(12, bytes.byteLength)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return JPEG_TYPE['Content-Type'];
  if (head.startsWith('\x89PNG')) return 'image/png';
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp';
  return head.slice(4, 8) === 'ftyp' ? 'image/avif' : 'application/octet-stream';
}

/** Cameras of the attendance API: tested, and shown as one picture. */
import type { LookUpCamera } from '../../attendance/camera-lookup.ts';
import type { PreviewFiles } from '../../attendance/preview-files.ts';
import { contractTime } from '../../attendance/recognition.ts';
import { badRequest, invalidField, notFound, ServerError } from '../../errors.ts';
import type { Context, Route } from '../route.ts';
import { sendFile } from '../send-file.ts';

export interface ProbedCamera {
  readonly frameRate: number | null;
  readonly width: number;
  readonly height: number;
  readonly latencyMs: number;
  readonly stability: 'stable' | 'unstable' | 'unknown';
}

export interface CapturedPicture {
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly capturedAt: Date;
}

export interface CameraDependencies {
  /** @throws {ServerError} for a URL that is none of a camera; any other Error for a camera that gives nothing: its message is shown */
  readonly probe: (rtspUrl: string, signal: AbortSignal) => Promise<ProbedCamera>;
  /** Errors as `probe`. */
  readonly capture: (rtspUrl: string, signal: AbortSignal) => Promise<CapturedPicture>;
  readonly lookUp: LookUpCamera;
  readonly previews: PreviewFiles;
}

const SHORT_MAX = 2 ** 15 - 1;

export function cameraRoutes({ probe, capture, lookUp, previews }: CameraDependencies): Route[] {
  async function testConnection(ctx: Context): Promise<void> {
    const rtspUrl = queryText(ctx, 'rtspUrl');
    if (rtspUrl === null) throw badRequest('RTSP_URL_REQUIRED', 'RTSP URL is required');
    ctx.set('Cache-Control', 'no-store');
    try {
      const { frameRate, width, height, latencyMs, stability } = await probe(rtspUrl, signalOf(ctx));
      ctx.body = {
        status: 200,
        message: 'Camera connection successful',
        data: {
          rtspUrl,
          connected: true,
          frameRate,
          resolution: { width, height },
          latency: latencyMs,
          stability,
          testedAt: contractTime(new Date()),
        },
      };
    } catch (error) {
      if (error instanceof ServerError) throw error;
      ctx.body = {
        status: 200,
        message: 'Camera connection failed',
        data: {
          rtspUrl,
          connected: false,
          error: (error as Error).message,
          testedAt: contractTime(new Date()),
        },
      };
    }
  }

  async function captureFrame(ctx: Context): Promise<void> {
    const cameraId = readCameraId(ctx);
    const given = queryText(ctx, 'rtspUrl');
    if (cameraId === null && given === null)
      throw badRequest('CAMERA_ID_OR_RTSP_URL_REQUIRED', 'Either cameraId or rtspUrl is required');
    const format = queryText(ctx, 'format') ?? 'base64';
    if (format !== 'base64' && format !== 'file') throw invalidField('format', 'base64 or file', format);
    // The address that is sent needs no look-up.
    const rtspUrl = given ?? (await lookUp(cameraId!));
    const picture = await capture(rtspUrl, signalOf(ctx)).catch((error: Error) => {
      if (error instanceof ServerError) throw error;
      throw new ServerError(500, 'FRAME_CAPTURE_FAILED', `Failed to capture frame: ${error.message}`);
    });
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      status: 200,
      message: 'Frame captured successfully',
      data: {
        ...(cameraId === null ? {} : { cameraId }),
        rtspUrl,
        format,
        ...(format === 'base64' ? { image: dataUrl(picture.jpeg) } : await storedAs(picture)),
        resolution: { width: picture.width, height: picture.height },
        capturedAt: contractTime(picture.capturedAt),
      },
    };
  }

  async function storedAs({ jpeg, capturedAt }: CapturedPicture) {
    const { name, path } = await previews.add(jpeg, capturedAt);
    return { filePath: path, fileUrl: `/api/v1/files/${name}` };
  }

  async function serve(ctx: Context): Promise<void> {
    const file = await previews.open(ctx.params.name!);
    if (file === null) throw notFound('the file');
    await sendFile(ctx, { ...file, type: 'image/jpeg' });
  }

  const common = { method: 'GET', envelope: 'attendance' } as const;
  return [
    { ...common, path: '/api/v1/cameras/test-connection', access: 'always', handle: testConnection },
    { ...common, path: '/api/v1/cameras/capture-frame', access: 'always', handle: captureFrame },
    // An <img> of the backend's page sends no header: a read token opens it too.
    { ...common, path: '/api/v1/files/:name', access: 'always', handle: serve },
  ];
}

const dataUrl = (jpeg: Uint8Array): string =>
  `data:image/jpeg;base64,${Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength).toString('base64')}`;

/** Null where it is missing or empty; of several, the last. */
function queryText(ctx: Context, name: string): string | null {
  const value = ctx.query[name];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last === undefined || last === '' ? null : last;
}

function readCameraId(ctx: Context): number | null {
  const text = queryText(ctx, 'cameraId');
  if (text === null) return null;
  const cameraId = /^-?\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(cameraId >= -SHORT_MAX - 1 && cameraId <= SHORT_MAX))
    throw invalidField('cameraId', `a whole number from ${-SHORT_MAX - 1} to ${SHORT_MAX}`, text);
  return cameraId;
}

/** Fires when the client leaves before its answer. */
function signalOf(ctx: Context): AbortSignal {
  const leaving = new AbortController();
  ctx.res.once('close', () => leaving.abort());
  return leaving.signal;
}

/** Cameras of the attendance API: tested, and shown as one picture. */
import type { LookUpCamera } from '../../attendance/camera-lookup.ts';
import type { PreviewFiles } from '../../attendance/preview-files.ts';
import { contractTime } from '../../attendance/recognition.ts';
import { badRequest, notFound, ServerError } from '../../errors.ts';
import {
  CaptureFrameQuery,
  captureFrameDescription,
  PreviewPath,
  previewFileDescription,
  TestConnectionQuery,
  testConnectionDescription,
} from '../descriptions/cameras.ts';
import { readPath, readQuery } from '../read-query.ts';
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
  /** How an address that was looked up is told: one that is saved here keeps its password. */
  readonly shown: (rtspUrl: string) => string;
  readonly previews: PreviewFiles;
}

export function cameraRoutes({ probe, capture, lookUp, shown, previews }: CameraDependencies): Route[] {
  async function testConnection(ctx: Context): Promise<void> {
    const { cameraId, rtspUrl: given } = readQuery(ctx, TestConnectionQuery, { emptyIsMissing: true });
    if (given === undefined && cameraId === undefined)
      throw badRequest('RTSP_URL_REQUIRED', 'RTSP URL is required');
    const address = given ?? (await lookUp(cameraId!));
    const rtspUrl = given ?? shown(address);
    ctx.set('Cache-Control', 'no-store');
    try {
      const { frameRate, width, height, latencyMs, stability } = await probe(address, signalOf(ctx));
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
    const { cameraId, rtspUrl: given, format } = readQuery(ctx, CaptureFrameQuery, { emptyIsMissing: true });
    if (cameraId === undefined && given === undefined)
      throw badRequest('CAMERA_ID_OR_RTSP_URL_REQUIRED', 'Either cameraId or rtspUrl is required');
    // The address that is sent needs no look-up.
    const address = given ?? (await lookUp(cameraId!));
    const rtspUrl = given ?? shown(address);
    const picture = await capture(address, signalOf(ctx)).catch((error: Error) => {
      if (error instanceof ServerError) throw error;
      throw new ServerError(500, 'FRAME_CAPTURE_FAILED', `Failed to capture frame: ${error.message}`);
    });
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      status: 200,
      message: 'Frame captured successfully',
      data: {
        ...(cameraId === undefined ? {} : { cameraId }),
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
    const file = await previews.open(readPath(ctx, PreviewPath).name);
    if (file === null) throw notFound('the file');
    await sendFile(ctx, { ...file, type: 'image/jpeg' });
  }

  const common = { method: 'GET', envelope: 'attendance' } as const;
  return [
    {
      ...common,
      path: '/api/v1/cameras/test-connection',
      access: 'always',
      description: testConnectionDescription,
      handle: testConnection,
    },
    {
      ...common,
      path: '/api/v1/cameras/capture-frame',
      access: 'always',
      description: captureFrameDescription,
      handle: captureFrame,
    },
    {
      ...common,
      path: '/api/v1/files/:name',
      access: 'always',
      description: previewFileDescription,
      handle: serve,
    },
  ];
}

const dataUrl = (jpeg: Uint8Array): string =>
  `data:image/jpeg;base64,${Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength).toString('base64')}`;

/** Fires when the client leaves before its answer. */
function signalOf(ctx: Context): AbortSignal {
  const leaving = new AbortController();
  ctx.res.once('close', () => leaving.abort());
  return leaving.signal;
}

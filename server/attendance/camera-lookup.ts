/** Asks the Java backend for the address of a camera. */
import { ServerError } from '../errors.ts';
import type { ContactOutcome } from './backend-contact.ts';

export interface CameraLookupOptions {
  /** Null where none is set. */
  readonly backendUrl: string | null;
  /** Holds `{cameraId}`. */
  readonly path: string;
  readonly apiKey: string;
  /** Told of each call. */
  readonly onCall?: (url: string, outcome: ContactOutcome) => void;
}

/** @throws {ServerError} 404 CAMERA_NOT_FOUND, 500 FRAME_CAPTURE_FAILED where the backend gives no answer that can be used */
export type LookUpCamera = (cameraId: number) => Promise<string>;

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

export const captureFailed = (why: string) =>
  new ServerError(500, 'FRAME_CAPTURE_FAILED', `Failed to capture frame: ${why}`);

const cameraNotFound = (cameraId: number) =>
  new ServerError(404, 'CAMERA_NOT_FOUND', `Camera not found: ${cameraId}`);

export function createCameraLookup(options: CameraLookupOptions): LookUpCamera {
  const { backendUrl, path, apiKey, onCall } = options;
  return async (cameraId) => {
    if (backendUrl === null) throw cameraNotFound(cameraId);
    const url = backendUrl.replace(/\/+$/, '') + path.replaceAll('{cameraId}', String(cameraId));
    let outcome: ContactOutcome = 'failed';
    try {
      const response = await fetch(url, {
        headers: { 'X-API-Key': apiKey, Accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) await response.body?.cancel();
      if (response.status === 404) {
        outcome = 'delivered';
        throw cameraNotFound(cameraId);
      }
      if (!response.ok) {
        if (response.status < 500) outcome = 'refused';
        throw captureFailed(`the backend answered the look-up of the camera with status ${response.status}`);
      }
      const rtspUrl = rtspUrlIn(JSON.parse(await boundedText(response)));
      outcome = rtspUrl === null ? 'refused' : 'delivered';
      if (rtspUrl === null) throw captureFailed('the backend told no address of the camera');
      return rtspUrl;
    } catch (error) {
      if (error instanceof ServerError) throw error;
      throw captureFailed('the backend could not be asked for the camera');
    } finally {
      onCall?.(url, outcome);
    }
  };
}

/** Bare, or in the envelope that the contract's own answers have. */
function rtspUrlIn(answer: unknown): string | null {
  const { rtspUrl, data } = (answer ?? {}) as { rtspUrl?: unknown; data?: { rtspUrl?: unknown } | null };
  const found = rtspUrl ?? data?.rtspUrl;
  return typeof found === 'string' && found !== '' ? found : null;
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The camera of the device that shows the page: whether there is one, and why not. */

/** A sentence for the operator: what is the matter, and what to do. */
export class CameraError extends Error {
  override readonly name = 'CameraError';
}

const NOT_SECURE =
  'Browsers lend the camera only to pages that came over https, or from this very device. Set TLS_CERT and TLS_KEY on the server, or put a proxy with TLS in front of it, and open this page by https.';
const NO_CAMERA_API =
  'This browser cannot lend a camera to a page. Use a current Firefox, Chrome, Edge or Safari.';

/** Null where the camera can be asked for. */
export function whyNoCamera(): string | null {
  if (!isSecureContext) return NOT_SECURE;
  return navigator.mediaDevices?.getUserMedia === undefined ? NO_CAMERA_API : null;
}

/**
 * Asks for the camera that faces the operator. Whoever opens it stops its tracks.
 * @throws {CameraError}
 */
export async function openCamera(): Promise<MediaStream> {
  const trouble = whyNoCamera();
  if (trouble !== null) throw new CameraError(trouble);
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    throw new CameraError(wordsOf(error as DOMException));
  }
}

function wordsOf({ name, message }: DOMException): string {
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'The browser was not allowed to use the camera. Allow it for this page, by the camera or lock sign beside the address, and try again.';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'This device has no camera, or none is plugged in.';
    case 'NotReadableError':
    case 'AbortError':
      return 'Another program is using the camera. Close it and try again.';
    default:
      return `The camera cannot be used: ${message || name}.`;
  }
}

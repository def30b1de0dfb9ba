import type { SeenFace } from '../../../live/messages.ts';

/** A camera as `GET /api/v1/cameras` tells it, and what to do about its troubles. */
export interface CameraView {
  readonly cameraId: string;
  readonly name: string;
  readonly url: string;
  readonly saved: boolean;
  readonly recognise: boolean;
  readonly slots: readonly { readonly slotId: number; readonly cameraId: number }[];
  readonly state: string;
  readonly trouble: string | null;
  readonly frameRate: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly codec: string | null;
  readonly lastFrameAt: string | null;
  readonly faces: readonly SeenFace[] | null;
  readonly restarts: number;
  readonly preview: { readonly kind: 'webrtc' | 'mjpeg' | 'none'; readonly why: string | null };
}

/** What an operator can do about it. */
export function adviceFor(trouble: string): string {
  if (/401|refused the user name/i.test(trouble))
    return 'Check the user name and the password, in the camera’s own web page first.';
  if (/404|no stream of this name/i.test(trouble))
    return 'The part of the address behind the host is wrong: look for “RTSP path” in the camera’s manual.';
  if (/refused/i.test(trouble))
    return 'Something answers there, but not on this port: RTSP is usually on 554, and may have to be switched on in the camera.';
  if (/timeout|timed out|no route|not known/i.test(trouble))
    return 'Check that the camera is on, and that this server’s network reaches it (ping it from there).';
  if (/no video|kind that is not taken|461/i.test(trouble))
    return 'Choose another stream of the camera, with H.264 or H.265 over TCP.';
  if (/damaged|frozen|No frame/i.test(trouble))
    return 'The network loses data: try a cable, or a smaller stream of the camera.';
  return 'It is tried again by itself.';
}

export const codecName = (codec: string | null): string =>
  ({
    h264: 'H.264',
    hevc: 'H.265 (HEVC)',
    mjpeg: 'MJPEG',
    mpeg4: 'MPEG-4',
    av1: 'AV1',
    vp8: 'VP8',
    vp9: 'VP9',
  })[codec ?? ''] ??
  codec ??
  'not known yet';

/** What it sends. */
export const sendsWords = ({ codec, width, height }: CameraView): string =>
  `${codecName(codec)}${width === null ? '' : `, ${width} × ${height}`}`;

export const pictureUrl = (cameraId: string, atMs: number): string =>
  `/api/v1/cameras/${encodeURIComponent(cameraId)}/picture?at=${atMs}`;

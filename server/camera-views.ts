/** What there is to see of each open camera live: its WebRTC preview where there is a media server, and its MJPEG. */
import type { HubOptions, SharedCamera } from './cameras/camera-hub.ts';
import { createMjpegSource, type MjpegSource } from './cameras/mjpeg.ts';
import { h264PreviewArgs } from './cameras/preview-args.ts';
import { startTranscoder } from './cameras/transcoder.ts';
import type { MediaServer } from './live/media-server.ts';
import { Preview } from './live/preview.ts';

export interface CameraView {
  readonly preview: Preview | null;
  readonly mjpeg: MjpegSource;
}

export interface CameraViews {
  of(camera: SharedCamera): CameraView;
  /** For the hub. */
  readonly openCopies: NonNullable<HubOptions['openCopies']>;
  readonly onClosed: (camera: SharedCamera) => void;
  close(): Promise<void>;
}

export type ViewParts = Pick<HubOptions, 'program' | 'log'> & { readonly media: MediaServer | null };

export function createCameraViews({ program, log, media }: ViewParts): CameraViews {
  const views = new Map<SharedCamera, CameraView>();
  const closing = new Set<Promise<void>>();

  function of(camera: SharedCamera): CameraView {
    const before = views.get(camera);
    if (before) return before;
    const preview =
      media === null
        ? null
        : new Preview({
            place: media.place(),
            isPlayable() {
              const { codec, isCopied } = camera.report;
              return codec === null ? null : codec === 'h264' && isCopied;
            },
            transcode: (target) =>
              startTranscoder({
                program,
                camera,
                args: (input) => h264PreviewArgs(program, input, target),
                log,
              }),
            log,
          });
    const made = { preview, mjpeg: createMjpegSource({ program, camera, log }) };
    views.set(camera, made);
    return made;
  }

  function close(camera: SharedCamera): void {
    const view = views.get(camera);
    if (!view) return;
    views.delete(camera);
    const closed = Promise.all([view.preview?.close(), view.mjpeg.close()]).then(() => {
      closing.delete(closed);
    });
    closing.add(closed);
  }

  return {
    of,
    openCopies: async (camera) => ({ rtp: (await of(camera).preview?.renew()) ?? null, pipe: true }),
    onClosed: close,
    async close() {
      for (const camera of [...views.keys()]) close(camera);
      await Promise.all(closing);
    },
  };
}

/** An ffmpeg that makes another stream of a camera's while somebody watches: fed with the copy of the stream, so that the camera is pulled once. */
import type { Log } from '../log.ts';
import type { SharedCamera } from './camera-hub.ts';
import { startFfmpeg } from './ffmpeg.ts';
import type { FfmpegProgram } from './ffmpeg-program.ts';
import type { PreviewInput } from './preview-args.ts';

export interface Transcoder {
  /** Never rejects. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface TranscoderOptions {
  readonly program: FfmpegProgram;
  readonly camera: SharedCamera;
  readonly args: (input: PreviewInput) => string[];
  readonly onBytes?: (chunk: Buffer) => void;
  readonly log: Log;
}

/** A camera that sends what cannot be copied is pulled a second time. */
export function startTranscoder({ program, camera, args, onBytes, log }: TranscoderOptions): Transcoder {
  const { address, report, copied } = camera;
  const isFed = report.isCopied;
  const ffmpeg = startFfmpeg({
    path: program.path,
    args: args(isFed ? { kind: 'copy' } : { kind: 'camera', address }),
    secrets: address,
    takesInput: isFed,
    onBytes,
  });
  // One that falls behind is ended: it would show the past, and never catch up.
  const leave = isFed
    ? copied.listen((chunk) => {
        if (!ffmpeg.write(chunk)) void ffmpeg.stop();
      })
    : () => {};
  const ended = ffmpeg.exit.then(({ stopped, complaints }) => {
    leave();
    if (!stopped)
      log.warn({ camera: address.redactedUrl, reason: complaints.at(-1) ?? null }, 'a transcoder ended');
  });
  return {
    ended,
    async stop() {
      leave();
      await ffmpeg.stop();
      await ended;
    },
  };
}

/** The frames of a video file, as they are decoded, no faster than they are taken. */
import { CameraError } from './camera-error.ts';
import { startFfmpeg } from './ffmpeg.ts';
import { type VideoFramesOptions, videoFramesArgs } from './ffmpeg-args.ts';
import type { FfmpegProgram } from './ffmpeg-program.ts';
import type { VideoFrame } from './y4m.ts';

export interface ReadVideoOptions extends VideoFramesOptions {
  /** Ends ffmpeg when it fires. */
  readonly signal?: AbortSignal;
  /** For all of it. */
  readonly limitMs: number;
}

/** The file is no video, or its video cannot be read; the message holds ffmpeg's reason without the file's path. */
export class VideoUnreadableError extends Error {
  override readonly name = 'VideoUnreadableError';
}

/** Decoded and not yet taken: enough to keep every thread busy, few enough for memory. */
const MAX_WAITING_FRAMES = 4;

/**
 * Leaving the loop early ends ffmpeg; the generator is done when it is gone.
 * @throws VideoUnreadableError where not one frame could be read; a file that breaks off later gives the frames before that
 * @throws CameraError `timeout` or `cancelled`
 */
export async function* videoFrames(
  program: FfmpegProgram,
  { signal, limitMs, ...options }: ReadVideoOptions,
): AsyncGenerator<VideoFrame, void, void> {
  const waiting: VideoFrame[] = [];
  let wake = () => {};
  let isOver = false;
  let stopped: CameraError | null = null;
  let frames = 0;
  const stop = (error: CameraError) => {
    stopped ??= error;
    void ffmpeg.stop();
  };
  const cancel = () => stop(new CameraError('cancelled', 'The request was cancelled'));
  const ffmpeg = startFfmpeg({
    path: program.path,
    args: videoFramesArgs(program, options),
    secrets: { secretUrl: options.path, redactedUrl: 'the file' },
    onFrame(frame) {
      frames++;
      waiting.push(frame);
      if (waiting.length >= MAX_WAITING_FRAMES) ffmpeg.pause();
      wake();
    },
  });
  const timer = setTimeout(
    () => stop(new CameraError('timeout', `The video took more than ${limitMs / 1000} seconds`)),
    limitMs,
  );
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  const exit = ffmpeg.exit.finally(() => {
    isOver = true;
    wake();
  });
  try {
    for (;;) {
      if (stopped) throw stopped;
      const next = waiting.shift();
      if (next) {
        if (waiting.length < MAX_WAITING_FRAMES) ffmpeg.resume();
        yield next;
      } else if (isOver) break;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    const { fault, complaints } = await exit;
    if (frames === 0)
      throw new VideoUnreadableError(
        fault?.message ?? complaints.at(-1)?.replace(/^(?:\[[^\]]*\] )+/, '') ?? 'no frame in it',
      );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    await ffmpeg.stop();
  }
}

/** A camera as JPEG pictures, made by one transcoder for all who watch, and only while somebody does. */
import type { Log } from '../log.ts';
import type { SharedCamera } from './camera-hub.ts';
import type { FfmpegProgram } from './ffmpeg-program.ts';
import { JpegSplitter } from './jpeg-splitter.ts';
import { mjpegPreviewArgs } from './preview-args.ts';
import { startTranscoder, type Transcoder } from './transcoder.ts';

export interface MjpegSource {
  /** @returns how to leave */
  watch(onPicture: (jpeg: Buffer) => void): () => void;
  readonly watchers: number;
  close(): Promise<void>;
}

export interface MjpegOptions {
  readonly program: FfmpegProgram;
  readonly camera: SharedCamera;
  readonly log: Log;
  /** For how long the transcoder waits for another watcher. */
  readonly lingerMs?: number;
}

const LINGER_MS = 3000;
const RESTART_PAUSE_MS = 2000;

export function createMjpegSource({ program, camera, log, lingerMs = LINGER_MS }: MjpegOptions): MjpegSource {
  const watchers = new Set<(jpeg: Buffer) => void>();
  let transcoder: Transcoder | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function start(): void {
    const splitter = new JpegSplitter((jpeg) => {
      for (const watcher of watchers) watcher(jpeg);
    });
    const started = startTranscoder({
      program,
      camera,
      args: (input) => mjpegPreviewArgs(program, input),
      onBytes: (chunk) => splitter.push(chunk),
      log,
    });
    transcoder = started;
    void started.ended.then(() => {
      if (transcoder !== started) return;
      transcoder = null;
      if (watchers.size > 0 && !closed) timer = setTimeout(startIfWatched, RESTART_PAUSE_MS);
    });
  }
  function startIfWatched(): void {
    if (transcoder === null && watchers.size > 0 && !closed) start();
  }
  async function end(): Promise<void> {
    const ending = transcoder;
    transcoder = null;
    await ending?.stop();
  }

  return {
    watch(onPicture) {
      clearTimeout(timer);
      watchers.add(onPicture);
      startIfWatched();
      return () => {
        if (!watchers.delete(onPicture) || watchers.size > 0 || closed) return;
        clearTimeout(timer);
        timer = setTimeout(() => void end(), lingerMs);
      };
    },
    get watchers() {
      return watchers.size;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      watchers.clear();
      await end();
    },
  };
}

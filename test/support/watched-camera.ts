/** A camera at an RTSP server on this machine, and what came of it. */
import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import { Camera, type CameraOptions, type CameraState } from '../../server/cameras/camera.ts';
import { parseCameraUrl } from '../../server/cameras/camera-address.ts';
import type { FfmpegProgram } from '../../server/cameras/ffmpeg-program.ts';
import type { VideoFrame } from '../../server/cameras/y4m.ts';
import { createLog } from '../../server/log.ts';
import type { H264Clip } from './h264-clip.ts';
import { RtspServer, type RtspServerOptions } from './rtsp-server.ts';

const SOON = { firstMs: 50, maxMs: 200, forgivenAfterMs: 60_000 };

export interface WatchedCameraOptions extends Partial<CameraOptions> {
  readonly server?: Partial<RtspServerOptions>;
  readonly credentials?: string;
}

export type WatchedCameraBody = (camera: Camera, server: RtspServer, seen: Seen) => Promise<void>;

/** Starts a camera of a server that shows this clip; both end with `body`. @returns what was seen, the log among it */
export async function withWatchedCamera(
  { program, clip }: { program: FfmpegProgram; clip: H264Clip },
  body: WatchedCameraBody,
  options: WatchedCameraOptions = {},
): Promise<Seen> {
  const server = await RtspServer.start({ clip, ...options.server });
  const seen = new Seen();
  const camera = new Camera({
    program,
    address: parseCameraUrl(server.url(options.credentials)),
    scanIntervalMs: 500,
    onFrame: (frame) => seen.frame(frame),
    onState: (state) => seen.state(state),
    log: createLog({ level: 'debug', format: 'json', secrets: new Set(), output: seen.output }),
    backOff: SOON,
    ...options,
  });
  try {
    camera.start();
    await body(camera, server, seen);
  } finally {
    await camera.stop();
    await server.close();
  }
  return seen;
}

/** What came of a camera, and promises of what is to come. */
export class Seen {
  readonly all: VideoFrame[] = [];
  log = '';
  readonly output = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      this.log += chunk;
      done();
    },
  });
  readonly #news = new EventEmitter<{ frame: []; state: [CameraState] }>();

  frame(frame: VideoFrame): void {
    this.all.push(frame);
    this.#news.emit('frame');
  }

  state(state: CameraState): void {
    this.#news.emit('state', state);
  }

  async frames(count: number): Promise<void> {
    while (this.all.length < count) await once(this.#news, 'frame');
  }

  /** The next time that it enters this state. */
  async entered(wanted: CameraState): Promise<void> {
    for (;;) {
      const [state] = await once(this.#news, 'state');
      if (state === wanted) return;
    }
  }

  /** Looked at after each frame, each change of state, and ten times a second. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const limit = AbortSignal.timeout(100);
      await Promise.race([
        once(this.#news, 'frame', { signal: limit }),
        once(this.#news, 'state', { signal: limit }),
      ]).catch(() => {});
    }
  }
}

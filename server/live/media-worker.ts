/** One mediasoup worker that is replaced when it dies: a process, its router, and the port that all its viewers come in through. */
import type { types } from 'mediasoup';
import type { Log } from '../log.ts';
import type { RtcListening } from './rtc-addresses.ts';

export type Mediasoup = typeof import('mediasoup');

/** What lives in one worker's life. When it dies, everything in it is gone; `MediaWorker.room` gives the next one. */
export interface MediaRoom {
  readonly router: types.Router;
  readonly webRtcServer: types.WebRtcServer;
  /** Resolves when the worker is gone and another one is to come. */
  readonly gone: Promise<void>;
}

export interface MediaWorkerOptions {
  readonly mediasoup: Mediasoup;
  readonly workerBin: string;
  readonly listening: RtcListening;
  readonly ports: { readonly min: number; readonly max: number };
  readonly log: Log;
  /** Fires when the server begins to end: a signal to the whole process group has reached the workers as well. */
  readonly ending?: AbortSignal;
  readonly onRestart?: () => void;
}

/** What every browser plays; cameras that send something else are transcoded to it. */
export const H264: types.RouterRtpCodecCapability = {
  kind: 'video',
  mimeType: 'video/H264',
  clockRate: 90_000,
  parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
};

/** Of a signal to the whole process group a worker's end may be heard before the signal itself. */
const SIGNAL_DELAY_MS = 50;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 10_000;
/** A worker that lived for so long died of something new. */
const FORGIVEN_AFTER_MS = 60_000;

export class MediaWorker {
  /** Previews that were assigned to it. */
  load = 0;
  restarts = 0;
  readonly #options: MediaWorkerOptions;
  #worker: types.Worker | null = null;
  #room: Promise<MediaRoom>;
  #closed = false;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;

  private constructor(options: MediaWorkerOptions, first: Promise<MediaRoom>) {
    this.#options = options;
    this.#room = first;
  }

  /** @throws Error where the worker does not start */
  static async start(options: MediaWorkerOptions): Promise<MediaWorker> {
    const first = Promise.withResolvers<MediaRoom>();
    const made = new MediaWorker(options, first.promise);
    first.resolve(made.#open());
    await first.promise;
    return made;
  }

  get pid(): number | undefined {
    return this.#worker?.pid;
  }

  /** That of the worker that runs, or of the one that is being started in its place. */
  get room(): Promise<MediaRoom> {
    return this.#room;
  }

  get #isEnding(): boolean {
    return this.#closed || this.#options.ending?.aborted === true;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#worker?.close();
  }

  async #open(): Promise<MediaRoom> {
    const { mediasoup, workerBin } = this.#options;
    const worker = await mediasoup.createWorker({ workerBin, logLevel: 'error' });
    if (this.#closed) {
      worker.close();
      throw new Error('the media server is closed');
    }
    this.#worker = worker;
    const startedMs = performance.now();
    const gone = Promise.withResolvers<void>();
    worker.observer.once('close', () => {
      if (!this.#isEnding) gone.resolve();
    });
    try {
      const room = await this.#furnish(worker, gone.promise);
      worker.once('died', (error) => this.#replace(error, performance.now() - startedMs));
      return room;
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  async #furnish(worker: types.Worker, gone: Promise<void>): Promise<MediaRoom> {
    const { listening, ports } = this.#options;
    const webRtcServer = await worker.createWebRtcServer({
      listenInfos: listening.addresses.flatMap(({ ip, announced }) =>
        (['udp', 'tcp'] as const).map((protocol) => ({
          protocol,
          ip,
          ...(announced === null ? {} : { announcedAddress: announced }),
          portRange: ports,
        })),
      ),
    });
    const router = await worker.createRouter({ mediaCodecs: [H264] });
    return { router, webRtcServer, gone };
  }

  #replace(error: Error, livedMs: number): void {
    this.#worker = null;
    if (this.#isEnding) return;
    const next = Promise.withResolvers<MediaRoom>();
    next.promise.catch(() => {});
    this.#room = next.promise;
    this.#pause = setTimeout(() => {
      if (this.#isEnding) return next.reject(new Error('the media server is closed'));
      if (livedMs > FORGIVEN_AFTER_MS) this.#failures = 0;
      const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures++, 20));
      this.restarts++;
      this.#options.log.error({ err: error, pauseMs }, 'a media worker died and is replaced');
      this.#options.onRestart?.();
      this.#pause = setTimeout(() => {
        this.#open().then(next.resolve, (cause: Error) => {
          next.reject(cause);
          this.#replace(cause, 0);
        });
      }, pauseMs);
    }, SIGNAL_DELAY_MS);
  }
}

/**
 * One camera's live picture: RTP in, WebRTC out. Who calls whom when which part dies:
 *
 * - The camera's ffmpeg ends or is started anew: before each start the camera asks `renew` where its copy goes. The producer of before
 *   is closed; viewers notice that no picture comes, ask to `consume` again and get the new one on the transport that they have.
 * - The media worker dies: `gone` resolves here. The same ports and SSRC are opened in the next worker, and ffmpeg, which has noticed
 *   nothing, is heard there. The viewers' transports died with the worker: their calls are answered 404, and they come back as new ones.
 * - The transcoder dies: its producer is closed; the viewers' next `consume` starts another.
 * - A viewer goes: the last one ends the transcoder, after a moment in which another may come.
 */
import type { types } from 'mediasoup';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { beginsBSlice } from './b-frames.ts';
import { type Ingest, type IngestTarget, openIngest } from './ingest.ts';
import type { MediaPlace } from './media-server.ts';
import type { MediaRoom } from './media-worker.ts';

/** Makes H.264 of what the camera sends, and sends it to a target. */
export interface Transcoding {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface PreviewOptions {
  readonly place: MediaPlace;
  /** Whether what the camera sends can be shown as it is; null while unknown. */
  readonly isPlayable: () => boolean | null;
  readonly transcode: (target: IngestTarget) => Transcoding;
  readonly log: Log;
  /** For how long a transcoder waits for another viewer. */
  readonly lingerMs?: number;
}

const beingStarted = () =>
  new ServerError(503, 'LIVE_UNAVAILABLE', 'the live picture is being started again', { retryAfterS: 1 });

const LINGER_MS = 5000;
/** Four seconds of a usual camera: patterns of B-frames are a few pictures long. */
const SLICES_LOOKED_AT = 100;
const REOPEN_PAUSE_MS = 200;

export class Preview {
  readonly #options: PreviewOptions;
  /** Of the camera's copy, and where it is taken in. */
  #direct: Ingest | null = null;
  #directRoom: MediaRoom | null = null;
  /** Found in the copy: browsers would show them out of order. */
  #hasBFrames = false;
  #transcoded: { readonly ingest: Ingest; readonly transcoding: Transcoding } | null = null;
  #starting: Promise<types.Producer> | null = null;
  #room: MediaRoom | null = null;
  #viewers = 0;
  #linger: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PreviewOptions) {
    this.#options = options;
  }

  get viewers(): number {
    return this.#viewers;
  }

  get hasBFrames(): boolean {
    return this.#hasBFrames;
  }

  get isTranscoding(): boolean {
    return this.#transcoded !== null;
  }

  /** The worker's room that producers and viewers are in. */
  async room(): Promise<MediaRoom> {
    const room = await this.#options.place.room();
    if (room !== this.#room) {
      this.#room = room;
      void room.gone.then(() => this.#lost(room));
    }
    return room;
  }

  /** Called before each start of the camera's ffmpeg. @returns null where no worker comes up in time: the picture then has to wait for the next start */
  async renew(): Promise<IngestTarget | null> {
    this.#direct?.close();
    this.#direct = null;
    if (this.#closed) return null;
    try {
      const room = await this.room();
      this.#directRoom = room;
      this.#direct = await openIngest(room);
      void this.#lookForBFrames(room, this.#direct);
      return this.#direct.target;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a camera starts without its live picture');
      return null;
    }
  }

  /**
   * What a viewer is to be shown now.
   * @throws {ServerError} 503 where the camera gives nothing yet
   */
  producer(): Promise<types.Producer> {
    const isPlayable = this.#options.isPlayable();
    if (isPlayable === null)
      throw new ServerError(503, 'CAMERA_NOT_READY', 'the camera gives no picture yet', { retryAfterS: 1 });
    if (isPlayable && !this.#hasBFrames && this.#direct !== null) {
      if (this.#direct.producer.closed) throw beingStarted();
      return Promise.resolve(this.#direct.producer);
    }
    if (this.#transcoded !== null) return Promise.resolve(this.#transcoded.ingest.producer);
    this.#starting ??= this.#transcode().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  /** @returns how to leave */
  enter(): () => void {
    clearTimeout(this.#linger);
    this.#viewers++;
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      if (--this.#viewers > 0 || this.#closed) return;
      this.#linger = setTimeout(() => void this.#endTranscoding(), this.#options.lingerMs ?? LINGER_MS);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#direct?.close();
    this.#direct = null;
    await this.#starting?.catch(() => {});
    await this.#endTranscoding();
    this.#options.place.leave();
  }

  /** Looks into the first pictures after each start; those who watch already are given the transcoded picture when the copy ends. */
  async #lookForBFrames({ router }: MediaRoom, ingest: Ingest): Promise<void> {
    this.#hasBFrames = false;
    try {
      const transport = await router.createDirectTransport();
      const { rtpCapabilities } = router;
      const consumer = await transport.consume({ producerId: ingest.producer.id, rtpCapabilities });
      let slices = 0;
      consumer.on('rtp', (packet) => {
        const isB = beginsBSlice(packet);
        if (isB === null) return;
        if (!isB && ++slices < SLICES_LOOKED_AT) return;
        transport.close();
        if (!isB || this.#direct !== ingest || this.#options.isPlayable() !== true) return;
        this.#hasBFrames = true;
        ingest.close();
      });
    } catch {
      // The ingest or its worker ended meanwhile: the next start looks again.
    }
  }

  async #transcode(): Promise<types.Producer> {
    const ingest = await openIngest(await this.room());
    if (this.#closed) {
      ingest.close();
      throw new ServerError(503, 'CAMERA_NOT_READY', 'the camera is being closed');
    }
    const transcoding = this.#options.transcode(ingest.target);
    const made = { ingest, transcoding };
    this.#transcoded = made;
    void transcoding.ended.then(() => {
      ingest.close();
      if (this.#transcoded === made) this.#transcoded = null;
    });
    return ingest.producer;
  }

  async #endTranscoding(): Promise<void> {
    await this.#transcoded?.transcoding.stop();
  }

  async #lost(room: MediaRoom): Promise<void> {
    if (this.#closed) return;
    // Its producer is gone with the worker; the next viewer starts another.
    await this.#endTranscoding();
    const target = this.#directRoom === room ? this.#direct?.target : undefined;
    while (target !== undefined && !this.#closed && this.#direct?.target === target) {
      try {
        const next = await this.room();
        const ingest = await openIngest(next, target);
        if (this.#direct?.target === target && !this.#closed) {
          this.#direct = { ...ingest, target };
          this.#directRoom = next;
        } else ingest.close();
        return;
      } catch (error) {
        this.#options.log.warn(
          { err: error },
          'the live picture of a camera could not be taken in again yet',
        );
        await new Promise((resolve) => setTimeout(resolve, REOPEN_PAUSE_MS));
      }
    }
  }
}

/** Pictures over HTTP without end (multipart/x-mixed-replace): a client that reads slowly misses pictures, one that stops reading is dropped. */
import { Readable } from 'node:stream';
import { ServerError } from '../errors.ts';

export const BOUNDARY = 'facepool-picture';
export const MIXED_REPLACE = `multipart/x-mixed-replace; boundary=${BOUNDARY}`;

/** How a stream gets its pictures. @returns how to leave */
export type WatchPictures = (onPicture: (jpeg: Uint8Array) => void) => () => void;

export interface PictureStreams {
  readonly size: number;
  /** @throws {ServerError} 503 TOO_MANY_VIEWERS */
  open(watch: WatchPictures): Readable;
  /** Ends all of them; later ones are refused. */
  close(): void;
}

export interface PictureStreamOptions {
  readonly limit: number;
  readonly onMissed?: () => void;
  readonly onDropped?: () => void;
  readonly onRefused?: () => void;
  /** How long a client may read nothing while pictures come. */
  readonly silentAfterMs?: number;
}

const SILENT_AFTER_MS = 30_000;

class PictureStream extends Readable {
  #newest: Uint8Array | null = null;
  /** Whether the client has taken the last picture and waits for one. */
  #wanted = false;
  #lastReadMs = performance.now();
  readonly #options: PictureStreamOptions;
  readonly #leave: () => void;

  constructor(watch: WatchPictures, options: PictureStreamOptions) {
    // One byte: at most one picture waits in the stream, and the newest before it.
    super({ highWaterMark: 1 });
    this.#options = options;
    this.#leave = watch((jpeg) => this.#offer(jpeg));
  }

  override _read(): void {
    this.#wanted = true;
    this.#lastReadMs = performance.now();
    this.#give();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#leave();
    this.#newest = null;
    done(error);
  }

  #offer(jpeg: Uint8Array): void {
    if (this.#newest !== null) this.#options.onMissed?.();
    this.#newest = jpeg;
    if (this.#wanted) this.#give();
    else if (performance.now() - this.#lastReadMs > (this.#options.silentAfterMs ?? SILENT_AFTER_MS)) {
      this.#options.onDropped?.();
      this.destroy();
    }
  }

  #give(): void {
    const jpeg = this.#newest;
    if (jpeg === null) return;
    this.#newest = null;
    this.#wanted = false;
    const head = `--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`;
    // With the next boundary's line break at once: browsers show a picture when they see its end.
    this.push(Buffer.concat([Buffer.from(head), jpeg, Buffer.from('\r\n')]));
  }
}

export function createPictureStreams(options: PictureStreamOptions): PictureStreams {
  const streams = new Set<PictureStream>();
  let closed = false;
  return {
    get size() {
      return streams.size;
    },
    open(watch) {
      if (closed || streams.size >= options.limit) {
        options.onRefused?.();
        throw new ServerError(503, 'TOO_MANY_VIEWERS', `${options.limit} viewers watch already`, {
          retryAfterS: 10,
        });
      }
      const stream = new PictureStream(watch, options);
      streams.add(stream);
      stream.once('close', () => streams.delete(stream));
      return stream;
    },
    close() {
      closed = true;
      for (const stream of streams) stream.destroy();
    },
  };
}

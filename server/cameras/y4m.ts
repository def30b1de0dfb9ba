/** Reads a YUV4MPEG2 stream: a line that says the size, then frames, each behind a line of its own. */

/** A picture: planar YUV 4:2:0 without padding, Y then U then V, both sides even; BT.601, limited range. */
export interface VideoFrame {
  readonly width: number;
  readonly height: number;
  /** 1.5 x width x height bytes in a buffer of their own, which may be transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** When its first byte came out of ffmpeg. */
  readonly capturedAt: Date;
}

const STREAM_MAGIC = 'YUV4MPEG2 ';
const FRAME_MAGIC = 'FRAME';
/** ffmpeg's own lines have about 80 and 6 characters. */
const MAX_LINE_BYTES = 256;
const NEWLINE = 10;

export class Y4mReader {
  readonly #maxPixels: number;
  readonly #onFrame: (frame: VideoFrame) => void;
  #line = '';
  #size: { readonly width: number; readonly height: number } | null = null;
  #frame: { readonly bytes: Buffer<ArrayBuffer>; readonly capturedAt: Date } | null = null;
  #filled = 0;

  constructor(maxPixels: number, onFrame: (frame: VideoFrame) => void) {
    this.#maxPixels = maxPixels;
    this.#onFrame = onFrame;
  }

  /** Each byte of a picture is copied once, from the pipe's chunk into its frame. @throws Error where it is not such a stream */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; )
      at = this.#frame ? this.#fill(chunk, at) : this.#readLine(chunk, at);
  }

  #fill(chunk: Buffer, at: number): number {
    const { bytes, capturedAt } = this.#frame!;
    const copied = chunk.copy(bytes, this.#filled, at);
    this.#filled += copied;
    if (this.#filled === bytes.length) {
      this.#frame = null;
      this.#onFrame({ ...this.#size!, bytes, capturedAt });
    }
    return at + copied;
  }

  #readLine(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(NEWLINE, at);
    const end = newline < 0 ? chunk.length : newline;
    if (this.#line.length + end - at > MAX_LINE_BYTES) throw notAStream();
    this.#line += chunk.toString('latin1', at, end);
    if (newline < 0) return end;
    const line = this.#line;
    this.#line = '';
    if (this.#size === null) this.#size = this.#readSize(line);
    else if (line.startsWith(FRAME_MAGIC)) this.#begin(this.#size);
    else throw notAStream();
    return newline + 1;
  }

  #readSize(line: string): { width: number; height: number } {
    if (!line.startsWith(STREAM_MAGIC)) throw notAStream();
    const number = (tag: string) => Number(new RegExp(` ${tag}(\\d{1,6})(?: |$)`).exec(line)?.[1]);
    const [width, height] = [number('W'), number('H')];
    if (!(width > 0 && height > 0 && width % 2 === 0 && height % 2 === 0) || !/ C420/.test(line))
      throw notAStream();
    if (width * height > this.#maxPixels)
      throw new Error(
        `the video has ${width} x ${height} pixels, at most ${this.#maxPixels} pixels are taken`,
      );
    return { width, height };
  }

  #begin({ width, height }: { width: number; height: number }): void {
    // Not from Node's pool: the buffer is given away. Every byte is written before anybody sees it.
    this.#frame = { bytes: Buffer.allocUnsafeSlow((width * height * 3) / 2), capturedAt: new Date() };
    this.#filled = 0;
  }
}

const notAStream = () => new Error('what ffmpeg sent is no YUV4MPEG2 stream of 4:2:0 pictures');

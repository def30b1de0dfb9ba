/** Cuts a stream of JPEG files laid end to end (what ffmpeg's `-f mjpeg` writes) into pictures. */
const START = Buffer.from([0xff, 0xd8]);
/** Coded data never holds it: there a zero follows each 255. */
const END = Buffer.from([0xff, 0xd9]);
const MAX_PICTURE_BYTES = 8 * 1024 * 1024;

export class JpegSplitter {
  readonly #onPicture: (jpeg: Buffer) => void;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(onPicture: (jpeg: Buffer) => void) {
    this.#onPicture = onPicture;
  }

  /** What does not begin as a picture, or grows beyond any picture, is thrown away. */
  push(chunk: Buffer): void {
    // One byte back: the marker may lie across two chunks.
    let searchFrom = Math.max(0, this.#waiting.length - 1);
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    for (;;) {
      const end = this.#waiting.indexOf(END, searchFrom);
      if (end < 0) break;
      const start = this.#waiting.indexOf(START);
      if (start >= 0 && start < end) this.#onPicture(Buffer.from(this.#waiting.subarray(start, end + 2)));
      this.#waiting = this.#waiting.subarray(end + 2);
      searchFrom = 0;
    }
    if (this.#waiting.length > MAX_PICTURE_BYTES) this.#waiting = Buffer.alloc(0);
  }
}

/**
 * Where a thread has its frames enhanced: one frame at a time, all of them in the same bytes. Bytes of its own for each frame, 230 KB
 * for 320x240, have V8 mark the whole heap every twenty frames or so, with all its threads: measured, that took a fifth of the time.
 */

/** A frame that is larger gets bytes that go with it. */
const MAX_KEPT_BYTES = 16 * 2 ** 20;

export class EnhancedPixels {
  #bytes = new Uint8Array(0);

  /** Bytes of that number, valid until the next call. */
  take(count: number): Uint8Array {
    if (count > MAX_KEPT_BYTES) return new Uint8Array(count);
    if (this.#bytes.length < count) this.#bytes = new Uint8Array(count);
    return this.#bytes.subarray(0, count);
  }
}

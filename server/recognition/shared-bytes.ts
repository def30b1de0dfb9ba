/**
 * Bytes in shared memory that threads read one frame after the other from. A copy that is moved to a thread is garbage there when the
 * frame is done, and V8 counts it against the thread's heap: at some hundred frames a second it marks that heap over and over.
 */

export interface LentBytes {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Nobody may look at the bytes any more: the next loan writes over them. */
  giveBack(): void;
}

export class SharedBytes {
  readonly #keptBuffers: number;
  readonly #free: SharedArrayBuffer[] = [];

  /** @param keptBuffers as many as are lent at a time; what comes back beyond that goes */
  constructor(keptBuffers: number) {
    this.#keptBuffers = keptBuffers;
  }

  /** A copy of `bytes`. */
  lend(bytes: Uint8Array): LentBytes {
    let buffer = this.#free.pop();
    if (buffer === undefined || buffer.byteLength < bytes.length)
      buffer = new SharedArrayBuffer(bytes.length);
    const copy = new Uint8Array(buffer, 0, bytes.length);
    copy.set(bytes);
    return {
      bytes: copy,
      giveBack: () => {
        if (this.#free.length < this.#keptBuffers) this.#free.push(buffer);
      },
    };
  }
}

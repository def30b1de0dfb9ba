/** One WebAssembly module's memory, handed out from the front: a fixed part that stays, and scratch that each call takes anew. */

const pageBytes = 65_536;
/** Kernels read and write a little beyond the end of their buffers, by design. */
const spareBytes = 64;

export class WasmMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #maxBytes: number;
  #bytes: Uint8Array;
  #floats: Float32Array;
  #next: number;

  /** `firstByte` is where the module's own data ends. */
  constructor(memory: WebAssembly.Memory, firstByte: number, maxBytes: number) {
    this.#memory = memory;
    this.#maxBytes = maxBytes;
    this.#next = firstByte;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
  }

  /** All of the memory, until the next `take`. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The same as 32-bit floats: index = address / 4. */
  get floats(): Float32Array {
    return this.#floats;
  }

  /** What is handed out from here on is scratch: give it back to `release`. */
  get mark(): number {
    return this.#next;
  }

  release(mark: number): void {
    this.#next = mark;
  }

  /** An address, a multiple of 16, with `byteCount` bytes and some spare ones behind it. Contents are whatever was there. */
  take(byteCount: number): number {
    const address = (this.#next + 15) & ~15;
    const end = address + byteCount + spareBytes;
    if (end > this.#maxBytes) {
      throw new RangeError(
        `kernel memory: expected a need of at most ${this.#maxBytes} bytes, received one of ${end}`,
      );
    }
    if (end > this.#bytes.length) {
      // Growing detaches every view of the old buffer.
      this.#memory.grow(Math.ceil((end - this.#bytes.length) / pageBytes));
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#floats = new Float32Array(this.#memory.buffer);
    }
    this.#next = end;
    return address;
  }

  takeBytes(values: Uint8Array): number {
    const address = this.take(values.length);
    this.#bytes.set(values, address);
    return address;
  }

  takeFloats(values: Float32Array, spareValues = 0): number {
    const address = this.take((values.length + spareValues) * 4);
    this.#floats.set(values, address / 4);
    this.#floats.fill(0, address / 4 + values.length, address / 4 + values.length + spareValues);
    return address;
  }

  takeIntegers(values: Uint32Array, spareValues = 0): number {
    const address = this.take((values.length + spareValues) * 4);
    const view = new Uint32Array(this.#memory.buffer, address, values.length + spareValues);
    view.set(values);
    view.fill(0, values.length);
    return address;
  }
}

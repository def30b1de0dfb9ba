/**
 * An index of 512-d unit embeddings in shared memory: one thread appends, any number of threads search the same copy.
 * Deleting somebody means building another index without them and clearing this one once no thread searches it.
 *
 * Memory: a header of 32-bit integers, one scratch slot per searching thread, then rows (float32), their int16 copies, persons.
 */
import { readFileSync } from 'node:fs';

export const embeddingDimensions = 512;

/** The most threads that can search one index at a time. */
export const maxIndexReaders = 256;

/** The nearest row, and the nearest row of any other person; plain dot products of unit vectors, so cosines. */
export interface NearestPersons {
  readonly person: number;
  readonly similarity: number;
  readonly secondPerson: number | null;
  readonly secondSimilarity: number | null;
}

const signature = 0x46504931;
const headerField = { signature: 0, maxRows: 1, rowCount: 2, id: 3, cleared: 4, firstSlot: 16 } as const;
const headerBytes = 4096;
/** Query, its int16 copy, and what the kernel found. */
const slotBytes = 2048 + 1024 + 64;
const rowsStart = headerBytes + maxIndexReaders * slotBytes;
const rowBytes = 4 * embeddingDimensions;
const bytesPerRow = rowBytes + 2 * embeddingDimensions + 4;
const pageBytes = 65_536;

/** The most rows that 4 GiB hold. */
export const maxIndexRows = Math.floor((65_536 * pageBytes - rowsStart) / bytesPerRow);

/** Unit vectors may be off by this much: the integer copies' error bound reckons with it. */
const maxLengthError = 1e-3;

interface IndexExports {
  quantise(source: number, target: number): void;
  search(
    rows: number,
    copies: number,
    persons: number,
    count: number,
    query: number,
    quantisedQuery: number,
    match: number,
  ): void;
}

let compiled: WebAssembly.Module | null = null;

function instantiate(memory: WebAssembly.Memory): IndexExports {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./embedding-index.wasm', import.meta.url)));
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as IndexExports;
}

/** The parts of an index, as views of its memory. */
class IndexLayout {
  readonly memory: WebAssembly.Memory;
  readonly header: Int32Array;
  readonly floats: Float32Array;
  readonly persons: Int32Array;
  readonly maxRows: number;
  readonly copiesStart: number;
  readonly personsStart: number;

  constructor(memory: WebAssembly.Memory, maxRows: number) {
    this.memory = memory;
    this.maxRows = maxRows;
    this.copiesStart = rowsStart + maxRows * rowBytes;
    this.personsStart = this.copiesStart + maxRows * 2 * embeddingDimensions;
    this.header = new Int32Array(memory.buffer, 0, headerBytes / 4);
    this.floats = new Float32Array(memory.buffer);
    this.persons = new Int32Array(memory.buffer, this.personsStart, maxRows);
  }

  row(index: number): Float32Array {
    const start = (rowsStart + index * rowBytes) / 4;
    return this.floats.subarray(start, start + embeddingDimensions);
  }
}

let nextId = 1;

/** Belongs to the main thread: the only one that writes. */
export class EmbeddingIndexWriter {
  /** Tells indexes of one process apart. */
  readonly id: number;
  /** Shared: send it to the threads that search. */
  readonly memory: WebAssembly.Memory;
  readonly #layout: IndexLayout;
  readonly #kernel: IndexExports;

  /** Room for `maxRows` embeddings, 3,076 bytes each; pages that no row has touched cost nothing. */
  static create(maxRows: number): EmbeddingIndexWriter {
    if (!Number.isInteger(maxRows) || maxRows < 1 || maxRows > maxIndexRows) {
      throw new RangeError(`maxRows: expected a whole number from 1 to ${maxIndexRows}, received ${maxRows}`);
    }
    return new EmbeddingIndexWriter(maxRows);
  }

  private constructor(maxRows: number) {
    const pages = Math.ceil((rowsStart + maxRows * bytesPerRow) / pageBytes);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.id = nextId++;
    this.#layout = new IndexLayout(this.memory, maxRows);
    this.#kernel = instantiate(this.memory);
    const { header } = this.#layout;
    header[headerField.maxRows] = maxRows;
    header[headerField.id] = this.id;
    Atomics.store(header, headerField.signature, signature);
  }

  get maxRows(): number {
    return this.#layout.maxRows;
  }

  get rowCount(): number {
    return Atomics.load(this.#layout.header, headerField.rowCount);
  }

  /** Adds a row: `person` a whole number from 0 to 2^31 - 1, `embedding` [512] of unit length. Searches that begin later see it. */
  append(person: number, embedding: Float32Array): void {
    const { header, persons, maxRows, copiesStart } = this.#layout;
    if (Atomics.load(header, headerField.cleared)) throw new Error('append: this index has been cleared');
    if (!Number.isInteger(person) || person < 0 || person > 0x7fffffff) {
      throw new RangeError(`person: expected a whole number from 0 to 2147483647, received ${person}`);
    }
    checkUnitVector('embedding', embedding);
    const index = this.rowCount;
    if (index >= maxRows) throw new RangeError(`rows: expected at most ${maxRows}, received one more`);
    this.#layout.row(index).set(embedding);
    this.#kernel.quantise(rowsStart + index * rowBytes, copiesStart + index * 2 * embeddingDimensions);
    persons[index] = person;
    // Only now may other threads look at the row.
    Atomics.store(header, headerField.rowCount, index + 1);
  }

  /** Overwrites every embedding, copy and query with zeros, for good. Call it when no thread searches this index any more. */
  clear(): void {
    const { header, memory } = this.#layout;
    Atomics.store(header, headerField.cleared, 1);
    Atomics.store(header, headerField.rowCount, 0);
    new Uint8Array(memory.buffer).fill(0, headerBytes);
  }
}

/** One thread's view of an index. `detach` it when the thread is done with it: the number of readers is bounded. */
export class EmbeddingIndexReader {
  readonly id: number;
  readonly #layout: IndexLayout;
  readonly #kernel: IndexExports | null;
  readonly #slot: number;
  #attached = true;

  /** `reference` scans in plain TypeScript: the specification. Throws where `memory` is no index or 256 threads read it already. */
  static attach(
    memory: WebAssembly.Memory,
    implementation: 'simd' | 'reference' = 'simd',
  ): EmbeddingIndexReader {
    const buffer: unknown = memory instanceof WebAssembly.Memory ? memory.buffer : null;
    if (!(buffer instanceof SharedArrayBuffer)) {
      throw new TypeError('memory: expected a shared WebAssembly.Memory');
    }
    if (buffer.byteLength < rowsStart)
      throw new TypeError('memory: expected one that EmbeddingIndexWriter made');
    const header = new Int32Array(buffer, 0, headerBytes / 4);
    const maxRows = header[headerField.maxRows]!;
    const fits =
      maxRows >= 1 && maxRows <= maxIndexRows && rowsStart + maxRows * bytesPerRow <= buffer.byteLength;
    if (Atomics.load(header, headerField.signature) !== signature || !fits) {
      throw new TypeError('memory: expected one that EmbeddingIndexWriter made');
    }
    return new EmbeddingIndexReader(new IndexLayout(memory, maxRows), implementation);
  }

  private constructor(layout: IndexLayout, implementation: 'simd' | 'reference') {
    this.#layout = layout;
    this.id = layout.header[headerField.id]!;
    this.#kernel = implementation === 'simd' ? instantiate(layout.memory) : null;
    this.#slot = takeSlot(layout.header);
  }

  get rowCount(): number {
    return Atomics.load(this.#layout.header, headerField.rowCount);
  }

  /** The nearest person of `query` ([512], unit length), of equal rows the earlier one; null while the index is empty. */
  search(query: Float32Array): NearestPersons | null {
    if (!this.#attached) throw new Error('search: this reader has been detached');
    checkUnitVector('query', query);
    const count = this.rowCount;
    if (count === 0) return null;
    return this.#kernel ? this.#searchKernel(this.#kernel, query, count) : this.#searchPlainly(query, count);
  }

  /** Gives the slot back and overwrites the last query. */
  detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    new Uint8Array(this.#layout.memory.buffer).fill(0, this.#slotStart, this.#slotStart + slotBytes);
    Atomics.store(this.#layout.header, headerField.firstSlot + this.#slot, 0);
  }

  get #slotStart(): number {
    return headerBytes + this.#slot * slotBytes;
  }

  #searchKernel(kernel: IndexExports, query: Float32Array, count: number): NearestPersons {
    const { copiesStart, personsStart, memory, floats } = this.#layout;
    const start = this.#slotStart;
    const copy = start + rowBytes;
    const match = copy + 2 * embeddingDimensions;
    floats.set(query, start / 4);
    kernel.quantise(start, copy);
    kernel.search(rowsStart, copiesStart, personsStart, count, start, copy, match);
    const persons = new Int32Array(memory.buffer, match, 4);
    return nearest(persons[0]!, floats[match / 4 + 1]!, persons[2]!, floats[match / 4 + 3]!);
  }

  #searchPlainly(query: Float32Array, count: number): NearestPersons {
    let [person, similarity, secondPerson, secondSimilarity] = [-1, -Infinity, -1, -Infinity];
    for (let index = 0; index < count; index++) {
      const rowPerson = this.#layout.persons[index]!;
      const rowSimilarity = dotProduct(this.#layout.row(index), query);
      if (rowSimilarity > similarity) {
        if (rowPerson !== person) [secondPerson, secondSimilarity] = [person, similarity];
        [person, similarity] = [rowPerson, rowSimilarity];
      } else if (rowPerson !== person && rowSimilarity > secondSimilarity) {
        [secondPerson, secondSimilarity] = [rowPerson, rowSimilarity];
      }
    }
    return nearest(person, similarity, secondPerson, secondSimilarity);
  }
}

function nearest(
  person: number,
  similarity: number,
  secondPerson: number,
  secondSimilarity: number,
): NearestPersons {
  if (secondPerson < 0) return { person, similarity, secondPerson: null, secondSimilarity: null };
  return { person, similarity, secondPerson, secondSimilarity };
}

/** The first free slot becomes this thread's own. */
function takeSlot(header: Int32Array): number {
  for (let slot = 0; slot < maxIndexReaders; slot++) {
    if (Atomics.compareExchange(header, headerField.firstSlot + slot, 0, 1) === 0) return slot;
  }
  throw new RangeError(`readers: expected at most ${maxIndexReaders} at a time, received one more`);
}

function checkUnitVector(field: string, vector: Float32Array): void {
  if (!(vector instanceof Float32Array) || vector.length !== embeddingDimensions) {
    const received =
      vector instanceof Float32Array ? `one of ${vector.length}` : `a value of type ${typeof vector}`;
    throw new TypeError(
      `${field}: expected a Float32Array of ${embeddingDimensions} values, received ${received}`,
    );
  }
  let squares = 0;
  for (let i = 0; i < embeddingDimensions; i++) squares += vector[i]! * vector[i]!;
  const length = Math.sqrt(squares);
  if (!(Math.abs(length - 1) <= maxLengthError)) {
    throw new RangeError(`${field}: expected a length of 1 within ${maxLengthError}, received ${length}`);
  }
}

const { fround } = Math;

/**
 * Dot product in single precision, lengths equal and a multiple of 16: sixteen running sums, then pairwise. The very bits that a
 * search gives as similarity.
 */
export function dotProduct(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length || a.length % 16 !== 0) {
    throw new RangeError(
      `b: expected ${a.length} values, a multiple of 16, as many as a has; received ${b.length}`,
    );
  }
  const sums = new Float32Array(16);
  for (let i = 0; i < a.length; i += 16) {
    for (let k = 0; k < 16; k++) sums[k] = sums[k]! + fround(a[i + k]! * b[i + k]!);
  }
  const lanes = [0, 1, 2, 3].map((k) =>
    fround(fround(sums[k]! + sums[k + 4]!) + fround(sums[k + 8]! + sums[k + 12]!)),
  );
  return fround(fround(lanes[0]! + lanes[1]!) + fround(lanes[2]! + lanes[3]!));
}

import { EmbeddingIndexReader, EmbeddingIndexWriter, maxIndexRows } from '../../kernels/embedding-index.ts';
import type { IndexMatch, IndexReference } from '../../workers/protocol.ts';
import type { GalleryStore } from './gallery-store.ts';

/** A reader's hold on one version of the index: its memory stays as it is until `release`. */
export interface IndexLease {
  readonly reference: IndexReference;
  /** Safe to call twice. */
  release(): void;
}

export interface PersonEmbedding {
  readonly person: number;
  /** Shape [512], unit length. */
  readonly embedding: Float32Array;
}

interface Version {
  readonly writer: EmbeddingIndexWriter;
  users: number;
  retired: boolean;
  readonly cleared: PromiseWithResolvers<void>;
}

const LEAST_CAPACITY_ROWS = 1024;

/**
 * The gallery's embeddings in shared memory, for the threads. Adding a row shows it to every reader at once; taking rows out
 * makes a new version, and the old one is wiped as soon as no task holds it any more.
 *
 * One change at a time: the owner waits for `replace` before the next `append` or `replace`.
 */
export class GalleryIndex {
  #current: Version | null = null;

  /** Rows of the current version. */
  get rows(): number {
    return this.#current?.writer.rowCount ?? 0;
  }

  /** Null while nobody is enrolled. */
  acquire(): IndexLease | null {
    const version = this.#current;
    if (version === null || version.writer.rowCount === 0) return null;
    version.users++;
    let released = false;
    return {
      reference: { id: version.writer.id, memory: version.writer.memory },
      release: () => {
        if (released) return;
        released = true;
        version.users--;
        clearIfUnused(version);
      },
    };
  }

  /** False where there is no room: then `replace` with everything, which makes room for as much again. */
  append({ person, embedding }: PersonEmbedding): boolean {
    const version = this.#current;
    if (version === null || version.writer.rowCount >= version.writer.maxRows) return false;
    version.writer.append(person, embedding);
    return true;
  }

  /**
   * Puts a new version in place of the current one, which keeps serving until then.
   * @param load gives everything that belongs into it; asked again where more came than there was room for
   * @param expectedRows room is made for twice as many
   * @returns `oldCleared` settles when the old version's memory has been wiped
   */
  async replace(
    load: () => AsyncIterable<readonly PersonEmbedding[]>,
    expectedRows: number,
  ): Promise<{ oldCleared: Promise<void> }> {
    let version: Version | null = null;
    for (let rows = Math.max(LEAST_CAPACITY_ROWS, 2 * expectedRows); version === null; rows *= 2)
      version = await filledVersion(load(), Math.min(rows, maxIndexRows));
    const old = this.#current;
    this.#current = version;
    return { oldCleared: old === null ? Promise.resolve() : retire(old) };
  }

  /** The nearest persons, on this thread: for enrolment, not for the hot path. */
  search(embedding: Float32Array): IndexMatch | null {
    const version = this.#current;
    if (version === null || version.writer.rowCount === 0) return null;
    const reader = EmbeddingIndexReader.attach(version.writer.memory);
    try {
      return reader.search(embedding);
    } finally {
      reader.detach();
    }
  }

  /** Wipes everything, the current version as soon as it is unused. */
  close(): Promise<void> {
    const version = this.#current;
    this.#current = null;
    return version === null ? Promise.resolve() : retire(version);
  }
}

function newVersion(capacityRows: number): Version {
  return {
    writer: EmbeddingIndexWriter.create(capacityRows),
    users: 0,
    retired: false,
    cleared: Promise.withResolvers<void>(),
  };
}

/** Null where the rows do not fit. */
async function filledVersion(
  batches: AsyncIterable<readonly PersonEmbedding[]>,
  capacityRows: number,
): Promise<Version | null> {
  const version = newVersion(capacityRows);
  const { writer } = version;
  let complete = false;
  try {
    for await (const batch of batches) {
      if (capacityRows < maxIndexRows && writer.rowCount + batch.length > capacityRows) return null;
      for (const { person, embedding } of batch) writer.append(person, embedding);
    }
    complete = true;
    return version;
  } finally {
    if (!complete) writer.clear();
  }
}

function retire(version: Version): Promise<void> {
  version.retired = true;
  clearIfUnused(version);
  return version.cleared.promise;
}

function clearIfUnused(version: Version): void {
  if (!version.retired || version.users > 0) return;
  version.writer.clear();
  version.cleared.resolve();
}

/** The embeddings of one model, in batches, as the index takes them. */
export async function* personEmbeddings(
  store: Pick<GalleryStore, 'embeddings'>,
  modelId: string,
): AsyncGenerator<PersonEmbedding[]> {
  for await (const batch of store.embeddings(modelId))
    yield batch.map(({ personId, embedding }) => ({ person: personId, embedding }));
}

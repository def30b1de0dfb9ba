/** Comparison with an index of embeddings in shared memory; each thread keeps a reader for the last few indexes it was asked about. */
import { EmbeddingIndexReader } from '../kernels/embedding-index.ts';
import type { IndexMatch, IndexReference } from './protocol.ts';

/** The gallery and the slots of a few sessions, and the versions that follow each other while people come and go. */
const KEPT_READERS = 16;

export interface Matcher {
  /** Null where the index is empty. */
  search(index: IndexReference, embedding: Float32Array): IndexMatch | null;
}

export function createMatcher(): Matcher {
  const readers = new Map<number, EmbeddingIndexReader>();

  function readerOf(index: IndexReference): EmbeddingIndexReader {
    const known = readers.get(index.id);
    const reader = known ?? EmbeddingIndexReader.attach(index.memory);
    readers.delete(index.id);
    readers.set(index.id, reader);
    if (readers.size > KEPT_READERS) {
      const [oldestId, oldest] = readers.entries().next().value!;
      readers.delete(oldestId);
      oldest.detach();
    }
    return reader;
  }

  return { search: (index, embedding) => readerOf(index).search(embedding) };
}

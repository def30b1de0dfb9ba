import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  dotProduct,
  EmbeddingIndexReader,
  EmbeddingIndexWriter,
  maxIndexReaders,
  maxIndexRows,
} from '../../kernels/embedding-index.ts';
import { seededNormal, seededRandom, unitVector, wholeNumber } from './random.ts';

/** The nearest row and the nearest row of another person, by sorting all of them. */
function bySorting(rows: readonly { person: number; embedding: Float32Array }[], query: Float32Array) {
  const sorted = rows
    .map(({ person, embedding }, index) => ({ person, index, similarity: dotProduct(embedding, query) }))
    .sort((a, b) => b.similarity - a.similarity || a.index - b.index);
  const best = sorted[0]!;
  const second = sorted.find(({ person }) => person !== best.person);
  return {
    person: best.person,
    similarity: best.similarity,
    secondPerson: second?.person ?? null,
    secondSimilarity: second?.similarity ?? null,
  };
}

describe('dotProduct', () => {
  it('stays within the error of single precision', () => {
    const normal = seededNormal(1);
    for (let trial = 0; trial < 50; trial++) {
      const [a, b] = [unitVector(normal), unitVector(normal)];
      const exact = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
      // (512 / 16 + 4) roundings of 2^-24 each, of sums that are at most 1 in absolute terms.
      assert.ok(Math.abs(dotProduct(a, b) - exact) <= 36 * 2 ** -24);
    }
  });

  it('refuses lengths that do not match', () => {
    assert.throws(() => dotProduct(new Float32Array(512), new Float32Array(128)), RangeError);
  });
});

for (const implementation of ['simd', 'reference'] as const) {
  describe(`embedding index, ${implementation}`, () => {
    it('finds the nearest person and the nearest other one, to the last bit', () => {
      const random = seededRandom(2);
      const normal = seededNormal(3);
      for (const rowCount of [1, 2, 3, 17, 500]) {
        for (const share of [0, 0.7, 3]) {
          const centre = unitVector(normal);
          const writer = EmbeddingIndexWriter.create(rowCount);
          const rows = Array.from({ length: rowCount }, () => ({
            person: wholeNumber(random, 0, Math.ceil(rowCount / 3)),
            embedding: unitVector(normal, centre, share),
          }));
          for (const { person, embedding } of rows) writer.append(person, embedding);
          const reader = EmbeddingIndexReader.attach(writer.memory, implementation);
          for (let trial = 0; trial < 10; trial++) {
            const near = rows[wholeNumber(random, 0, rowCount - 1)]!.embedding;
            const query = unitVector(normal, trial % 2 ? near : centre, trial % 2 ? 4 : share);
            assert.deepEqual(reader.search(query), bySorting(rows, query));
          }
        }
      }
    });

    it('tells rows apart that differ by less than the integer copies can show', () => {
      const normal = seededNormal(4);
      const centre = unitVector(normal);
      const writer = EmbeddingIndexWriter.create(400);
      const rows = Array.from({ length: 400 }, (_, person) => ({
        person,
        embedding: unitVector(normal, centre, 3e4),
      }));
      for (const { person, embedding } of rows) writer.append(person, embedding);
      const reader = EmbeddingIndexReader.attach(writer.memory, implementation);
      for (let trial = 0; trial < 20; trial++) {
        const query = unitVector(normal, centre, 10);
        assert.deepEqual(reader.search(query), bySorting(rows, query));
      }
    });

    it('prefers the earlier of equal rows, also of one person', () => {
      const normal = seededNormal(5);
      const embedding = unitVector(normal);
      const writer = EmbeddingIndexWriter.create(5);
      const reader = EmbeddingIndexReader.attach(writer.memory, implementation);
      writer.append(7, embedding);
      writer.append(7, embedding);
      const similarity = dotProduct(embedding, embedding);
      assert.deepEqual(reader.search(embedding), {
        person: 7,
        similarity,
        secondPerson: null,
        secondSimilarity: null,
      });
      writer.append(3, embedding);
      writer.append(9, embedding);
      assert.deepEqual(reader.search(embedding), {
        person: 7,
        similarity,
        secondPerson: 3,
        secondSimilarity: similarity,
      });
    });

    it('handles opposite and sparse vectors, and the largest person', () => {
      const axis = new Float32Array(512).fill(0, 0, 511);
      axis[3] = 1;
      const opposite = axis.map((value) => -value);
      const writer = EmbeddingIndexWriter.create(2);
      writer.append(2 ** 31 - 1, opposite);
      const reader = EmbeddingIndexReader.attach(writer.memory, implementation);
      assert.deepEqual(reader.search(axis), {
        person: 2 ** 31 - 1,
        similarity: -1,
        secondPerson: null,
        secondSimilarity: null,
      });
      writer.append(0, axis);
      assert.deepEqual(reader.search(axis), {
        person: 0,
        similarity: 1,
        secondPerson: 2 ** 31 - 1,
        secondSimilarity: -1,
      });
    });

    it('finds nobody in an empty index, and sees rows as soon as they are appended', () => {
      const embedding = unitVector(seededNormal(6));
      const writer = EmbeddingIndexWriter.create(2);
      const reader = EmbeddingIndexReader.attach(writer.memory, implementation);
      assert.equal(reader.search(embedding), null);
      writer.append(1, embedding);
      assert.equal(reader.search(embedding)?.person, 1);
      assert.equal(reader.rowCount, 1);
      assert.equal(reader.id, writer.id);
    });

    it('refuses what is no unit vector of 512 values', () => {
      const writer = EmbeddingIndexWriter.create(1);
      const reader = EmbeddingIndexReader.attach(writer.memory, implementation);
      assert.throws(() => reader.search(new Float32Array(128)), {
        name: 'TypeError',
        message: 'query: expected a Float32Array of 512 values, received one of 128',
      });
      assert.throws(
        () => reader.search(new Float32Array(512)),
        /query: expected a length of 1 within 0.001, received 0/,
      );
      const broken = unitVector(seededNormal(7));
      broken[100] = Number.NaN;
      assert.throws(
        () => writer.append(1, broken),
        /embedding: expected a length of 1 within 0.001, received NaN/,
      );
      assert.throws(() => writer.append(-1, unitVector(seededNormal(7))), /person: expected a whole number/);
      assert.equal(writer.rowCount, 0);
    });
  });
}

describe('embedding index memory', () => {
  it('has room for exactly the rows that were asked for', () => {
    const normal = seededNormal(8);
    const writer = EmbeddingIndexWriter.create(2);
    writer.append(1, unitVector(normal));
    writer.append(2, unitVector(normal));
    assert.throws(() => writer.append(3, unitVector(normal)), /rows: expected at most 2/);
    assert.throws(() => EmbeddingIndexWriter.create(0), RangeError);
    assert.throws(() => EmbeddingIndexWriter.create(maxIndexRows + 1), RangeError);
  });

  it('holds no trace of an embedding or a query after clear, and takes none any more', () => {
    const embedding = unitVector(seededNormal(9));
    const writer = EmbeddingIndexWriter.create(3);
    writer.append(1, embedding);
    const reader = EmbeddingIndexReader.attach(writer.memory);
    reader.search(embedding);
    writer.clear();
    assert.ok(new Uint8Array(writer.memory.buffer, 4096).every((byte) => byte === 0));
    assert.equal(writer.rowCount, 0);
    assert.equal(reader.search(embedding), null);
    assert.throws(() => writer.append(1, embedding), /cleared/);
  });

  it('has a bounded number of readers, and a detached one makes room and leaves no query', () => {
    const embedding = unitVector(seededNormal(10));
    const writer = EmbeddingIndexWriter.create(1);
    writer.append(1, embedding);
    const readers = Array.from({ length: maxIndexReaders }, () => EmbeddingIndexReader.attach(writer.memory));
    assert.throws(() => EmbeddingIndexReader.attach(writer.memory), /readers: expected at most 256/);
    const reader = readers[100]!;
    reader.search(embedding);
    reader.detach();
    reader.detach();
    assert.throws(() => reader.search(embedding), /detached/);
    const again = EmbeddingIndexReader.attach(writer.memory);
    assert.throws(() => EmbeddingIndexReader.attach(writer.memory), /readers: expected at most 256/);
    assert.equal(again.search(embedding)?.person, 1);
  });

  it('is refused where it is no index', () => {
    const shared = new WebAssembly.Memory({ initial: 20, maximum: 20, shared: true });
    assert.throws(() => EmbeddingIndexReader.attach(shared), /expected one that EmbeddingIndexWriter made/);
    const tiny = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    assert.throws(() => EmbeddingIndexReader.attach(tiny), /expected one that EmbeddingIndexWriter made/);
    const plain = new WebAssembly.Memory({ initial: 20 });
    assert.throws(() => EmbeddingIndexReader.attach(plain), /expected a shared WebAssembly.Memory/);
  });

  it('is searched by real threads while this one appends, none of which ever sees half a row', async () => {
    const lastRow = 600;
    const writer = EmbeddingIndexWriter.create(lastRow);
    const workers = [0, 1, 2].map(
      (thread) =>
        new Worker(new URL('./index-search-thread.ts', import.meta.url), {
          workerData: { memory: writer.memory, lastRow, thread },
        }),
    );
    for (const [message] of await Promise.all(workers.map((worker) => once(worker, 'message')))) {
      assert.equal(message, 'attached');
    }
    const answers = Promise.all(workers.map((worker) => once(worker, 'message')));
    for (let row = 0; row < lastRow; row++) writer.append(row, unitVector(seededNormal(row)));
    for (const [{ searches, faults }] of await answers) {
      assert.deepEqual(faults, []);
      assert.ok(searches > 0);
    }
  });
});

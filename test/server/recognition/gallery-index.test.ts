import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GalleryIndex, type PersonEmbedding } from '../../../server/recognition/gallery-index.ts';
import { embeddingOf } from '../../support/written-pictures.ts';

const row = (person: number): PersonEmbedding => ({ person, embedding: embeddingOf(person) });

async function* batches(...rows: PersonEmbedding[][]) {
  yield* rows;
}

const isZero = (memory: WebAssembly.Memory, value: Float32Array): boolean =>
  Buffer.from(memory.buffer).indexOf(Buffer.from(value.buffer)) === -1;

test('an empty index lends nothing; an appended row is found at once', async () => {
  const index = new GalleryIndex();
  assert.equal(index.acquire(), null);
  assert.equal(index.append(row(1)), false);
  await index.replace(() => batches(), 0);
  assert.equal(index.acquire(), null);
  assert.equal(index.append(row(1)), true);
  assert.equal(index.search(embeddingOf(1))?.person, 1);
  await index.close();
});

test('a version is wiped only when the last task that holds it has let go', async () => {
  const index = new GalleryIndex();
  await index.replace(() => batches([row(1), row(2)]), 2);
  const [first, second] = [index.acquire()!, index.acquire()!];
  const { memory } = first.reference;
  const { oldCleared } = await index.replace(() => batches([row(2)]), 1);
  assert.notEqual(index.acquire()!.reference.id, first.reference.id);
  first.release();
  first.release();
  assert.equal(isZero(memory, embeddingOf(1)), false);
  second.release();
  await oldCleared;
  assert.equal(isZero(memory, embeddingOf(1)), true);
  assert.equal(index.rows, 1);
  assert.equal(index.search(embeddingOf(1))!.person, 2);
});

test('a full index refuses a row, and more rows than expected find room', async () => {
  const index = new GalleryIndex();
  const rows = Array.from({ length: 1500 }, (_, person) => ({ person, embedding: embeddingOf(person % 3) }));
  await index.replace(() => batches(rows.slice(0, 1000), rows.slice(1000)), 0);
  assert.equal(index.rows, 1500);
  await index.replace(() => batches(rows.slice(0, 1024)), 0);
  assert.equal(index.append(row(9)), false);
});

test('loading that fails leaves the old version in use', async () => {
  const index = new GalleryIndex();
  await index.replace(() => batches([row(1)]), 1);
  await assert.rejects(
    index.replace(async function* () {
      yield [row(2)];
      throw new Error('the database went away');
    }, 1),
    /went away/,
  );
  assert.equal(index.search(embeddingOf(1))?.person, 1);
});

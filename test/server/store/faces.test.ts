import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { EmbeddingIndexReader, EmbeddingIndexWriter } from '../../../kernels/embedding-index.ts';
import type { NewPicture } from '../../../server/recognition/gallery-store.ts';
import { createFaceStore, type FaceStore } from '../../../server/store/faces.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { near, randomUnitVector, seededRandom } from '../../support/vectors.ts';

const limits = { perPerson: 5, perGallery: 1000 };
const quality = { overall: 0.5, size: 0.25, clarity: 0.75, lighting: 1, angle: 0 };
const random = seededRandom(1);
let serial = 0;

function picture(name: string, changes: Partial<NewPicture> = {}): NewPicture {
  serial++;
  return {
    name,
    fileName: `${serial}.jpg`,
    sha256: `hash-${serial}`,
    box: { x: 10, y: 20, width: 100, height: 120 },
    quality,
    modelId: 'model-a',
    embedding: randomUnitVector(random),
    imported: false,
    ...changes,
  };
}

async function filesWith(folder: string, embedding: Float32Array): Promise<string[]> {
  const bytes = Buffer.from(embedding.buffer, 0, 256);
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(file)).includes(bytes)) found.push(file);
  }
  return found;
}

for (const kind of databaseKinds)
  describe(`faces in the ${kind} database`, () => {
    let own: TestDatabase;
    let store: FaceStore;
    before(async () => {
      own = await openTestDatabase(kind);
      store = createFaceStore(own.database);
    });
    beforeEach(() => own.reset());
    after(() => own.close());

    async function counts(): Promise<number[]> {
      const { rows } = await own.database.read<{ a: number; b: number; c: number; d: number }>(
        `SELECT (SELECT count(*) FROM persons)::int AS a, (SELECT count(*) FROM face_pictures)::int AS b,
          (SELECT count(*) FROM face_embeddings)::int AS c, (SELECT count(*) FROM imported_pictures)::int AS d`,
      );
      const { a, b, c, d } = rows[0]!;
      return [a, b, c, d];
    }

    async function allEmbeddings(modelId: string, batchRows: number) {
      const all = [];
      for await (const batch of store.embeddings(modelId, batchRows)) all.push(...batch);
      return all;
    }

    test('embeddings come back bit for bit, in batches, of the model asked for', async () => {
      const pictures = Array.from({ length: 7 }, (_, i) => picture(`person ${i % 3}`));
      for (const one of pictures) await store.addPicture(one, limits);
      for (const batchRows of [1, 3, 7, 100]) {
        const all = await allEmbeddings('model-a', batchRows);
        assert.deepEqual(
          all.map(({ embedding }) => embedding),
          pictures.map(({ embedding }) => embedding),
        );
      }
      assert.deepEqual(await allEmbeddings('model-b', 10), []);
    });

    test('the nearest persons are the same in SQL and in memory, similarities within 1e-6', async () => {
      const rows = 150;
      const index = EmbeddingIndexWriter.create(rows);
      const centres = Array.from({ length: 40 }, () => randomUnitVector(random));
      for (let i = 0; i < rows; i++) {
        const person = i % centres.length;
        const embedding = near(centres[person]!, 0.5, random);
        const added = await store.addPicture(picture(`person ${person}`, { embedding }), limits);
        assert.equal(added.outcome, 'added');
        index.append(added.outcome === 'added' ? added.personId : -1, embedding);
      }
      const reader = EmbeddingIndexReader.attach(index.memory);
      for (let i = 0; i < 40; i++) {
        const query = i % 2 === 0 ? near(centres[i]!, 0.4, random) : randomUnitVector(random);
        const inMemory = reader.search(query)!;
        const inSql = (await store.nearest(query, 'model-a'))!;
        assert.equal(inSql.person, inMemory.person);
        assert.equal(inSql.secondPerson, inMemory.secondPerson);
        assert.ok(Math.abs(inSql.similarity - inMemory.similarity) < 1e-6);
        assert.ok(Math.abs(inSql.secondSimilarity! - inMemory.secondSimilarity!) < 1e-6);
      }
      reader.detach();
    });

    test('nobody is near in an empty gallery, and one person has no second', async () => {
      const one = picture('Anna');
      assert.equal(await store.nearest(one.embedding, 'model-a'), null);
      await store.addPicture(one, limits);
      await store.addPicture(picture('Anna'), limits);
      const nearest = (await store.nearest(one.embedding, 'model-a'))!;
      assert.ok(Math.abs(nearest.similarity - 1) < 1e-6);
      assert.equal(nearest.secondPerson, null);
      assert.equal(await store.nearest(one.embedding, 'model-b'), null);
    });

    test('a picture that is known is not added again, also when it comes twice at once', async () => {
      const one = picture('Anna');
      const outcomes = await Promise.all(
        [1, 2, 3].map((n) => store.addPicture({ ...one, fileName: `twice-${n}.jpg` }, limits)),
      );
      assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['added', 'known', 'known']);
      const known = await store.addPicture(picture('Berta', { sha256: one.sha256 }), limits);
      assert.equal(known.outcome === 'known' && known.name, 'Anna');
      assert.deepEqual(known.outcome === 'known' && known.quality, quality);
      assert.deepEqual(await counts(), [1, 1, 1, 0]);
    });

    test('a full person and a full gallery take no more, and leave nothing behind', async () => {
      for (let i = 0; i < 5; i++) await store.addPicture(picture('Anna'), limits);
      assert.deepEqual(await store.addPicture(picture('Anna'), limits), {
        outcome: 'person_full',
        pictures: 5,
      });
      assert.deepEqual(await store.addPicture(picture('Berta'), { perPerson: 5, perGallery: 5 }), {
        outcome: 'gallery_full',
        pictures: 5,
      });
      assert.deepEqual(await counts(), [1, 5, 5, 0]);
    });

    test('removing a person removes every row but the memory of what was imported', async () => {
      const anna = [picture('Anna', { imported: true }), picture('Anna')];
      for (const one of [...anna, picture('Berta')]) await store.addPicture(one, limits);
      assert.deepEqual(await counts(), [2, 3, 3, 1]);
      const removed = await store.removePerson('Anna');
      assert.deepEqual(
        removed?.fileNames,
        anna.map(({ fileName }) => fileName),
      );
      assert.deepEqual(await counts(), [1, 1, 1, 1]);
      assert.equal(await store.removePerson('Anna'), null);
      assert.equal(await store.wasImported(anna[0]!.sha256), true);
      assert.equal(await store.wasImported(anna[1]!.sha256), false);
      assert.deepEqual([...(await store.fileNames())].length, 1);
    });

    test('after a purge, a removed embedding stands in neither index nor log of the embedded database', async (t) => {
      if (own.folder === null) return t.skip("a server's files are not ours to read");
      const anna = picture('Anna');
      for (const one of [anna, picture('Berta'), picture('Carla')]) await store.addPicture(one, limits);
      await own.database.query('CHECKPOINT');
      const heap = await own.database.read<{ path: string }>(
        "SELECT pg_relation_filepath('face_embeddings') AS path",
      );
      const filesBesidesTable = async () =>
        (await filesWith(own.folder!, anna.embedding)).filter((file) => !file.endsWith(heap.rows[0]!.path));
      assert.ok((await filesBesidesTable()).length >= 2);
      await store.removePerson('Anna');
      await store.purge();
      assert.deepEqual(await filesBesidesTable(), []);
    });

    test('people are listed by name with the number of their pictures and dates', async () => {
      for (const name of ['Zoë', 'Anna', 'Anna']) await store.addPicture(picture(name), limits);
      const list = await store.persons();
      assert.deepEqual(
        list.map(({ name, pictures }) => [name, pictures]),
        [
          ['Anna', 2],
          ['Zoë', 1],
        ],
      );
      assert.ok(list[0]!.lastPictureAt >= list[0]!.createdAt);
    });

    test('pictures without an embedding of a model are found until they have one', async () => {
      const added = await store.addPicture(picture('Anna'), limits);
      const without = await store.picturesWithout('model-b');
      assert.deepEqual(
        without.map(({ name }) => name),
        ['Anna'],
      );
      assert.ok(added.outcome === 'added');
      assert.equal(await store.addEmbedding(added.pictureId, 'model-b', randomUnitVector(random)), true);
      assert.deepEqual(await store.picturesWithout('model-b'), []);
      assert.equal(await store.addEmbedding(-1, 'model-b', randomUnitVector(random)), false);
    });

    test('values never become SQL', async () => {
      const name = "'; DROP TABLE persons; -- $1 \\";
      await store.addPicture(picture(name), limits);
      assert.equal((await store.persons())[0]!.name, name);
      assert.equal((await store.removePerson(name))?.fileNames.length, 1);
    });
  });

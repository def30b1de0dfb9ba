import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { EmbeddingIndexWriter } from '../../kernels/embedding-index.ts';
import { isBeyondDoubt } from '../../workers/beyond-doubt.ts';
import { decodePicture } from '../../workers/decode.ts';
import { findFaces } from '../../workers/pipeline.ts';
import type { IndexMatch } from '../../workers/protocol.ts';
import { EMBEDDED_PACK, findFacesIn, openPipeline } from '../support/pipeline.ts';
import { readSample } from '../support/samples.ts';

const match = (similarity: number, secondSimilarity: number | null): IndexMatch => ({
  person: 1,
  similarity,
  secondPerson: secondSimilarity === null ? null : 2,
  secondSimilarity,
});

test('a face is settled where a shift of its similarities could change neither whether it is named nor how', () => {
  const settled = (similarity: number, second: number | null) =>
    isBeyondDoubt(match(similarity, second), 0.85, 0.04);
  assert.equal(isBeyondDoubt(null, 0.85, 0.04), true);
  assert.deepEqual([settled(0.8, null), settled(0.82, null), settled(0.88, null)], [true, false, false]);
  assert.deepEqual([settled(0.9, null), settled(0.9, 0.81), settled(0.93, 0.86)], [true, true, false]);
});

test('whoever is spared the second embedding gets the name that both would have given', async () => {
  const parts = await openPipeline(EMBEDDED_PACK);
  const photos = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => readSample(number)));
  const index = EmbeddingIndexWriter.create(64);
  let persons = 0;
  // Every second face is enrolled, from the photo as it is.
  for (const photo of photos)
    for (const [i, { embedding }] of (await findFacesIn(parts, photo)).faces.entries())
      if (i % 2 === 0) index.append(++persons, embedding!);
  const reference = { id: index.id, memory: index.memory };
  let [spared, twice] = [0, 0];
  for (const photo of photos) {
    const copy = await sharp(photo)
      .resize(900)
      .modulate({ brightness: 0.8 })
      .jpeg({ quality: 60 })
      .toBuffer();
    const { picture } = await decodePicture(copy, parts.limits);
    const look = (threshold?: number) =>
      findFaces(parts, picture, 1, { index: reference, returnEmbeddings: false, threshold });
    const { faces: both } = await look();
    for (const threshold of [0.75, 0.8, 0.85, 0.9, 0.95]) {
      const { faces } = await look(threshold);
      const named = (given: IndexMatch | null) =>
        given !== null && given.similarity >= threshold ? given.person : null;
      for (const [i, face] of faces.entries()) {
        assert.equal(named(face.match), named(both[i]!.match));
        if (face.match!.similarity === both[i]!.match!.similarity) twice++;
        else spared++;
      }
    }
  }
  assert.ok(spared > twice && twice > 0, `${spared} spared, ${twice} embedded twice`);
});

test('embeddings that travel back are always the mean of both', async () => {
  const parts = await openPipeline(EMBEDDED_PACK);
  const { picture } = await decodePicture(await readSample(1), parts.limits);
  const index = EmbeddingIndexWriter.create(4);
  const task = { index: { id: index.id, memory: index.memory }, returnEmbeddings: true };
  const { faces } = await findFaces(parts, picture, 1, task);
  index.append(1, faces[0]!.embedding!);
  const hurried = await findFaces(parts, picture, 1, { ...task, threshold: 0.85 });
  assert.deepEqual(
    hurried.faces.map(({ embedding }) => embedding),
    faces.map(({ embedding }) => embedding),
  );
});

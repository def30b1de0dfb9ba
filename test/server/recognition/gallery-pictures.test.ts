import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { databaseKinds } from '../../support/database.ts';
import { GalleryBed } from '../../support/gallery-bed.ts';
import { writtenPicture, writtenRecognizer } from '../../support/written-pictures.ts';

for (const kind of databaseKinds)
  describe(`the pictures of a person, ${kind} database`, () => {
    const bed = GalleryBed.forEachTest(kind);

    async function left() {
      const { rows } = await bed.testDatabase.database.read<{
        persons: number;
        pictures: number;
        embeddings: number;
      }>(
        `SELECT (SELECT count(*) FROM persons)::int AS persons, (SELECT count(*) FROM face_pictures)::int AS pictures,
          (SELECT count(*) FROM face_embeddings)::int AS embeddings`,
      );
      return {
        ...rows[0]!,
        files: (await readdir(bed.pictureFolder)).length,
        memory: bed.gallery.size().pictures,
      };
    }

    async function storedEmbeddings(): Promise<Buffer[]> {
      const found: Buffer[] = [];
      for await (const batch of bed.store.embeddings('model-a'))
        found.push(...batch.map(({ embedding }) => Buffer.from(embedding.buffer)));
      return found;
    }

    test('are listed oldest first, with quality and the place of the face, and given back as they were posted', async () => {
      const bytes = [1, 2].map(() => writtenPicture({ person: 1, x: 30, y: 40, widthPx: 100 }));
      for (const one of bytes) await bed.gallery.enrol('Anna', one);
      const pictures = await bed.gallery.pictures(' Anna ');
      assert.deepEqual(pictures[0]!.box, { x: 30, y: 40, width: 100, height: 120 });
      assert.ok(Math.abs(pictures[0]!.quality.clarity - 0.9) < 1e-6);
      for (const [i, { id }] of pictures.entries())
        assert.deepEqual(new Uint8Array(await bed.gallery.picture('Anna', id, false)), bytes[i]);
      await assert.rejects(bed.gallery.pictures('Berta'), { status: 404 });
      await bed.gallery.enrol('Berta', writtenPicture({ person: 2 }));
      await assert.rejects(bed.gallery.picture('Berta', pictures[0]!.id, false), { status: 404 });
    });

    test('removing one leaves no row, no file, no number of it in any memory, and the others as they were', async () => {
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      const [first, second] = await bed.gallery.pictures('Anna');
      const [gone, kept] = await storedEmbeddings();
      const held = await bed.gallery.withIndex(async (index) => index!.memory);
      const thumbnail = await bed.gallery.picture('Anna', first!.id, true);
      assert.ok(thumbnail.length > 0);

      assert.deepEqual(await bed.gallery.removePicture('Anna', first!.id), {
        name: 'Anna',
        pictures: 1,
        personRemoved: false,
        filesLeft: [],
      });
      assert.deepEqual(await left(), { persons: 1, pictures: 1, embeddings: 1, files: 1, memory: 1 });
      const present = await bed.gallery.withIndex(async (index) => index!.memory);
      for (const memory of [held, present]) assert.equal(Buffer.from(memory.buffer).indexOf(gone!), -1);
      assert.notEqual(Buffer.from(present.buffer).indexOf(kept!), -1);
      for (const small of [false, true])
        await assert.rejects(bed.gallery.picture('Anna', first!.id, small), { status: 404 });
      assert.deepEqual(
        (await bed.gallery.pictures('Anna')).map(({ id }) => id),
        [second!.id],
      );
      await assert.rejects(bed.gallery.removePicture('Anna', first!.id), { status: 404 });
    });

    test('removing the last one removes the person', async () => {
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      const [only] = await bed.gallery.pictures('Anna');
      const removal = await bed.gallery.removePicture('Anna', only!.id);
      assert.equal(removal.personRemoved, true);
      assert.deepEqual(await left(), { persons: 0, pictures: 0, embeddings: 0, files: 0, memory: 0 });
      assert.equal(bed.gallery.size().persons, 0);
      await assert.rejects(bed.gallery.pictures('Anna'), { status: 404 });
    });

    test('a removal whose commit was not answered is finished by the next try', async () => {
      let refuse = true;
      bed.gallery = await bed.open({
        store: {
          ...bed.store,
          removePicture: async (name, id) => {
            const removed = await bed.store.removePicture(name, id);
            if (refuse) throw new ServerError(503, 'DATABASE_UNAVAILABLE', 'cut off after the commit');
            return removed;
          },
        },
      });
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      const [first] = await bed.gallery.pictures('Anna');
      await assert.rejects(bed.gallery.removePicture('Anna', first!.id), { status: 503 });
      refuse = false;
      await bed.gallery.removePicture('Anna', first!.id);
      assert.deepEqual(await left(), { persons: 1, pictures: 1, embeddings: 1, files: 1, memory: 1 });
    });

    test('of a picture with several people, the face at the box is enrolled, and a part of the picture is kept', async () => {
      const group = writtenPicture({ person: 1, x: 20, widthPx: 100 }, { person: 2, x: 300, widthPx: 100 });
      const enrolled = await bed.gallery.enrolFace('Berta', group, { x: 305, y: 12, width: 95, height: 110 });
      const kept = JSON.parse(
        new TextDecoder().decode(await bed.gallery.picture('Berta', enrolled.faceId, false)),
      );
      assert.deepEqual(
        kept.faces.map((face: { person: number }) => face.person),
        [2],
      );
      const again = await bed.gallery.enrolFace('Berta', group, { x: 305, y: 12, width: 95, height: 110 });
      assert.equal(again.alreadyEnrolled, true);
      await assert.rejects(bed.gallery.enrolFace('Carla', group, { x: 500, y: 300, width: 60, height: 60 }), {
        status: 422,
        code: 'FACE_NOT_THERE',
      });
      await assert.rejects(bed.gallery.enrolFace('', group, { x: 0, y: 0, width: 1, height: 1 }), {
        status: 400,
      });
    });

    test('after a change of the model the face at its place is embedded, though others stand in the picture', async () => {
      const close = writtenPicture({ person: 1, x: 100, widthPx: 100 }, { person: 2, x: 205, widthPx: 100 });
      await bed.gallery.enrolFace('Anna', close, { x: 100, y: 10, width: 100, height: 120 });
      const changed = await bed.open({ embedderId: 'model-b', recognizer: writtenRecognizer(1) });
      assert.deepEqual(await changed.reembed(), { embedded: 1, failed: [] });
    });
  });

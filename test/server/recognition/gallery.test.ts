import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import type { GalleryStore } from '../../../server/recognition/gallery-store.ts';
import { databaseKinds } from '../../support/database.ts';
import { GalleryBed, recognise, search } from '../../support/gallery-bed.ts';
import { PERFECT_QUALITY } from '../../support/vectors.ts';
import { writtenPicture, writtenRecognizer } from '../../support/written-pictures.ts';

for (const kind of databaseKinds)
  describe(`a gallery on the ${kind} database`, () => {
    const bed = GalleryBed.forEachTest(kind);

    async function counts() {
      const { rows } = await bed.testDatabase.database.read<{ n: number }>(
        `SELECT ((SELECT count(*) FROM persons) + (SELECT count(*) FROM face_pictures) + (SELECT count(*) FROM face_embeddings))::int AS n`,
      );
      return {
        rows: rows[0]!.n,
        files: (await readdir(bed.pictureFolder)).length,
        memory: bed.gallery.size().pictures,
      };
    }

    test('who is enrolled is recognised at once, also after a restart, and strangers are not', async () => {
      const nobody = await recognise(bed.gallery, 1);
      assert.deepEqual([nobody.recognizedAs, nobody.similarity, nobody.margin], [null, null, null]);
      const bytes = writtenPicture({ person: 1 });
      const enrolled = await bed.gallery.enrol('  Anna ', bytes);
      assert.equal(enrolled.name, 'Anna');
      assert.deepEqual(new Uint8Array(await readFile(join(bed.pictureFolder, enrolled.fileName))), bytes);
      await bed.gallery.enrol('Berta', writtenPicture({ person: 2 }));
      for (const one of [bed.gallery, await bed.open()]) {
        const decision = await recognise(one, 1);
        assert.equal(decision.recognizedAs, 'Anna');
        assert.ok(decision.confidence > 0.9 && decision.confidence === decision.similarity);
        assert.ok(decision.margin! > 0.5);
        const stranger = await recognise(one, 3);
        assert.deepEqual([stranger.recognizedAs, stranger.confidence], [null, 0]);
        assert.ok(stranger.similarity! < stranger.threshold);
      }
    });

    test('several pictures of one name add up to one person', async () => {
      for (let i = 0; i < 3; i++) await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      const list = await bed.gallery.list();
      assert.deepEqual(
        list.map(({ name, pictures }) => [name, pictures]),
        [['Anna', 3]],
      );
      assert.equal((await recognise(bed.gallery, 1)).margin, null);
    });

    test('the same picture again is a success and adds nothing; under another name it is a conflict', async () => {
      const bytes = writtenPicture({ person: 1 });
      const [first, second] = await Promise.all([
        bed.gallery.enrol('Anna', bytes),
        bed.gallery.enrol('Anna', bytes),
      ]);
      assert.deepEqual([first.alreadyEnrolled, second.alreadyEnrolled].sort(), [false, true]);
      assert.equal(first.fileName, second.fileName);
      const again = await bed.gallery.enrol('Anna', bytes);
      assert.deepEqual([again.alreadyEnrolled, again.faceId], [true, first.faceId]);
      await assert.rejects(bed.gallery.enrol('Berta', bytes), { status: 409, message: /enrolled as Anna/ });
      assert.deepEqual(await counts(), { rows: 3, files: 1, memory: 1 });
    });

    test('a refused picture leaves nothing', async () => {
      for (const [picture, code] of [
        [writtenPicture(), 'NO_FACE'],
        [writtenPicture({ person: 1 }, { person: 2 }), 'SEVERAL_FACES'],
        [writtenPicture({ person: 1, widthPx: 40 }), 'FACE_TOO_SMALL'],
      ] as const)
        await assert.rejects(bed.gallery.enrol('Anna', picture), { status: 422, code });
      assert.deepEqual(await counts(), { rows: 0, files: 0, memory: 0 });
    });

    test('a face like another person is enrolled with a warning', async () => {
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      const twin = await bed.gallery.enrol('Berta', writtenPicture({ person: 1 }));
      assert.match(twin.warning!, /similar to Anna/);
      assert.equal((await bed.gallery.enrol('Carla', writtenPicture({ person: 3 }))).warning, null);
    });

    test('a person and a gallery take pictures up to their limits', async () => {
      const limited = await bed.open({ limits: { perPerson: 2, perGallery: 3 } });
      for (let i = 0; i < 2; i++) await limited.enrol('Anna', writtenPicture({ person: 1 }));
      await assert.rejects(limited.enrol('Anna', writtenPicture({ person: 1 })), {
        status: 422,
        code: 'PERSON_FULL',
      });
      await limited.enrol('Berta', writtenPicture({ person: 2 }));
      await assert.rejects(limited.enrol('Carla', writtenPicture({ person: 3 })), { code: 'GALLERY_FULL' });
      assert.equal((await readdir(bed.pictureFolder)).length, 3);
    });

    test('removing a person leaves no row, no file, no number in any memory, and nobody who is recognised', async () => {
      await bed.gallery.enrol('Berta', writtenPicture({ person: 2 }));
      const before = await counts();
      for (let i = 0; i < 3; i++) await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      const held = await bed.gallery.withIndex(async (index) => index!.memory);
      const stored = [];
      for await (const batch of bed.store.embeddings('model-a')) stored.push(...batch);
      const embeddings = stored.slice(1).map(({ embedding }) => Buffer.from(embedding.buffer));
      assert.equal(embeddings.length, 3);
      for (const bytes of embeddings) assert.notEqual(Buffer.from(held.buffer).indexOf(bytes), -1);

      assert.deepEqual(await bed.gallery.remove('Anna'), {
        name: 'Anna',
        pictures: 3,
        personRemoved: true,
        filesLeft: [],
      });
      assert.deepEqual(await counts(), before);
      const present = await bed.gallery.withIndex(async (index) => index!.memory);
      for (const memory of [held, present])
        for (const bytes of embeddings) assert.equal(Buffer.from(memory.buffer).indexOf(bytes), -1);
      assert.equal((await recognise(bed.gallery, 1)).recognizedAs, null);
      assert.equal((await recognise(bed.gallery, 2)).recognizedAs, 'Berta');
      await assert.rejects(bed.gallery.remove('Anna'), { status: 404 });
    });

    test('a face of a very dark frame has to be more alike to get a name', async () => {
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      const { person, similarity } = await bed.gallery.withIndex(async (index) => search(index!.memory, 1)!);
      const { threshold } = bed.gallery.decide(null, PERFECT_QUALITY);
      assert.ok(similarity > threshold);
      const faint = { person, similarity: threshold + 0.01, secondPerson: null, secondSimilarity: null };
      assert.equal(bed.gallery.decide(faint, PERFECT_QUALITY).recognizedAs, 'Anna');
      const decision = bed.gallery.decide(faint, PERFECT_QUALITY, true);
      assert.equal(decision.recognizedAs, null);
      assert.ok(decision.threshold > faint.similarity);
    });

    test('a task that was under way while somebody was removed does not name them', async () => {
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      await bed.gallery.enrol('Berta', writtenPicture({ person: 2 }));
      const late = await bed.gallery.withIndex(async (index) => {
        const removal = bed.gallery.remove('Anna');
        const match = search(index!.memory, 1);
        // The removal waits for this very task; what it has done by then is seen without waiting for it.
        while ((await bed.gallery.list()).length > 1);
        void removal;
        return { match, removal };
      });
      await late.removal;
      const decision = bed.gallery.decide(late.match, PERFECT_QUALITY);
      assert.equal(decision.recognizedAs, null);
      assert.ok(decision.similarity! < 0.5);
    });

    test('a removal that the database refused can be repeated', async () => {
      let refuse = true;
      const flaky: GalleryStore = {
        ...bed.store,
        removePerson: async (name) => {
          const removed = await bed.store.removePerson(name);
          if (refuse) throw new ServerError(503, 'DATABASE_UNAVAILABLE', 'cut off after the commit');
          return removed;
        },
      };
      bed.gallery = await bed.open({ store: flaky });
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      await assert.rejects(bed.gallery.remove('Anna'), { status: 503 });
      assert.equal((await recognise(bed.gallery, 1)).recognizedAs, null);
      refuse = false;
      await bed.gallery.remove('Anna');
      assert.deepEqual(await counts(), { rows: 0, files: 0, memory: 0 });
    });

    test('an enrolment whose commit was not answered is there with its file', async () => {
      const flaky: GalleryStore = {
        ...bed.store,
        addPicture: async (picture, limits) => {
          await bed.store.addPicture(picture, limits);
          throw new ServerError(503, 'DATABASE_UNAVAILABLE', 'cut off after the commit');
        },
      };
      bed.gallery = await bed.open({ store: flaky });
      await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      assert.deepEqual(await counts(), { rows: 3, files: 1, memory: 1 });
    });

    test('a start removes pictures that a crash left without a row, and touches no other gallery', async () => {
      const { fileName } = await bed.gallery.enrol('Anna', writtenPicture({ person: 1 }));
      await writeFile(join(bed.pictureFolder, 'orphan.jpg'), 'x');
      await writeFile(join(bed.pictureFolder, 'cut-off.jpg.part'), 'x');
      const other = join(bed.folder, 'faces', 'of-another-database');
      await mkdir(other);
      await writeFile(join(other, 'kept.jpg'), 'x');
      await bed.open();
      assert.deepEqual(await readdir(bed.pictureFolder), [fileName]);
      assert.deepEqual(await readdir(other), ['kept.jpg']);
    });

    test('after a change of the model the stored pictures are embedded again, with progress', async () => {
      for (const person of [1, 2, 3]) await bed.gallery.enrol(`person ${person}`, writtenPicture({ person }));
      const spoilt = await bed.gallery.enrol('person 4', writtenPicture({ person: 4 }));
      await writeFile(join(bed.pictureFolder, spoilt.fileName), JSON.stringify({ serial: 's', faces: [] }));
      const shifted = writtenRecognizer(1);
      const changed = await bed.open({ embedderId: 'model-b', recognizer: shifted });
      assert.equal(changed.size().pictures, 0);
      const progress: string[] = [];
      const report = await changed.reembed(({ done, total }) => progress.push(`${done}/${total}`));
      assert.equal(report.embedded, 3);
      assert.deepEqual(
        report.failed.map(({ name, fileName }) => [name, fileName]),
        [['person 4', spoilt.fileName]],
      );
      assert.deepEqual(progress, ['0/4', '1/4', '2/4', '3/4', '4/4']);
      assert.equal((await recognise(changed, 2 + 7919)).recognizedAs, 'person 2');
      assert.equal((await recognise(changed, 2)).recognizedAs, null);
      assert.equal((await readdir(bed.pictureFolder)).length, 4);
      const again = await bed.open({ embedderId: 'model-b', recognizer: shifted });
      assert.equal(again.size().pictures, 3);
      const calls = shifted.calls;
      await again.reembed();
      assert.equal(shifted.calls, calls + 1);
    });
  });

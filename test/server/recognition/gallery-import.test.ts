import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { databaseKinds } from '../../support/database.ts';
import { GalleryBed, recognise } from '../../support/gallery-bed.ts';
import { writtenPicture } from '../../support/written-pictures.ts';

for (const kind of databaseKinds)
  describe(`pictures in the permitted-faces folder, ${kind} database`, () => {
    const bed = GalleryBed.forEachTest(kind);

    beforeEach(async () => {
      const permitted = join(bed.folder, 'permitted_faces');
      await mkdir(permitted);
      await writeFile(join(permitted, 'Anna.jpg'), writtenPicture({ person: 1 }));
      await writeFile(join(permitted, 'Berta.PNG'), writtenPicture({ person: 2 }));
      await writeFile(join(permitted, 'Nobody.jpeg'), writtenPicture());
      await writeFile(join(permitted, 'Huge.webp'), new Uint8Array(1001));
      await writeFile(join(permitted, 'notes.txt'), 'not a picture');
      await mkdir(join(permitted, 'folder.jpg'));
    });

    test("each is enrolled once under its file's name, and what is refused is reported", async () => {
      const report = await bed.gallery.importPermitted();
      assert.deepEqual([report.enrolled, report.known], [2, 0]);
      assert.deepEqual(report.failed.map(({ file }) => file).sort(), ['Huge.webp', 'Nobody.jpeg']);
      assert.equal((await recognise(bed.gallery, 2)).recognizedAs, 'Berta');
      const next = await (await bed.open()).importPermitted();
      assert.deepEqual([next.enrolled, next.known, next.failed.length], [0, 2, 2]);
    });

    test('who was deleted does not come back from there, and the file that is left is named', async () => {
      await bed.gallery.importPermitted();
      assert.deepEqual((await bed.gallery.remove('Anna')).filesLeft, ['Anna.jpg']);
      const next = await bed.open();
      await next.importPermitted();
      assert.equal((await recognise(next, 1)).recognizedAs, null);
      assert.deepEqual(
        (await next.list()).map(({ name }) => name),
        ['Berta'],
      );
    });

    test('a picture that was enrolled through the API first counts as imported', async () => {
      await bed.gallery.enrol('Anna', await readFile(join(bed.folder, 'permitted_faces', 'Anna.jpg')));
      await bed.gallery.importPermitted();
      await bed.gallery.remove('Anna');
      await bed.gallery.importPermitted();
      assert.equal((await recognise(bed.gallery, 1)).recognizedAs, null);
    });
  });

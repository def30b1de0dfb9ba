/** What a server opens of its data folder: lock, database and gallery, with written pictures in place of networks. */
import { join } from 'node:path';
import { pino } from 'pino';
import { embedderModels } from '../../models/manifest.ts';
import { openGallery } from '../../server/recognition/gallery.ts';
import { startEmbedded } from '../../server/store/embedded.ts';
import { createFaceStore } from '../../server/store/faces.ts';
import { lockFolder } from '../../server/store/folder-lock.ts';
import { migrate } from '../../server/store/migrate.ts';
import { openPool } from '../../server/store/pool.ts';
import { writtenRecognizer } from './written-pictures.ts';

export async function openDataFolder(folder: string) {
  const lock = lockFolder(folder);
  const embedded = await startEmbedded(join(folder, 'database'));
  const { socketFolder, port } = embedded;
  const database = openPool({ kind: 'embedded', socketFolder, port });
  await migrate(database);
  const store = createFaceStore(database);
  const gallery = await openGallery({
    store,
    pictureFolder: join(folder, 'faces'),
    permittedFolder: join(folder, 'permitted_faces'),
    embedderId: 'model-a',
    calibration: embedderModels[0]!.calibration,
    similarityThreshold: 0.85,
    falsePositiveIdentificationRate: 0.01,
    recognizer: writtenRecognizer(),
    maxPictureBytes: 1000,
    log: pino({ level: 'silent' }),
  });
  return {
    store,
    gallery,
    pictureFolder: join(folder, 'faces', await store.galleryId()),
    async close() {
      await gallery.close();
      await database.close();
      await embedded.stop();
      lock.release();
    },
  };
}

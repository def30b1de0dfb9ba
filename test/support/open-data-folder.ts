/** What a server opens of its data folder: lock, database and gallery, with written pictures in place of networks. */
import { join } from 'node:path';
import { startEmbedded } from '../../server/store/embedded.ts';
import { createFaceStore } from '../../server/store/faces.ts';
import { lockFolder } from '../../server/store/folder-lock.ts';
import { migrate } from '../../server/store/migrate.ts';
import { openPool } from '../../server/store/pool.ts';
import { openWrittenGallery } from './written-gallery.ts';

export async function openDataFolder(folder: string) {
  const lock = lockFolder(folder);
  const embedded = await startEmbedded(join(folder, 'database'));
  const { socketFolder, port } = embedded;
  const database = openPool({ kind: 'embedded', socketFolder, port });
  await migrate(database);
  const store = createFaceStore(database);
  const gallery = await openWrittenGallery(folder, { store });
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

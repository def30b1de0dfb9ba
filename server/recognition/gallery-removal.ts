/** Taking people and pictures out of the gallery, so that nothing of them is left. */
import { notFound } from '../errors.ts';
import type { GalleryStore } from './gallery-store.ts';
import type { PictureFolder } from './picture-folder.ts';
import { settledWithin } from './settled-within.ts';

/** How long a removal waits for tasks that still hold the old index, before it answers; it is wiped when the last one ends. */
const WIPE_WAIT_MS = 5000;

export interface RemovalParts {
  readonly store: Pick<GalleryStore, 'removePerson' | 'removePicture'>;
  readonly folder: Pick<PictureFolder, 'remove'>;
  /** Takes the name of a person from memory: from then on nobody is called so. */
  readonly forgetName: (name: string) => void;
  /** Makes the index anew from the database; `oldCleared` settles when the old memory is wiped. */
  readonly reload: () => Promise<{ oldCleared: Promise<void> }>;
  /** Removes every file that no row names. */
  readonly sweep: () => Promise<void>;
  /** Called when rows are gone. */
  readonly onRemoved: () => void;
}

export interface RemovedRows {
  /** How many pictures went; 0 where an earlier try had taken the rows already. */
  readonly pictures: number;
  /** Whether the person is gone: always, but for a picture that was not the last. */
  readonly personRemoved: boolean;
}

/**
 * In this order, so that nobody removed is recognised whatever happens in between: the name goes from memory, the rows from the
 * database, the embeddings from memory, the pictures from the disk. A start after a crash finds no rows, and sweeps the pictures.
 *
 * Both are called inside the gallery's lock.
 */
export function createRemoval({ store, folder, forgetName, reload, sweep, onRemoved }: RemovalParts) {
  /** What failed half way, as `name` or `name` and the picture's number: a second try finishes it. */
  const unfinished = new Set<string>();

  async function finish(key: string, work: () => Promise<RemovedFiles | null>, what: string) {
    const retried = unfinished.has(key);
    unfinished.add(key);
    const removed = await work();
    if (removed === null && !retried) {
      unfinished.delete(key);
      throw notFound(what);
    }
    const { oldCleared } = await reload();
    if (retried) await sweep();
    else await folder.remove(removed!.fileNames);
    unfinished.delete(key);
    await settledWithin(oldCleared, WIPE_WAIT_MS);
    onRemoved();
    return removed;
  }

  return {
    /** @throws ServerError 404; 500 PICTURES_LEFT where a file could not be removed */
    async person(name: string): Promise<RemovedRows> {
      forgetName(name);
      const removed = await finish(
        JSON.stringify([name]),
        () => store.removePerson(name),
        `the person ${JSON.stringify(name)}`,
      );
      return { pictures: removed?.fileNames.length ?? 0, personRemoved: true };
    },

    /** The last picture takes the person with it: nobody can be known by none. Errors as above. */
    async picture(name: string, pictureId: number): Promise<RemovedRows> {
      let personRemoved = false;
      const removed = await finish(
        JSON.stringify([name, pictureId]),
        async () => {
          const rows = await store.removePicture(name, pictureId);
          if (rows === null) return null;
          personRemoved = rows.personRemoved;
          return { fileNames: [rows.fileName] };
        },
        `picture ${pictureId} of ${JSON.stringify(name)}`,
      );
      return { pictures: removed?.fileNames.length ?? 0, personRemoved };
    },
  };
}

interface RemovedFiles {
  readonly fileNames: readonly string[];
}

/** The permitted faces: enrolling, removing, and the index that faces are compared with. */
import { join, parse } from 'node:path';
import type { Calibration } from '../../models/calibration.ts';
import type { FaceQuality, IndexMatch, IndexReference } from '../../workers/protocol.ts';
import { notFound, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { normaliseName, requireGoodFace } from './enrolment.ts';
import { alreadyEnrolled, type Enrolment, full } from './enrolment-outcome.ts';
import { type Decision, decide, resembledPerson } from './gallery-decision.ts';
import { GalleryIndex, personEmbeddings } from './gallery-index.ts';
import type { GalleryLimits, GalleryStore, PersonSummary } from './gallery-store.ts';
import { galleryThreshold } from './gallery-threshold.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { type ImportReport, importPermittedFolder, pictureFiles, sha256Of } from './permitted-folder.ts';
import { openPictureFolder } from './picture-folder.ts';
import type { Recognizer } from './recognizer.ts';
import { embedOnlyFace, type ReembedProgress, type ReembedReport, reembed } from './reembed.ts';
import { settledWithin } from './settled-within.ts';

export interface GalleryOptions {
  readonly store: GalleryStore;
  /** `<DATA_DIR>/faces`; each database has a folder of its own in it. */
  readonly pictureFolder: string;
  /** PERMITTED_FACES_DIR. */
  readonly permittedFolder: string;
  readonly embedderId: string;
  readonly calibration: Calibration;
  readonly similarityThreshold: number;
  readonly falsePositiveIdentificationRate: number;
  readonly recognizer: Pick<Recognizer, 'analyse'>;
  readonly maxPictureBytes: number;
  readonly limits?: GalleryLimits;
  readonly log: Log;
}

export interface Removal {
  readonly name: string;
  readonly pictures: number;
  /** Files of that name in PERMITTED_FACES_DIR. They are not ours to delete, and are not enrolled again. */
  readonly filesLeft: readonly string[];
}

export type Gallery = Awaited<ReturnType<typeof openGallery>>;

export const DEFAULT_LIMITS: GalleryLimits = { perPerson: 50, perGallery: 100_000 };

/** How long a removal waits for tasks that still hold the old index, before it answers; it is wiped when the last one ends. */
const WIPE_WAIT_MS = 5000;

/** Reads names and embeddings into memory, and removes pictures that a crash left without a row. */
export async function openGallery(options: GalleryOptions) {
  const { store, embedderId, limits = DEFAULT_LIMITS, log } = options;
  const pictures = await openPictureFolder(join(options.pictureFolder, await store.galleryId()));
  const index = new GalleryIndex();
  const names = new Map<number, string>();
  const stopped = new AbortController();
  const exclusively = oneAtATime();
  /** True where memory could not be brought in line with the database: done at the next call. */
  let stale = false;
  /** Names whose removal failed half way. */
  const unfinished = new Set<string>();
  const purging = oneAtATime();
  let purgesWaiting = 0;

  async function reload(): Promise<{ oldCleared: Promise<void> }> {
    stale = true;
    const persons = await store.persons();
    const expectedRows = persons.reduce((sum, person) => sum + person.pictures, 0);
    const replaced = await index.replace(() => personEmbeddings(store, embedderId), expectedRows);
    names.clear();
    for (const { id, name } of persons) names.set(id, name);
    stale = false;
    return replaced;
  }

  async function sweep(): Promise<void> {
    const orphans = await pictures.sweep(await store.fileNames());
    if (orphans > 0) log.info({ orphans }, 'removed pictures that belong to nobody');
  }

  await sweep();
  await reload();

  const threshold = () => galleryThreshold(thresholdRule, index.rows);
  const thresholdRule = {
    similarityThreshold: options.similarityThreshold,
    falsePositiveIdentificationRate: options.falsePositiveIdentificationRate,
    calibration: options.calibration,
  };

  /** Inside the lock. */
  async function show(person: number, name: string, embedding: Float32Array): Promise<void> {
    // Made anew from the database, the index has the row already.
    if (!index.append({ person, embedding })) await reload();
    names.set(person, name);
  }

  async function enrolPicture(
    receivedName: unknown,
    bytes: Uint8Array,
    imported: boolean,
  ): Promise<Enrolment> {
    const name = normaliseName(receivedName);
    const sha256 = sha256Of(bytes);
    if (stale) await exclusively(reload);
    const known = await store.pictureBySha256(sha256);
    if (known !== null) {
      const answer = alreadyEnrolled(known, name);
      if (imported) await store.rememberImport(sha256);
      return answer;
    }
    const face = await embedOnlyFace(options.recognizer, bytes);
    requireGoodFace(face);
    const { embedding, quality } = face;
    return exclusively(async () => {
      const fileName = await pictures.write(bytes);
      const resembled = resembledPerson(name, index.search(embedding), names, threshold());
      const added = await addRow(
        { name, fileName, sha256, quality, modelId: embedderId, embedding, imported },
        () => pictures.remove([fileName]),
      );
      if (added.outcome === 'known') return alreadyEnrolled(added, name);
      await show(added.personId, name, embedding);
      return {
        name,
        fileName,
        faceId: added.pictureId,
        quality,
        alreadyEnrolled: false,
        warning:
          resembled === null
            ? null
            : `the face is as similar to ${resembled} as pictures of one person are: if it is not a twin, check the name`,
      };
    });
  }

  /** Adds the rows; where they were not added, the file goes again. */
  async function addRow(picture: Parameters<GalleryStore['addPicture']>[0], discard: () => Promise<void>) {
    try {
      const added = await store.addPicture(picture, limits);
      if (added.outcome === 'added') return added;
      await discard();
      if (added.outcome === 'known') return added;
      throw full(added.outcome, added.pictures, picture.name, limits);
    } catch (error) {
      if (error instanceof ServerError && error.status !== 503) throw error;
      // The connection may have broken after the commit: then the row is there and needs its file. Where the database cannot be
      // asked, the file stays, and the next start removes it if it belongs to nobody.
      const found = await store.pictureBySha256(picture.sha256);
      if (found?.fileName === picture.fileName)
        return { outcome: 'added' as const, personId: found.personId, pictureId: found.pictureId };
      await discard();
      throw error;
    }
  }

  /**
   * In this order, so that nobody removed is recognised whatever happens in between: the name goes from memory, the rows from the
   * database, the embeddings from memory, the pictures from the disk. A start after a crash finds no rows, and sweeps the pictures.
   */
  async function removePerson(name: string): Promise<number> {
    for (const [id, known] of names) if (known === name) names.delete(id);
    const retried = unfinished.has(name);
    unfinished.add(name);
    const removed = await store.removePerson(name);
    if (removed === null && !retried) {
      unfinished.delete(name);
      throw notFound(`the person ${JSON.stringify(name)}`);
    }
    const { oldCleared } = await reload();
    if (retried) await sweep();
    else await pictures.remove(removed!.fileNames);
    unfinished.delete(name);
    await settledWithin(oldCleared, WIPE_WAIT_MS);
    void purge();
    return removed?.fileNames.length ?? 0;
  }

  /** In the background, because it takes seconds in a large gallery; removals that come meanwhile share the next one. */
  async function purge(): Promise<void> {
    if (purgesWaiting > 0) return;
    purgesWaiting++;
    await purging(async () => {
      purgesWaiting--;
      await store.purge();
    }).catch((error) =>
      log.warn({ err: error }, 'what deleted people left in the database files was not wiped yet'),
    );
  }

  return {
    /**
     * Lends the index to a task; null while nobody is enrolled. Its memory stays as it is until `work` has settled, so name it in no
     * task that goes on after that.
     */
    async withIndex<T>(work: (reference: IndexReference | null) => Promise<T>): Promise<T> {
      const lease = index.acquire();
      try {
        return await work(lease?.reference ?? null);
      } finally {
        lease?.release();
      }
    },
    /** What a comparison means now; a person removed since is unknown. */
    decide: (match: IndexMatch | null, quality: FaceQuality): Decision =>
      decide(match, quality, names, threshold()),
    threshold,
    /** People, and pictures with an embedding of the model in use. */
    size: () => ({ persons: names.size, pictures: index.rows }),

    /**
     * Enrols a person, or adds a picture to one. When this returns, the picture is on the disk, the rows are committed and every
     * thread sees the face.
     * @throws ServerError 400 for the name; 409 PICTURE_OF_ANOTHER; 422 for the picture (see enrolment.ts) or a person with
     *   enough of them; 507 for a full gallery or disk; and what Recognizer.analyse throws
     */
    enrol: (name: unknown, bytes: Uint8Array): Promise<Enrolment> => enrolPicture(name, bytes, false),

    /** Sorted by name. */
    list: (): Promise<PersonSummary[]> => store.persons(),

    /**
     * Removes rows, embeddings, memory and pictures of a person.
     * @throws ServerError 404; 500 PICTURES_LEFT where a picture could not be removed (nobody is recognised by it any more)
     */
    async remove(receivedName: unknown): Promise<Removal> {
      const name = normaliseName(receivedName);
      const count = await exclusively(() => removePerson(name));
      const files = await pictureFiles(options.permittedFolder).catch(() => []);
      return {
        name,
        pictures: count,
        filesLeft: files.filter((file) => parse(file).name.normalize('NFC').trim() === name),
      };
    },

    /** Once after the start, when the recogniser is ready; what is ready already is in use meanwhile. */
    async reembed(onProgress?: (progress: ReembedProgress) => void): Promise<ReembedReport> {
      const report = await reembed({
        store,
        modelId: embedderId,
        recognizer: options.recognizer,
        read: pictures.read,
        keep: ({ pictureId, personId, name }, embedding) =>
          exclusively(async () => {
            const kept = await store.addEmbedding(pictureId, embedderId, embedding);
            if (kept) await show(personId, name, embedding);
            return kept;
          }),
        onProgress,
        signal: stopped.signal,
      });
      for (const picture of report.failed)
        log.warn(picture, 'a stored picture has no embedding of the present model');
      return report;
    },

    /** Once after the start, after `reembed`. */
    async importPermitted(): Promise<ImportReport> {
      const report = await importPermittedFolder({
        folder: options.permittedFolder,
        maxPictureBytes: options.maxPictureBytes,
        wasImported: store.wasImported,
        enrol: (name, bytes) => enrolPicture(name, bytes, true),
        signal: stopped.signal,
      });
      for (const failure of report.failed) log.warn(failure, 'a permitted face was not enrolled');
      return report;
    },

    /** Lets work under way end, starts no more of `reembed` and `importPermitted`, and wipes the index. */
    async close(): Promise<void> {
      stopped.abort();
      await exclusively(async () => {
        names.clear();
        void index.close();
      });
      await purging(async () => {});
    },
  };
}

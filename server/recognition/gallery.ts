/** The permitted faces: enrolling, removing, and the index that faces are compared with. */
import { join, parse } from 'node:path';
import type { Calibration } from '../../models/calibration.ts';
import type { Box, FaceQuality, IndexMatch, IndexReference } from '../../workers/protocol.ts';
import { notFound } from '../errors.ts';
import type { Log } from '../log.ts';
import { createBackgroundPurge } from './background-purge.ts';
import { normaliseName, requireGoodFace } from './enrolment.ts';
import { alreadyEnrolled, type Enrolment } from './enrolment-outcome.ts';
import { cutOutFace } from './face-cut.ts';
import { type Decision, decide, NOISE_THRESHOLD_RISE, resembledPerson } from './gallery-decision.ts';
import { GalleryIndex, personEmbeddings } from './gallery-index.ts';
import { createRemoval } from './gallery-removal.ts';
import type { GalleryLimits, GalleryStore, PersonSummary, PictureSummary } from './gallery-store.ts';
import { galleryThreshold } from './gallery-threshold.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { type ImportReport, importPermittedFolder, pictureFiles, sha256Of } from './permitted-folder.ts';
import { openPictureFolder } from './picture-folder.ts';
import { addPictureRow } from './picture-row.ts';
import type { Recognizer } from './recognizer.ts';
import { embedFace, type ReembedProgress, type ReembedReport, reembed } from './reembed.ts';
import { createThumbnails } from './thumbnails.ts';

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
  readonly recognizer: Pick<Recognizer, 'analyse' | 'crop'>;
  readonly maxPictureBytes: number;
  readonly limits?: GalleryLimits;
  readonly log: Log;
}

export interface Removal {
  readonly name: string;
  /** How many pictures went. */
  readonly pictures: number;
  readonly personRemoved: boolean;
  /** Files of that name in PERMITTED_FACES_DIR. They are not ours to delete, and are not enrolled again. */
  readonly filesLeft: readonly string[];
}

export type Gallery = Awaited<ReturnType<typeof openGallery>>;

export const DEFAULT_LIMITS: GalleryLimits = { perPerson: 50, perGallery: 100_000 };

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
  const purge = createBackgroundPurge(store.purge, log);

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

  const thumbnails = createThumbnails(pictures.read, options.recognizer);
  const removal = createRemoval({
    store,
    folder: pictures,
    forgetName(name) {
      for (const [id, known] of names) if (known === name) names.delete(id);
    },
    reload,
    sweep,
    onRemoved: purge.request,
  });

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
    name: string,
    bytes: Uint8Array,
    { imported = false, at = null }: { imported?: boolean; at?: Box | null } = {},
  ): Promise<Enrolment> {
    const sha256 = sha256Of(bytes);
    if (stale) await exclusively(reload);
    const known = await store.pictureBySha256(sha256);
    if (known !== null) {
      const answer = alreadyEnrolled(known, name);
      if (imported) await store.rememberImport(sha256);
      return answer;
    }
    const face = await embedFace(options.recognizer, bytes, at);
    requireGoodFace(face);
    const { box, embedding, quality } = face;
    return exclusively(async () => {
      const fileName = await pictures.write(bytes);
      const resembled = resembledPerson(name, index.search(embedding), names, threshold());
      const added = await addPictureRow(
        store,
        { name, fileName, sha256, box, quality, modelId: embedderId, embedding, imported },
        limits,
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

  async function leftInFolder(name: string): Promise<string[]> {
    const files = await pictureFiles(options.permittedFolder).catch(() => []);
    return files.filter((file) => parse(file).name.normalize('NFC').trim() === name);
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
    decide: (match: IndexMatch | null, quality: FaceQuality, noisy = false): Decision =>
      decide(match, quality, names, threshold() + (noisy ? NOISE_THRESHOLD_RISE : 0)),
    threshold,
    /** People, and pictures with an embedding of the model in use. */
    size: () => ({ persons: names.size, pictures: index.rows }),

    /**
     * Enrols a person, or adds a picture to one. When this returns, the picture is on the disk, the rows are committed and every
     * thread sees the face.
     * @throws ServerError 400 for the name; 409 PICTURE_OF_ANOTHER; 422 for the picture (see enrolment.ts) or a person with
     *   enough of them; 507 for a full gallery or disk; and what Recognizer.analyse throws
     */
    enrol: async (name: unknown, bytes: Uint8Array): Promise<Enrolment> =>
      enrolPicture(normaliseName(name), bytes),

    /**
     * Enrols one face of a picture that may show several. What is kept is a part of the picture around that face.
     * @param box where the face is, in pixels of the upright picture
     * @throws as `enrol` does; ServerError 422 FACE_NOT_THERE
     */
    async enrolFace(receivedName: unknown, bytes: Uint8Array, box: Box): Promise<Enrolment> {
      const name = normaliseName(receivedName);
      const cut = await cutOutFace(options.recognizer, bytes, box);
      return enrolPicture(name, cut.bytes, { at: cut.box });
    },

    /** Sorted by name. */
    list: (): Promise<PersonSummary[]> => store.persons(),

    /** Oldest first. @throws ServerError 400 for the name, 404 */
    async pictures(receivedName: unknown): Promise<readonly PictureSummary[]> {
      const name = normaliseName(receivedName);
      const found = await store.picturesOf(name);
      if (found.length === 0) throw notFound(`the person ${JSON.stringify(name)}`);
      return found;
    },

    /** The file as it was posted, or the face in it as a small JPEG. @throws as `pictures` */
    async picture(receivedName: unknown, pictureId: number, thumbnail: boolean): Promise<Uint8Array> {
      const name = normaliseName(receivedName);
      const found = await store.pictureOf(name, pictureId);
      if (found === null) throw notFound(`picture ${pictureId} of ${JSON.stringify(name)}`);
      return (thumbnail ? thumbnails.of(found) : pictures.read(found.fileName)).catch((error) => {
        // Removed since it was looked up.
        if (error.code === 'ENOENT') throw notFound(`picture ${pictureId} of ${JSON.stringify(name)}`);
        throw error;
      });
    },

    /**
     * Removes rows, embeddings, memory and pictures of a person.
     * @throws ServerError 404; 500 PICTURES_LEFT where a picture could not be removed (nobody is recognised by it any more)
     */
    async remove(receivedName: unknown): Promise<Removal> {
      const name = normaliseName(receivedName);
      const removed = await exclusively(() => removal.person(name)).finally(thumbnails.clear);
      return { name, ...removed, filesLeft: await leftInFolder(name) };
    },

    /** Removes one picture, and with the last one the person. Errors as in `remove`. */
    async removePicture(receivedName: unknown, pictureId: number): Promise<Removal> {
      const name = normaliseName(receivedName);
      const removed = await exclusively(() => removal.picture(name, pictureId)).finally(thumbnails.clear);
      return { name, ...removed, filesLeft: await leftInFolder(name) };
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
        enrol: (name, bytes) => enrolPicture(normaliseName(name), bytes, { imported: true }),
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
        thumbnails.clear();
        void index.close();
      });
      await purge.settled();
    },
  };
}

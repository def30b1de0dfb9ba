/** Builds recognition out of its parts: models, threads, gallery, and the better detector that may still have to be fetched. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DescriptionError, readDescribedPacks } from '../models/described-pack.ts';
import { fetchModel, installedModel } from '../models/fetch.ts';
import { type DetectorModel, type EmbedderModel, modelById } from '../models/manifest.ts';
import { SPHERE_LIFT_RADIUS } from '../models/sphere-lift.ts';
import type { Closers } from './closers.ts';
import { fetchDetector } from './detector-fetch.ts';
import { StartError } from './errors.ts';
import { prepareGallery } from './gallery-preparation.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { chooseModels, type ModelChoice } from './model-choice.ts';
import { type Gallery, openGallery } from './recognition/gallery.ts';
import { similarityOfDistance } from './recognition/gallery-threshold.ts';
import { PROVIDER_ORDER } from './recognition/providers.ts';
import { type Recognizer, startRecognizer } from './recognition/recognizer.ts';
import type { Config } from './settings.ts';
import { createFaceStore } from './store/faces.ts';
import type { Database } from './store/pool.ts';

/** @throws {StartError} where a model that is asked for is unknown or not there */
export async function chooseInstalledModels(config: Config): Promise<ModelChoice> {
  const described = await describedPacks(config.DATA_DIR);
  return chooseModels(config, (file) => installedModel(config.DATA_DIR, file), described);
}

/** @throws {StartError} where no provider works, with the reason of each */
export async function startRecognition(
  choice: ModelChoice,
  config: Config,
  log: Log,
  metrics: Metrics,
  closers: Closers,
): Promise<Recognizer> {
  const recognizer = await startRecognizer({
    models: choice.selection,
    providers: config.PROVIDER.length > 0 ? config.PROVIDER : PROVIDER_ORDER,
    threads: config.WORKER_THREADS ?? availableParallelism(),
    limits: { maxPixels: config.MAX_PICTURE_PIXELS, maxFaces: config.MAX_FACES },
    queueLimit: config.QUEUE_LIMIT,
    log,
    onDrop: (reason) => metrics.queueDrops.inc({ queue: 'recognition', reason }),
    onWait: (waitedMs) => metrics.queueWaitSeconds.observe({ queue: 'recognition' }, waitedMs / 1000),
    onAnalysed: ({ timings, faces, requestId, threadId }) => {
      log.debug({ requestId, threadId, faces: faces.length, ...timings }, 'picture looked at');
      for (const [stage, ms] of Object.entries(timings))
        metrics.stageSeconds.observe({ stage: stage.replace(/Ms$/, '') }, ms / 1000);
    },
  }).catch((error: Error) => {
    throw new StartError(`recognition cannot start: ${error.message}`);
  });
  closers.add('recogniser', () => recognizer.close());
  return recognizer;
}

/** The detector that the threads run now, and its file; null for the embedded one. */
export async function detectorInUse(
  config: Config,
  recognizer: Recognizer,
): Promise<{ readonly model: DetectorModel; readonly path: string | null }> {
  const model = modelById(recognizer.status.detector) as DetectorModel;
  return { model, path: model.file === null ? null : await installedModel(config.DATA_DIR, model.file) };
}

export interface GalleryParts {
  readonly config: Config;
  readonly choice: ModelChoice;
  readonly database: Database;
  readonly recognizer: Recognizer;
  readonly log: Log;
  readonly closers: Closers;
}

export async function composeGallery({
  config,
  choice,
  database,
  recognizer,
  log,
  closers,
}: GalleryParts): Promise<{
  readonly gallery: Gallery;
  /** Embeds again what another model embedded, and takes in the permitted folder: in the background, once the server listens. */
  readonly prepare: () => void;
}> {
  const gallery = await openGallery({
    store: createFaceStore(database),
    pictureFolder: join(config.DATA_DIR, 'faces'),
    permittedFolder: config.PERMITTED_FACES_DIR ?? join(config.DATA_DIR, 'permitted_faces'),
    embedderId: choice.embedder.id,
    calibration: choice.embedder.calibration,
    similarityThreshold: similarityThreshold(config, choice.embedder, log),
    falsePositiveIdentificationRate: config.GALLERY_FPIR,
    recognizer,
    maxPictureBytes: config.MAX_UPLOAD_BYTES,
    log,
  });
  let prepared: Promise<void> = Promise.resolve();
  closers.add('gallery', async () => {
    await gallery.close();
    await prepared;
  });
  return {
    gallery,
    prepare() {
      prepared = prepareGallery(gallery, log);
    },
  };
}

/** Starts the fetch in the background where one is needed and allowed. @returns its end, which never rejects */
export function fetchMissingDetector({
  config,
  choice,
  recognizer,
  log,
  closers,
}: Omit<GalleryParts, 'database'>): Promise<void> {
  if (choice.missingDetector === null || config.MODEL_DOWNLOAD !== 'auto') return Promise.resolve();
  const fetch = fetchDetector({
    detector: choice.missingDetector,
    selection: choice.selection,
    fetch: (file, signal) => fetchModel(file, config.DATA_DIR, { signal }),
    use: (selection) => recognizer.useModels(selection),
    log,
  });
  closers.add('detector fetch', async () => {
    fetch.abort();
    await fetch.done;
  });
  return fetch.done;
}

function similarityThreshold(config: Config, embedder: EmbedderModel, log: Log): number {
  const tolerance = config.FACE_RECOGNITION_TOLERANCE;
  if (tolerance === undefined) return config.SIMILARITY_THRESHOLD;
  if (embedder.family !== 'dlib-resnet') {
    log.warn(
      { embedder: embedder.id },
      'FACE_RECOGNITION_TOLERANCE means nothing to this embedder; SIMILARITY_THRESHOLD counts',
    );
    return config.SIMILARITY_THRESHOLD;
  }
  const similarity = similarityOfDistance(tolerance, SPHERE_LIFT_RADIUS);
  log.info({ tolerance, similarity }, 'FACE_RECOGNITION_TOLERANCE stands for this similarity');
  return similarity;
}

/** @throws {StartError} where a description is not what it has to be */
async function describedPacks(dataDir: string): Promise<EmbedderModel[]> {
  try {
    return await readDescribedPacks(dataDir);
  } catch (error) {
    if (error instanceof DescriptionError) throw new StartError(error.message);
    throw error;
  }
}

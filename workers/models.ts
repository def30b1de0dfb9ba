/** Opens the networks that a pool runs: files that were fetched, or the embedded pack, built in memory. */
import { readFile } from 'node:fs/promises';
import { buildDlibResnet } from '../models/build/dlib-resnet.ts';
import { buildLandmarks68 } from '../models/build/landmarks-68.ts';
import { buildSsdMobilenet } from '../models/build/ssd-mobilenet.ts';
import { mergeYunetHeads } from '../models/build/yunet-heads.ts';
import { type DetectorModel, type EmbedderModel, modelById } from '../models/manifest.ts';
import type { Detector } from './detect/detector.ts';
import type { LookThresholds } from './detect/looks.ts';
import { createSsdDetector } from './detect/ssd.ts';
import { createYunetDetector } from './detect/yunet.ts';
import { createEmbedder, type Embedder } from './embed.ts';
import { createLandmarkFinder, type LandmarkFinder } from './landmarks.ts';
import type { ModelSelection } from './protocol.ts';
import { type Graph, type GraphOpener, ProviderError } from './session.ts';

export interface OpenModels {
  readonly detector: Detector;
  /** What a face needs where a very dark frame is looked at twice. */
  readonly lookThresholds: LookThresholds;
  readonly landmarks: LandmarkFinder;
  readonly embedder: Embedder;
}

/**
 * @throws ProviderError where the provider cannot load one of them, or its file cannot be read
 * @throws RangeError for an id that is not in the manifest
 */
export async function openModels(opener: GraphOpener, selection: ModelSelection): Promise<OpenModels> {
  return {
    detector: await openDetector(opener, selection.detector),
    lookThresholds: (modelOfTask(selection.detector.id, 'detector') as DetectorModel).inLooks,
    landmarks: createLandmarkFinder(await opener.open('face-landmark-68', buildLandmarks68())),
    embedder: await openEmbedder(opener, selection.embedder),
  };
}

async function openDetector(opener: GraphOpener, selected: ModelSelection['detector']): Promise<Detector> {
  const model = modelOfTask(selected.id, 'detector') as DetectorModel;
  const options = {
    scoreThreshold: model.scoreThreshold,
    overlapThreshold: model.iouThreshold,
    layout: model.layout,
  };
  if (model.family === 'yunet')
    return createYunetDetector(await openYunet(opener, model.id, fileOf(selected)), options);
  return createSsdDetector(
    (inputWidth, inputHeight) =>
      opener.open(`${model.id} ${inputWidth}x${inputHeight}`, buildSsdMobilenet({ inputWidth, inputHeight })),
    options,
  );
}

/** With its heads merged where it is the network that this is known of: the same numbers in less time. */
async function openYunet(opener: GraphOpener, id: string, path: string): Promise<Graph> {
  const file = await readFile(path).catch((error: Error) => {
    throw new ProviderError(`${opener.provider} cannot load ${id}: ${error.message}`, { cause: error });
  });
  return opener.open(id, mergeYunetHeads(file) ?? file);
}

async function openEmbedder(opener: GraphOpener, selected: ModelSelection['embedder']): Promise<Embedder> {
  const model = selected.description ?? (modelOfTask(selected.id, 'embedder') as EmbedderModel);
  const bytes = model.embedded ? buildDlibResnet() : fileOf(selected);
  return createEmbedder(await opener.open(model.id, bytes, [model.outputName]), model);
}

function modelOfTask(id: string, task: 'detector' | 'embedder') {
  const model = modelById(id);
  if (model.task !== task) throw new RangeError(`model ${id}: expected a ${task}, received a ${model.task}`);
  return model;
}

function fileOf(selected: { readonly id: string; readonly path: string | null }): string {
  if (selected.path === null)
    throw new RangeError(`model ${selected.id}: expected the path of its file, received none`);
  return selected.path;
}

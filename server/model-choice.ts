/** Which networks the configuration asks for, and which of them are at hand. */
import { join } from 'node:path';
import {
  type DetectorModel,
  detectorModels,
  type EmbedderModel,
  embedderModels,
  type ModelFile,
} from '../models/manifest.ts';
import type { ModelSelection } from '../workers/protocol.ts';
import { StartError } from './errors.ts';
import type { Config } from './settings.ts';

/** The path of a model's file that is there and verified, else null. */
export type FindModel = (file: ModelFile) => Promise<string | null>;

export interface ModelChoice {
  readonly selection: ModelSelection;
  readonly embedder: EmbedderModel;
  /** A detector that is wanted and not there; the selection has the embedded one until it is. */
  readonly missingDetector: (DetectorModel & { readonly file: ModelFile }) | null;
}

/**
 * @param described networks that their owner described in files of `<DATA_DIR>/models`
 * @throws {StartError} for an embedder that is unknown or not there, and for a detector that is not there and may not be fetched
 */
export async function chooseModels(
  config: Config,
  find: FindModel,
  described: readonly EmbedderModel[],
): Promise<ModelChoice> {
  const embedders = [...embedderModels, ...described];
  const embedder = embedders.find((model) => model.id === config.EMBEDDER);
  if (embedder === undefined) {
    const known = embedders.map((model) => model.id).join(', ');
    throw new StartError(`EMBEDDER: expected one of ${known}, received ${JSON.stringify(config.EMBEDDER)}`);
  }
  const embedderPath = embedder.file === null ? null : await find(embedder.file);
  if (embedder.file !== null && embedderPath === null)
    throw new StartError(
      `EMBEDDER=${embedder.id}: its file ${join(config.DATA_DIR, 'models', embedder.file.fileName)} is not there or not the right one: npm run models -- fetch ${embedder.id}`,
    );
  const embedderSelection = {
    id: embedder.id,
    path: embedderPath,
    ...(described.includes(embedder) ? { description: embedder } : {}),
  };

  const embedded = detectorModels.find((model) => model.family === 'ssd-mobilenet')!;
  const yunet = detectorModels.find((model) => model.family === 'yunet')!;
  const { file } = yunet;
  const path = config.DETECTOR === 'ssd' || file === null ? null : await find(file);
  if (path !== null) {
    const selection = { detector: { id: yunet.id, path }, embedder: embedderSelection };
    return { selection, embedder, missingDetector: null };
  }
  if (config.DETECTOR === 'yunet' && config.MODEL_DOWNLOAD === 'never')
    throw new StartError(
      `DETECTOR=yunet: its file is not there, and MODEL_DOWNLOAD=never: npm run models -- fetch ${yunet.id}`,
    );
  const selection = { detector: { id: embedded.id, path: null }, embedder: embedderSelection };
  const missingDetector = config.DETECTOR === 'ssd' || file === null ? null : { ...yunet, file };
  return { selection, embedder, missingDetector };
}

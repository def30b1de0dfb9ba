/** The choices of models that benches run: the embedded pack always, YuNet where its file is. */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { detectorModels } from '../models/manifest.ts';
import { modelPath, verifyModel } from '../models/place.ts';
import { loadConfig } from '../server/config.ts';
import { EMBEDDED_PACK, withYunet } from '../test/support/pipeline.ts';
import { YUNET_PATH } from '../test/support/samples.ts';
import type { ModelSelection } from '../workers/protocol.ts';

export const PROJECT_FOLDER = dirname(fileURLToPath(new URL('.', import.meta.url)));

export const SSD: ModelSelection = EMBEDDED_PACK;

export const WITHOUT_YUNET = 'YuNet: its file is not there (npm run models -- fetch yunet)';

/** Null where there is no verified file of it, neither in DATA_DIR nor beside the project. */
export async function findYunet(): Promise<ModelSelection | null> {
  const { file } = detectorModels.find((model) => model.family === 'yunet')!;
  if (file === null) return null;
  const dataDir = resolve(PROJECT_FOLDER, loadConfig(PROJECT_FOLDER).config.DATA_DIR);
  for (const path of [modelPath(dataDir, file), YUNET_PATH])
    if (path !== null && (await verifyModel(path, file)).state === 'verified') return withYunet(path);
  return null;
}

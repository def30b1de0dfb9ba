/** The photos that come with the package of the embedded weights: on every machine after `npm ci`. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const package_ = fileURLToPath(import.meta.resolve('@vladmandic/face-api/package.json'));

/** How many people each shows, one to six. */
export const FACES_IN_SAMPLE = [3, 3, 3, 4, 5, 4] as const;

export const samplePath = (number: number): string =>
  package_.replace('package.json', `demo/sample${number}.jpg`);

export const readSample = (number: number): Promise<Buffer> => readFile(samplePath(number));

/** Files that a plain clone does not have: null where they are missing, and the test says so. */
export function sharedPath(path: string): string | null {
  const full = fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
  return existsSync(full) ? full : null;
}

export const YUNET_PATH = sharedPath('models/yunet_n_dynamic.onnx');
export const WITHOUT_YUNET = YUNET_PATH === null ? 'the YuNet file is not beside the project' : false;

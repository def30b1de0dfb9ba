import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Weights of one layer: row-major in the order of `shape`, as TensorFlow stores them (filters HWIO). */
export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type FaceApiNetwork = 'face_recognition' | 'face_landmark_68' | 'ssd_mobilenetv1';

/** SHA-256 of each .bin of @vladmandic/face-api 1.7.15: a model's id stands for these weights and no others. */
const WEIGHTS_SHA256: Readonly<Record<FaceApiNetwork, string>> = {
  face_recognition: 'b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589',
  face_landmark_68: '4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b',
  ssd_mobilenetv1: '2835640602d53718aa6ae9a42896327eaa21beefed056c218d32ca7d79e1e2f8',
};

interface ManifestEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly scale: number; readonly min: number };
}

interface ManifestGroup {
  readonly paths: readonly string[];
  readonly weights: readonly ManifestEntry[];
}

/** The weights of one network of @vladmandic/face-api, by their names in its manifest. */
export class FaceApiWeights {
  readonly #byName: ReadonlyMap<string, Weights>;
  readonly #network: FaceApiNetwork;

  constructor(network: FaceApiNetwork, byName: ReadonlyMap<string, Weights>) {
    this.#network = network;
    this.#byName = byName;
  }

  /** @throws Error where the network has no weights of this name */
  get(name: string): Weights {
    const found = this.#byName.get(name);
    if (found === undefined) throw new Error(`${this.#network}: expected weights named ${name}, found none`);
    return found;
  }
}

/**
 * Reads a network's weights from the installed npm package (TensorFlow.js weight format: a JSON manifest beside one binary file).
 *
 * @throws Error where the package is missing or its file is not the one these graphs were verified with
 */
export function readFaceApiWeights(network: FaceApiNetwork): FaceApiWeights {
  const packageFolder = dirname(fileURLToPath(import.meta.resolve('@vladmandic/face-api/package.json')));
  const folder = join(packageFolder, 'model');
  const manifestPath = join(folder, `${network}_model-weights_manifest.json`);
  const groups: ManifestGroup[] = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const [group] = groups;
  const [fileName] = group?.paths ?? [];
  if (groups.length !== 1 || group === undefined || fileName === undefined || group.paths.length !== 1) {
    throw new Error(`${manifestPath}: expected one group with one file`);
  }
  const path = join(folder, fileName);
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== WEIGHTS_SHA256[network]) {
    throw new Error(
      `${path}: expected SHA-256 ${WEIGHTS_SHA256[network]}, found ${sha256}; run npm ci again`,
    );
  }
  return new FaceApiWeights(network, decodeWeights(group.weights, bytes));
}

/**
 * Decodes the binary file of a manifest.
 *
 * @throws Error for a data type that none of these networks has, or where entries and file differ in length
 */
export function decodeWeights(entries: readonly ManifestEntry[], bytes: Uint8Array): Map<string, Weights> {
  const byName = new Map<string, Weights>();
  let offset = 0;
  for (const entry of entries) {
    const length = entry.shape.reduce((product, size) => product * size, 1);
    const data = new Float32Array(length);
    if (entry.quantization === undefined) {
      if (entry.dtype !== 'float32') throw new Error(`${entry.name}: expected float32, found ${entry.dtype}`);
      new Uint8Array(data.buffer).set(bytes.subarray(offset, offset + 4 * length));
      offset += 4 * length;
    } else {
      // The quantised size counts, whatever `dtype` says: the SSD's int32 constants are one byte each.
      const { dtype, scale, min } = entry.quantization;
      if (dtype !== 'uint8') throw new Error(`${entry.name}: expected uint8 quantisation, found ${dtype}`);
      for (let index = 0; index < length; index++) data[index] = bytes[offset + index]! * scale + min;
      offset += length;
    }
    if (offset > bytes.length) break;
    byName.set(entry.name, { shape: entry.shape, data });
  }
  if (offset !== bytes.length) {
    throw new Error(`weights: expected ${offset} bytes by the manifest, the file has ${bytes.length}`);
  }
  return byName;
}

/**
 * @vladmandic/face-api itself, on tfjs with its WASM backend: the reference for the graphs that are built from its weights. Only the
 * calls that tests make are typed.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const require = createRequire(import.meta.url);

export interface Tensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
  dispose(): void;
}

export interface NetInput {
  toBatchTensor(sizePx: number, centred: boolean): Tensor;
}

interface Detection {
  readonly detection: unknown;
  readonly alignedRect: unknown;
}

export interface FaceApi {
  readonly NetInput: new (tensors: readonly Tensor[]) => NetInput;
  readonly SsdMobilenetv1Options: new (options: { minConfidence: number }) => unknown;
  readonly nets: {
    readonly ssdMobilenetv1: FaceApiNet & {
      forwardInput(input: NetInput): { boxes: readonly Tensor[]; scores: readonly Tensor[] };
    };
    readonly faceLandmark68Net: FaceApiNet & { runNet(input: NetInput): Tensor };
    readonly faceRecognitionNet: FaceApiNet & { forwardInput(input: NetInput): Tensor };
  };
  detectAllFaces(picture: Tensor, options: unknown): { withFaceLandmarks(): Promise<readonly Detection[]> };
  extractFaceTensors(picture: Tensor, boxes: readonly unknown[]): Promise<Tensor[]>;
}

interface FaceApiNet {
  loadFromDisk(folder: string): Promise<void>;
}

interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor3d(values: Uint8Array, shape: readonly number[], type: 'int32'): Tensor;
  transpose(tensor: Tensor, axes: readonly number[]): Tensor;
}

export interface FaceApiReference {
  readonly faceApi: FaceApi;
  /** Decodes a picture as face-api takes it: [height, width, 3]. */
  readPicture(path: string): Promise<Tensor>;
  /** The batch a network of face-api is given, as planes: [batch, 3, size, size]. */
  planes(input: NetInput, sizePx: number, centred: boolean): Float32Array;
}

/** The folder of the installed package, with its sample photos in `demo`. */
export const faceApiFolder = () => dirname(require.resolve('@vladmandic/face-api/package.json'));

/** The package's sample photos, in order. */
export function samplePhotos(): string[] {
  const folder = join(faceApiFolder(), 'demo');
  return readdirSync(folder)
    .filter((name) => /^sample\d\.jpg$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

export async function loadFaceApi(): Promise<FaceApiReference> {
  const tf: TensorFlow = require('@tensorflow/tfjs');
  const wasm: { setWasmPaths(folder: string): void } = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`);
  await tf.setBackend('wasm');
  await tf.ready();
  const faceApi: FaceApi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
  const weights = join(faceApiFolder(), 'model');
  await faceApi.nets.ssdMobilenetv1.loadFromDisk(weights);
  await faceApi.nets.faceLandmark68Net.loadFromDisk(weights);
  await faceApi.nets.faceRecognitionNet.loadFromDisk(weights);
  return {
    faceApi,
    async readPicture(path) {
      const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      return tf.tensor3d(new Uint8Array(data), [info.height, info.width, 3], 'int32');
    },
    planes: (input, sizePx, centred) =>
      tf.transpose(input.toBatchTensor(sizePx, centred), [0, 3, 1, 2]).dataSync(),
  };
}

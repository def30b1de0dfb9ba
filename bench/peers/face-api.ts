/**
 * What others run for the same job: @vladmandic/face-api, its SSD detector, 68 landmarks and descriptor, on tfjs with the WASM backend
 * (SIMD; in Node.js that backend has one thread).
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Picture } from '../../kernels/picture.ts';
import type { Box } from '../../workers/protocol.ts';

export interface PeerFace {
  readonly box: Box;
  readonly score: number;
  /** Shape [128], the network's own space. */
  readonly descriptor: Float32Array;
}

export interface PeerPicture {
  /** Every face, with landmarks and descriptor: the package's own calls, from a tensor that is there already. */
  findFaces(): Promise<PeerFace[]>;
  dispose(): void;
}

export interface FaceApiPeer {
  /** Name, backend and whether SIMD is in use, for the report. */
  readonly description: string;
  /** Turns decoded pixels into what the package takes, an int32 tensor [height, width, 3]. */
  load(picture: Picture): PeerPicture;
}

interface Tensor {
  dispose(): void;
}

interface TensorFlow {
  readonly version: { readonly tfjs: string };
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  ready(): Promise<void>;
  env(): { getAsync(flag: string): Promise<boolean | number> };
  tensor3d(values: Uint8Array, shape: readonly number[], type: 'int32'): Tensor;
}

interface Net {
  loadFromDisk(folder: string): Promise<void>;
}

interface Detected {
  readonly detection: { readonly box: Box; readonly score: number };
  readonly descriptor: Float32Array;
}

interface FaceApi {
  readonly version: string;
  readonly SsdMobilenetv1Options: new (options: { minConfidence: number; maxResults: number }) => unknown;
  readonly nets: Readonly<Record<'ssdMobilenetv1' | 'faceLandmark68Net' | 'faceRecognitionNet', Net>>;
  detectAllFaces(
    picture: Tensor,
    options: unknown,
  ): { withFaceLandmarks(): { withFaceDescriptors(): Promise<readonly Detected[]> } };
}

/** The package's own defaults. */
const MIN_CONFIDENCE = 0.5;
const MAX_RESULTS = 100;

/** @throws Error where tfjs or its WASM backend cannot be loaded */
export async function openFaceApiPeer(): Promise<FaceApiPeer> {
  const require = createRequire(import.meta.url);
  const folderOf = (name: string) => dirname(require.resolve(`${name}/package.json`));
  const tf: TensorFlow = require('@tensorflow/tfjs');
  const backend: { setWasmPaths(folder: string): void } = require('@tensorflow/tfjs-backend-wasm');
  backend.setWasmPaths(`${folderOf('@tensorflow/tfjs-backend-wasm')}/dist/`);
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs: its WASM backend does not start here');
  await tf.ready();
  const faceApi: FaceApi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
  const weights = join(folderOf('@vladmandic/face-api'), 'model');
  for (const net of ['ssdMobilenetv1', 'faceLandmark68Net', 'faceRecognitionNet'] as const)
    await faceApi.nets[net].loadFromDisk(weights);

  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  const threads = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
  const version = (require('@vladmandic/face-api/package.json') as { version: string }).version;
  return {
    description: `@vladmandic/face-api ${version} on tfjs ${tf.version.tfjs} ${tf.getBackend()}, SIMD ${simd ? 'on' : 'off'}, ${threads ? 'several threads' : 'one thread'}`,
    load({ width, height, data }) {
      const tensor = tf.tensor3d(new Uint8Array(data), [height, width, 3], 'int32');
      const options = new faceApi.SsdMobilenetv1Options({
        minConfidence: MIN_CONFIDENCE,
        maxResults: MAX_RESULTS,
      });
      return {
        async findFaces() {
          const faces = await faceApi
            .detectAllFaces(tensor, options)
            .withFaceLandmarks()
            .withFaceDescriptors();
          return faces.map(({ detection: { box, score }, descriptor }) => ({
            box: { x: box.x, y: box.y, width: box.width, height: box.height },
            score,
            descriptor,
          }));
        },
        dispose: () => tensor.dispose(),
      };
    },
  };
}

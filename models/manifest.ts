/**
 * Every model that this server can run: where its weights come from, under which licence, what it is fed, and which false match
 * rate stands behind plain cosine 0.85. The one description that server/ and workers/ share; it imports nothing of ours.
 */

import { type Calibration, row } from './calibration.ts';

/** How bytes become a network's input; same shape as TensorLayout in kernels/picture.ts. */
export interface InputLayout {
  readonly channels: 'RGB' | 'BGR';
  /** In the order of the planes: value = (byte - mean) x scale. */
  readonly mean: readonly [number, number, number];
  readonly scale: readonly [number, number, number];
}

/** A file that is fetched or copied into `<DATA_DIR>/models`, and never used before its hash was checked. */
export interface ModelFile {
  readonly fileName: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Tried in this order; none means that the file can only be copied from a folder. */
  readonly urls: readonly string[];
}

interface ModelCard {
  readonly id: string;
  readonly title: string;
  /** SPDX identifier, or `unknown`. */
  readonly licence: string;
  readonly licenceNote: string;
  readonly source: string;
  /** True: the graph is built in memory from an npm package and there is no file. */
  readonly embedded: boolean;
  readonly file: ModelFile | null;
}

export interface DetectorModel extends ModelCard {
  readonly task: 'detector';
  readonly family: 'ssd-mobilenet' | 'yunet';
  /** What the picture does not fill of the input is black. */
  readonly layout: InputLayout;
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  /** Scores where a very dark frame is looked at twice (workers/detect/looks.ts); measured by `npm run bench -- faces`. */
  readonly inLooks: { readonly score: number; readonly together: number };
}

export interface LandmarkModel extends ModelCard {
  readonly task: 'landmarks';
  readonly family: 'face-api-68';
  /** A square; the face's box lies in its middle, black around it. */
  readonly inputSizePx: number;
  readonly layout: InputLayout;
}

type Point = readonly [x: number, y: number];

/** Eye at the left of the picture, eye at the right, tip of the nose, left and right corner of the mouth. */
export type PointTemplate = readonly [Point, Point, Point, Point, Point];

/** From a network's own embedding to a unit vector of 512 numbers; see models/lift.ts and models/sphere-lift.ts. */
export type LiftSpec =
  | { readonly kind: 'in-graph' }
  | {
      readonly kind: 'angular';
      /** The cosine of the network's own embeddings that becomes 0.85; below 0.85. */
      readonly rawSimilarity: number;
    };

export interface EmbedderModel extends ModelCard {
  readonly task: 'embedder';
  readonly family: 'dlib-resnet' | 'arcface';
  readonly inputSizePx: number;
  readonly layout: InputLayout;
  /** Name of the graph's output that holds the embedding, shape [batch, 512] for lift `in-graph`, else [batch, rawDimensions]. */
  readonly outputName: string;
  /** Whether the graph takes more than one face per run. */
  readonly batch: boolean;
  /** Where the five points go, pixels of the chip, integer coordinates at pixel centres. */
  readonly template: PointTemplate;
  /** `landmarks-68`: align by models/dlib-chip.ts where 68 points are at hand, and by `template` before that. */
  readonly alignment: 'five-points' | 'landmarks-68';
  readonly rawDimensions: number;
  readonly lift: LiftSpec;
  /**
   * By how much, at most, the mean with the mirror image's embedding moves a similarity that is near a threshold. Where that is not
   * known, every face is embedded twice.
   */
  readonly mirrorShift?: number;
  readonly calibration: Calibration;
}

export type Model = DetectorModel | LandmarkModel | EmbedderModel;

/** Stored embeddings have this many numbers, whatever the network. */
export const EMBEDDING_DIMENSIONS = 512;

const BYTES_AS_RGB: InputLayout = { channels: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] };

const FACE_API = {
  licence: 'MIT',
  licenceNote: 'MIT, as the package states for its weights; they arrive with npm, nothing is fetched.',
  source: 'npm package @vladmandic/face-api, folder model/',
  embedded: true,
  file: null,
} as const;

/** dlib's mean face in its 150 px chip, averaged to five points and moved to where YuNet's points lie in chips aligned by 68 points. */
const DLIB_TEMPLATE: PointTemplate = [
  [48.5, 47.08],
  [103.48, 47.2],
  [75.5, 80.65],
  [51.72, 102.65],
  [101.17, 102.63],
];

/** The positions that ArcFace networks were trained with, 112 px chip (Deng et al., ArcFace, CVPR 2019; insightface's alignment). */
export const ARCFACE_TEMPLATE: PointTemplate = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];

export const detectorModels: readonly DetectorModel[] = [
  {
    ...FACE_API,
    id: 'ssd-mobilenet-v1',
    title: 'SSD MobileNet v1, faces (embedded)',
    task: 'detector',
    family: 'ssd-mobilenet',
    layout: BYTES_AS_RGB,
    scoreThreshold: 0.5,
    iouThreshold: 0.5,
    inLooks: { score: 0.25, together: 0.3 },
  },
  {
    id: 'yunet-n',
    title: 'YuNet-n, faces and five points',
    licence: 'Apache-2.0',
    licenceNote: "Apache-2.0, the licence of the authors' repository.",
    source: 'https://github.com/ShiqiYu/libfacedetection.train, folder onnx/, commit 0047ac24',
    embedded: false,
    file: {
      fileName: 'yunet_n_dynamic.onnx',
      sha256: '104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12',
      sizeBytes: 322906,
      urls: [
        'https://github.com/ShiqiYu/libfacedetection.train/raw/0047ac24/onnx/yunet_n_dynamic.onnx',
        'https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/master/onnx/yunet_n_dynamic.onnx',
      ],
    },
    task: 'detector',
    family: 'yunet',
    layout: { channels: 'BGR', mean: [0, 0, 0], scale: [1, 1, 1] },
    scoreThreshold: 0.6,
    iouThreshold: 0.3,
    inLooks: { score: 0.3, together: 0.71 },
  },
];

export const landmarkModels: readonly LandmarkModel[] = [
  {
    ...FACE_API,
    id: 'face-landmark-68',
    title: '68 landmarks (embedded)',
    task: 'landmarks',
    family: 'face-api-68',
    inputSizePx: 112,
    layout: BYTES_AS_RGB,
  },
];

/** npm run bench -- calibration */
const CALIBRATION_SET =
  'photos of 13 people, and of strangers, each also at 60 % of its size and compressed again; of both detectors the worse figure';

export const embedderModels: readonly EmbedderModel[] = [
  {
    ...FACE_API,
    id: 'dlib-resnet-v1',
    title: "dlib's face recognition ResNet, 128 numbers lifted to 512 (embedded)",
    task: 'embedder',
    family: 'dlib-resnet',
    inputSizePx: 150,
    layout: BYTES_AS_RGB,
    outputName: 'embedding',
    batch: true,
    template: DLIB_TEMPLATE,
    alignment: 'landmarks-68',
    rawDimensions: 128,
    lift: { kind: 'in-graph' },
    // Measured (npm run bench -- calibration) among pairs above 0.75: 0.047 at most with SSD's faces, 0.057 with YuNet's.
    mirrorShift: 0.06,
    calibration: {
      operatingPoint: row(5e-4, 0.85, 0.949, 15050, 336),
      rows: [
        row(1e-2, 0.796, 1, 15050, 336),
        row(5e-3, 0.804, 1, 15050, 336),
        row(2e-3, 0.815, 1, 15050, 336),
        row(1e-3, 0.822, 1, 15050, 336),
        row(5e-4, 0.828, 0.991, 15050, 336),
        row(2e-4, 0.836, 0.982, 15050, 336),
        row(1e-4, 0.839, 0.979, 15050, 336),
      ],
      conditions: CALIBRATION_SET,
    },
  },
  {
    id: 'mobilefacenet-128',
    title: 'MobileFaceNet, ArcFace loss, 128 numbers (for tests only)',
    licence: 'unknown',
    licenceNote: 'Licence unknown: for tests only, never fetched, only copied with --from.',
    source: 'a file of unknown origin; has no address',
    embedded: false,
    file: {
      fileName: 'mobilefacenet_128.onnx',
      sha256: 'f055d9c9a4d826d198c42666590fdefa0fdc1374a75ccb6306c3d1b1bf8f74c5',
      sizeBytes: 3973728,
      urls: [],
    },
    task: 'embedder',
    family: 'arcface',
    inputSizePx: 112,
    // ImageNet's mean and deviation: measured better here than the (x - 127.5) / 128 that is usual in this family.
    layout: {
      channels: 'RGB',
      mean: [123.675, 116.28, 103.53],
      scale: [1 / 58.395, 1 / 57.12, 1 / 57.375],
    },
    outputName: 'output',
    batch: false,
    template: ARCFACE_TEMPLATE,
    alignment: 'five-points',
    rawDimensions: 128,
    lift: { kind: 'angular', rawSimilarity: 0.4 },
    calibration: {
      operatingPoint: row(5e-4, 0.85, 0.97, 15050, 336),
      rows: [
        row(1e-2, 0.813, 1, 15050, 336),
        row(5e-3, 0.817, 1, 15050, 336),
        row(2e-3, 0.824, 1, 15050, 336),
        row(1e-3, 0.831, 1, 15050, 336),
        row(5e-4, 0.838, 0.997, 15050, 336),
        row(2e-4, 0.841, 0.984, 11991, 312),
        row(1e-4, 0.843, 0.984, 11991, 312),
      ],
      conditions: CALIBRATION_SET,
    },
  },
];

/** @throws RangeError for an id that is not in the manifest, with the ids that are. */
export function modelById(id: string): Model {
  const models: readonly Model[] = [...detectorModels, ...landmarkModels, ...embedderModels];
  const found = models.find((model) => model.id === id);
  if (found === undefined) {
    const known = models.map((model) => model.id).join(', ');
    throw new RangeError(`model: expected one of ${known}; received ${JSON.stringify(id)}`);
  }
  return found;
}

/**
 * The upright face chip of dlib's recognition network, from 68 landmarks.
 * Source: dlib, image_transforms/interpolation.h (Boost Software Licence): the mean face shape of landmarks 17 to 67 in a unit
 * square, the choice of points, and the padding; the network was trained on chips of 150 px with a padding of 0.25.
 */
import type { Similarity } from '../kernels/picture.ts';
import { fitSimilarity } from './geometry.ts';
import type { FivePoints, Point } from './protocol.ts';

/** Mean shape, landmark 17 first. */
const MEAN_SHAPE_X = [
  0.000213256, 0.0752622, 0.18113, 0.29077, 0.393397, 0.586856, 0.689483, 0.799124, 0.904991, 0.98004,
  0.490127, 0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373, 0.121737, 0.187122,
  0.265825, 0.334606, 0.260918, 0.182743, 0.645647, 0.714428, 0.793132, 0.858516, 0.79751, 0.719335, 0.254149,
  0.340985, 0.428858, 0.490127, 0.551395, 0.639268, 0.726104, 0.642159, 0.556721, 0.490127, 0.423532,
  0.338094, 0.290379, 0.428096, 0.490127, 0.552157, 0.689874, 0.553364, 0.490127, 0.42689,
];
const MEAN_SHAPE_Y = [
  0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915, 0.106454,
  0.203352, 0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326, 0.216423,
  0.178758, 0.179852, 0.231733, 0.245099, 0.244077, 0.231733, 0.179852, 0.178758, 0.216423, 0.244077,
  0.245099, 0.780233, 0.745405, 0.727388, 0.742578, 0.727388, 0.745405, 0.780233, 0.864805, 0.902192,
  0.909281, 0.902192, 0.864805, 0.784792, 0.778746, 0.785343, 0.778746, 0.784792, 0.824182, 0.831803,
  0.824182,
];
const FIRST_LANDMARK = 17;
const LANDMARK_COUNT = 68;

/** Without the eyebrows (17-26), which move, and the lower lip (55-59, 65-67), which talks. */
const ALIGNED_LANDMARKS = Array.from({ length: LANDMARK_COUNT }, (_, i) => i).filter(
  (i) => i > 26 && !(i >= 55 && i <= 59) && !(i >= 65 && i <= 67),
);

const meanShape = (landmark: number): Point => [
  MEAN_SHAPE_X[landmark - FIRST_LANDMARK]!,
  MEAN_SHAPE_Y[landmark - FIRST_LANDMARK]!,
];

/** The centre of landmarks first to last, in the unit square of the mean shape. */
function meanOf(first: number, last: number): Point {
  let x = 0;
  let y = 0;
  for (let i = first; i <= last; i++) {
    x += meanShape(i)[0];
    y += meanShape(i)[1];
  }
  return [x / (last - first + 1), y / (last - first + 1)];
}

const MEAN_FIVE_POINTS: FivePoints = [
  meanOf(36, 41),
  meanOf(42, 47),
  meanShape(30),
  meanShape(48),
  meanShape(54),
];

const inChip =
  (sizePx: number, padding: number) =>
  (point: Point): Point => [
    ((padding + point[0]) / (1 + 2 * padding)) * sizePx,
    ((padding + point[1]) / (1 + 2 * padding)) * sizePx,
  ];

/** The map from chip pixels to the picture, from 68 landmarks in picture coordinates. */
export function chipFromLandmarks(landmarks: readonly Point[], sizePx: number, padding: number): Similarity {
  const toChip = inChip(sizePx, padding);
  return fitSimilarity(
    ALIGNED_LANDMARKS.map((i) => toChip(meanShape(i))),
    ALIGNED_LANDMARKS.map((i) => landmarks[i]!),
  );
}

/** The same from five points: coarser, good enough to look for landmarks in. */
export function chipFromFivePoints(points: FivePoints, sizePx: number, padding: number): Similarity {
  return fitSimilarity(MEAN_FIVE_POINTS.map(inChip(sizePx, padding)), points);
}

/** How much a face can be trusted: size, clarity, lighting and angle, each from 0 to 1. */
import type { LoadedPicture, LumaStatistics } from '../kernels/picture.ts';
import { chipFromLandmarks } from './dlib-face-chip.ts';
import { centroid, distance, scaleOf } from './geometry.ts';
import type { Box, FaceQuality, FivePoints, Point } from './protocol.ts';

/** Without room around the mean shape: brows to lower lip, no hair and no background. */
const INNER_FACE_PADDING = 0;
const MIN_STATISTICS_CHIP_PX = 24;
const MAX_STATISTICS_CHIP_PX = 96;

export function assessFace(
  picture: LoadedPicture,
  box: Box,
  landmarks: readonly Point[],
  five: FivePoints,
): FaceQuality {
  // At the face's own resolution: enlarging a small face would make it look blurred, and size is judged apart.
  const innerFacePx = scaleOf(chipFromLandmarks(landmarks, 1, INNER_FACE_PADDING));
  const chipPx = Math.round(Math.min(MAX_STATISTICS_CHIP_PX, Math.max(MIN_STATISTICS_CHIP_PX, innerFacePx)));
  const luma = picture.chipStatistics(chipFromLandmarks(landmarks, chipPx, INNER_FACE_PADDING), chipPx);
  const measures = {
    size: sizeScore(Math.min(box.width, box.height)),
    clarity: clarityScore(luma),
    lighting: lightingScore(luma),
    angle: angleScore(five),
  };
  return { overall: overallScore(measures), ...measures };
}

/**
 * The measured share of faces of a width that are recognised against a full-size enrolment at the embedded pack's operating
 * point, in pixels of the box.
 */
const RECOGNISED_SHARE_BY_WIDTH: readonly (readonly [widthPx: number, share: number])[] = [
  [10, 0],
  [16, 0.136],
  [20, 0.457],
  [24, 0.668],
  [32, 0.864],
  [40, 0.961],
  [56, 0.975],
  [80, 0.993],
  [112, 1],
];

export const sizeScore = (widthPx: number): number => interpolate(RECOGNISED_SHARE_BY_WIDTH, widthPx);

/**
 * Sharpness is the variance of the Laplacian over the variance of the luma: both grow with contrast, their ratio with detail.
 * Source of the measure: J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
 */
const CLARITY_BY_DETAIL: readonly (readonly [detail: number, score: number])[] = [
  [0.004, 0],
  [0.012, 0.4],
  [0.03, 0.75],
  [0.08, 1],
];

export function clarityScore(luma: LumaStatistics): number {
  const variance = luma.standardDeviation ** 2;
  return interpolate(CLARITY_BY_DETAIL, luma.laplacianVariance / (variance + 25));
}

const LIGHTING_BY_MEAN: readonly (readonly [mean: number, score: number])[] = [
  [12, 0],
  [35, 0.5],
  [70, 1],
  [190, 1],
  [225, 0.6],
  [250, 0],
];
const LIGHTING_BY_CONTRAST: readonly (readonly [standardDeviation: number, score: number])[] = [
  [4, 0],
  [12, 0.6],
  [24, 1],
];
const LIGHTING_BY_CLIPPED_SHARE: readonly (readonly [share: number, score: number])[] = [
  [0.1, 1],
  [0.35, 0.5],
  [0.7, 0],
];

export function lightingScore(luma: LumaStatistics): number {
  return (
    interpolate(LIGHTING_BY_MEAN, luma.mean) *
    interpolate(LIGHTING_BY_CONTRAST, luma.standardDeviation) *
    interpolate(LIGHTING_BY_CLIPPED_SHARE, luma.brightShare + luma.darkShare)
  );
}

/** Where the nose tip lies on a frontal face, in shares of the eye distance and of the way from eyes to mouth. */
const FRONTAL_NOSE_ALONG_EYES = 0.5;
const FRONTAL_NOSE_DOWN_FACE = 0.56;
const ANGLE_BY_YAW_OFFSET: readonly (readonly [offset: number, score: number])[] = [
  [0.1, 1],
  [0.25, 0.6],
  [0.45, 0],
];
const ANGLE_BY_PITCH_OFFSET: readonly (readonly [offset: number, score: number])[] = [
  [0.12, 1],
  [0.25, 0.6],
  [0.45, 0],
];

/** 1 for a face that looks at the camera, falling as it turns aside, up or down; tilting the head costs nothing. */
export function angleScore([leftEye, rightEye, nose, leftMouth, rightMouth]: FivePoints): number {
  const eyes = centroid([leftEye, rightEye]);
  const mouth = centroid([leftMouth, rightMouth]);
  const along = shareAlong(leftEye, rightEye, nose);
  const down = shareAlong(eyes, mouth, nose);
  // A head in profile brings the eyes together: the eye distance shrinks against the height of the face.
  const narrowness = distance(eyes, mouth) > 0 ? distance(leftEye, rightEye) / distance(eyes, mouth) : 0;
  return (
    interpolate(ANGLE_BY_YAW_OFFSET, Math.abs(along - FRONTAL_NOSE_ALONG_EYES)) *
    interpolate(ANGLE_BY_PITCH_OFFSET, Math.abs(down - FRONTAL_NOSE_DOWN_FACE)) *
    interpolate(
      [
        [0.25, 0],
        [0.6, 1],
      ],
      narrowness,
    )
  );
}

/** How far along from `start` to `end` a point lies, 0 to 1 between them. */
function shareAlong(start: Point, end: Point, point: Point): number {
  const x = end[0] - start[0];
  const y = end[1] - start[1];
  const squared = x * x + y * y;
  return squared > 0 ? ((point[0] - start[0]) * x + (point[1] - start[1]) * y) / squared : 0;
}

/** One bad measure makes a bad picture: the weighted geometric mean. */
const WEIGHTS = { size: 1, clarity: 1, lighting: 1, angle: 1 } as const;

function overallScore(measures: Omit<FaceQuality, 'overall'>): number {
  let product = 1;
  let weights = 0;
  for (const [name, weight] of Object.entries(WEIGHTS)) {
    product *= measures[name as keyof typeof WEIGHTS] ** weight;
    weights += weight;
  }
  return product ** (1 / weights);
}

/** Piecewise linear, constant beyond the ends; the table's first column rises. */
function interpolate(table: readonly (readonly [number, number])[], x: number): number {
  const upper = table.findIndex(([at]) => x <= at);
  if (upper === 0) return table[0]![1];
  if (upper === -1) return Number.isNaN(x) ? 0 : table.at(-1)![1];
  const [fromX, fromY] = table[upper - 1]!;
  const [toX, toY] = table[upper]!;
  return fromY + ((x - fromX) / (toX - fromX)) * (toY - fromY);
}

/** How good a face video is: each frame's face judged, then the whole, and what the person should do about it. */
import type { AnalysedFace } from '../../workers/protocol.ts';

/** Each from 0 to 1. */
export interface VideoMetrics {
  readonly faceSize: number;
  readonly clarity: number;
  readonly lighting: number;
  readonly faceAngle: number;
}

export interface VideoAssessment {
  readonly quality: number;
  readonly isAcceptable: boolean;
  readonly metrics: VideoMetrics;
  readonly feedback: readonly string[];
}

export interface JudgedFace {
  readonly face: AnalysedFace;
  readonly metrics: VideoMetrics;
  readonly quality: number;
  /** Of the face's middle from the frame's, as a share of the frame's size. */
  readonly centreOffset: number;
}

export const ACCEPTABLE_QUALITY = 0.7;

/** Share of the frame's height or width that the face's box takes up; the contract asks for 20 %. */
const SIZE_BY_SHARE: readonly (readonly [share: number, score: number])[] = [
  [0.05, 0],
  [0.1, 0.3],
  [0.2, 0.75],
  [0.3, 1],
];
/** An enrolment wants better light than a glance in passing, which the threads' own score is made for. */
const LIGHTING_BY_SCORE: readonly (readonly [score: number, lighting: number])[] = [
  [0.4, 0],
  [1, 1],
];
/** One bad measure spoils an embedding, however good the others are. */
const MOST_ABOVE_WORST = 0.1;
const GOOD = 0.7;
const CENTRED_WITHIN = 0.25;
const SEEN_ENOUGH_SHARE = 0.6;

export function judgeFace(face: AnalysedFace, width: number, height: number): JudgedFace {
  const { box, quality } = face;
  const share = Math.max(box.width / width, box.height / height);
  const metrics = {
    faceSize: Math.min(quality.size, interpolate(SIZE_BY_SHARE, share)),
    clarity: quality.clarity,
    lighting: interpolate(LIGHTING_BY_SCORE, quality.lighting),
    faceAngle: quality.angle,
  };
  const centreOffset = Math.max(
    Math.abs((box.x + box.width / 2) / width - 0.5),
    Math.abs((box.y + box.height / 2) / height - 0.5),
  );
  return { face, metrics, quality: overall(metrics), centreOffset };
}

/** The weighted mean of the contract, in its geometric form and held down by the worst measure. */
export function overall({ faceSize, clarity, lighting, faceAngle }: VideoMetrics): number {
  const mean = (faceSize * clarity * lighting * faceAngle) ** (1 / 4);
  return Math.min(mean, Math.min(faceSize, clarity, lighting, faceAngle) + MOST_ABOVE_WORST);
}

/** @param faces the main face of each frame that has one, at least one @param frames all that were looked at */
export function assessVideo(faces: readonly JudgedFace[], frames: number): VideoAssessment {
  const middle = (measure: (face: JudgedFace) => number) => median(faces.map(measure));
  const metrics = {
    faceSize: rounded(middle(({ metrics }) => metrics.faceSize)),
    clarity: rounded(middle(({ metrics }) => metrics.clarity)),
    lighting: rounded(middle(({ metrics }) => metrics.lighting)),
    faceAngle: rounded(middle(({ metrics }) => metrics.faceAngle)),
  };
  const seenShare = faces.length / frames;
  const quality = rounded(overall(metrics) * Math.min(1, seenShare / SEEN_ENOUGH_SHARE));
  return {
    quality,
    isAcceptable: quality >= ACCEPTABLE_QUALITY,
    metrics,
    feedback: feedbackOn(
      metrics,
      middle(({ centreOffset }) => centreOffset),
      seenShare,
    ),
  };
}

function feedbackOn(metrics: VideoMetrics, centreOffset: number, seenShare: number): string[] {
  const { faceSize, clarity, lighting, faceAngle } = metrics;
  const problems: string[] = [];
  if (faceSize < GOOD) problems.push('Face is too small. Move closer to camera');
  if (lighting < GOOD)
    problems.push(
      'Lighting is poor. Record with even, bright light on the face, not from behind or straight into it',
    );
  if (clarity < GOOD) problems.push('Video is blurry. Hold camera steady and clean the lens');
  if (faceAngle < GOOD) problems.push('Face is turned away. Look straight into the camera');
  if (seenShare < SEEN_ENOUGH_SHARE)
    problems.push('Face is not visible all the time. Keep it in the picture for the whole video');
  if (centreOffset > CENTRED_WITHIN)
    problems.push('Face is not centered. Keep it in the middle of the picture');
  const praise: string[] = [];
  if (faceSize >= GOOD && clarity >= GOOD) praise.push('Face is clearly visible');
  if (lighting >= GOOD) praise.push('Good lighting conditions');
  if (faceAngle >= GOOD && centreOffset <= CENTRED_WITHIN) praise.push('Face is properly centered');
  // What to do first, and nothing else where there is something to do.
  return problems.length > 0 ? problems : praise;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Piecewise linear, constant beyond the ends; the table's first column rises. */
function interpolate(table: readonly (readonly [number, number])[], x: number): number {
  const upper = table.findIndex(([at]) => x <= at);
  if (upper === 0) return table[0]![1];
  if (upper === -1) return table.at(-1)![1];
  const [fromX, fromY] = table[upper - 1]!;
  const [toX, toY] = table[upper]!;
  return fromY + ((x - fromX) / (toX - fromX)) * (toY - fromY);
}

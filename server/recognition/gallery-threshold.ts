import { type Calibration, similarityAtFalseMatchRate } from '../../models/calibration.ts';

export interface ThresholdRule {
  /** The threshold is never lower than this. */
  readonly similarityThreshold: number;
  /** Chance at most that a stranger is taken for somebody in one look at the whole gallery; 1 or more sets no limit. */
  readonly falsePositiveIdentificationRate: number;
  readonly calibration: Calibration;
}

/**
 * The plain cosine from which on a face gets a name, with `pictures` enrolled.
 *
 * A stranger has one chance per enrolled picture: with independent comparisons of false match rate f, somebody matches with the chance
 * 1 - (1 - f)^N (ISO/IEC 19795-1's FPIR). Solved for f, and looked up in the embedder's calibration. Pictures of one person are
 * alike and count as less than one chance each, so this errs on the strict side.
 */
export function galleryThreshold(rule: ThresholdRule, pictures: number): number {
  const { similarityThreshold, falsePositiveIdentificationRate, calibration } = rule;
  if (pictures === 0 || falsePositiveIdentificationRate >= 1) return similarityThreshold;
  // 1 - (1 - rate)^(1/N), without the cancellation that the plain form suffers for large N.
  const falseMatchRate = -Math.expm1(Math.log1p(-falsePositiveIdentificationRate) / pictures);
  return Math.max(similarityThreshold, similarityAtFalseMatchRate(calibration, falseMatchRate));
}

/**
 * The older recogniser's tolerance (FACE_RECOGNITION_TOLERANCE, a Euclidean distance of dlib descriptors, 0.6 by default there) as a
 * plain cosine of the embedded pack: on its sphere of that radius, a chord d spans the cosine 1 - d^2 / (2 radius^2).
 *
 * @param sphereRadius SPHERE_LIFT_RADIUS of models/sphere-lift.ts
 * @throws RangeError for a distance that is not a number above 0, or that reaches the far side of the sphere
 */
export function similarityOfDistance(distance: number, sphereRadius: number): number {
  if (!(distance > 0 && distance <= 2 * sphereRadius))
    throw new RangeError(
      `distance: expected a number above 0 and up to ${2 * sphereRadius}, received ${distance}`,
    );
  return 1 - distance ** 2 / (2 * sphereRadius ** 2);
}

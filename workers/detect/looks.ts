/** Faces of a very dark frame, from two looks at it: softened as it was captured, and softened after it was brightened. */
import type { Picture, PixelKernels } from '../../kernels/picture.ts';
import { intersectionOverUnion } from '../geometry.ts';
import type { DetectedFace, Detector } from './detector.ts';

export interface LookThresholds {
  /** Faces below this score are not looked at. */
  readonly score: number;
  /** Least score of a face in one look plus `supportWeight` of that in the other. */
  readonly together: number;
}

/** What noise makes look like a face hardly ever does so in both looks: 0.3 tells them apart best with both detectors. */
const supportWeight = 0.3;
/** Boxes of one face differ a little between the looks. */
const sameFaceOverlap = 0.4;

interface LookingParts {
  readonly detector: Detector;
  readonly kernels: PixelKernels;
  readonly lookThresholds: LookThresholds;
}

/** Every face that either look shows clearly, or both show, best first; with the better look's box, points and score. */
export async function detectInLooks(
  { detector, kernels, lookThresholds: { score, together } }: LookingParts,
  looks: readonly Picture[],
  smallFaces?: boolean,
): Promise<DetectedFace[]> {
  const seen: DetectedFace[][] = [];
  for (const look of looks) seen.push(await detector.detect(kernels.load(look), smallFaces, score));
  return mergeLooks(seen, together);
}

export function mergeLooks(looks: readonly (readonly DetectedFace[])[], together: number): DetectedFace[] {
  const candidates = looks
    .flatMap((faces, look) => faces.map((face) => ({ face, look })))
    .sort((first, second) => second.face.score - first.face.score);
  const merged: { face: DetectedFace; look: number; support: number }[] = [];
  for (const { face, look } of candidates) {
    const same = merged.find((better) => intersectionOverUnion(better.face.box, face.box) > sameFaceOverlap);
    if (same === undefined) merged.push({ face, look, support: 0 });
    else if (same.look !== look) same.support = Math.max(same.support, face.score);
  }
  return merged
    .filter(({ face, support }) => face.score + supportWeight * support >= together)
    .map(({ face }) => face);
}

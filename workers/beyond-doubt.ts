/** Whether a face's first embedding settles who it is. */
import type { IndexMatch } from './protocol.ts';

/**
 * True where the mean with the mirror image's embedding, which moves a similarity by `mirrorShift` at most, could not change the name:
 * the nearest person stays on the same side of the threshold, and stays the nearest.
 */
export function isBeyondDoubt(match: IndexMatch | null, threshold: number, mirrorShift: number): boolean {
  if (match === null || match.similarity < threshold - mirrorShift) return true;
  if (match.similarity < threshold + mirrorShift) return false;
  return match.secondSimilarity === null || match.similarity - match.secondSimilarity >= 2 * mirrorShift;
}

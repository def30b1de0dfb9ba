/** Which student each face of one picture is: at most one face for a student, and no name where none can be given. */
import type { AnalysedFace } from '../../workers/protocol.ts';

export interface MatchingLimits {
  /** Least plain cosine. */
  readonly similarityThreshold: number;
  /** Least difference between a face's two best students. */
  readonly minMargin: number;
  /** Faces narrower or lower than this are not judged. */
  readonly minFacePx: number;
  /** Faces of less overall quality are not judged. */
  readonly minQuality: number;
}

export type FaceOutcome = 'recognized' | 'unknown' | 'uncertain' | 'too_small' | 'too_poor';

export interface MatchedFace {
  readonly face: AnalysedFace;
  readonly outcome: FaceOutcome;
  /** The student's number in the index; null unless recognised. */
  readonly student: number | null;
  /** Plain cosine to that student. */
  readonly similarity: number | null;
}

interface Claim {
  readonly face: number;
  readonly student: number;
  readonly similarity: number;
  /** A face's own best student, or the one after that. */
  readonly rank: 1 | 2;
}

/**
 * Gives out the students by falling similarity. A face whose best student went to another face gets its second best where that
 * one is above the threshold; with a margin asked for it gets none, since how far away its third best is, is not known.
 * The answer has the order of `faces`.
 */
export function matchFaces(faces: readonly AnalysedFace[], limits: MatchingLimits): MatchedFace[] {
  const outcomes = faces.map((face) => judge(face, limits));
  const claims = faces.flatMap((face, index) =>
    outcomes[index] === 'recognized' ? claimsOf(face, index) : [],
  );
  claims.sort((a, b) => b.similarity - a.similarity || a.rank - b.rank || a.face - b.face);
  const given = new Map<number, Claim>();
  const taken = new Set<number>();
  for (const claim of claims) {
    if (claim.similarity < limits.similarityThreshold) break;
    if (given.has(claim.face) || taken.has(claim.student)) continue;
    if (claim.rank === 2 && limits.minMargin > 0) continue;
    given.set(claim.face, claim);
    taken.add(claim.student);
  }
  return faces.map((face, index) => {
    const claim = given.get(index);
    if (claim) return { face, outcome: 'recognized', student: claim.student, similarity: claim.similarity };
    // It looked like a student, whom another face of the picture looks like even more.
    const outcome = outcomes[index] === 'recognized' ? 'uncertain' : outcomes[index]!;
    return { face, outcome, student: null, similarity: null };
  });
}

/** `recognized` stands for a face that may get a name here. */
function judge({ box, quality, match }: AnalysedFace, limits: MatchingLimits): FaceOutcome {
  if (Math.min(box.width, box.height) < limits.minFacePx) return 'too_small';
  if (quality.overall < limits.minQuality) return 'too_poor';
  if (match === null || match.similarity < limits.similarityThreshold) return 'unknown';
  if (match.secondSimilarity !== null && match.similarity - match.secondSimilarity < limits.minMargin)
    return 'uncertain';
  return 'recognized';
}

function claimsOf({ match }: AnalysedFace, face: number): Claim[] {
  if (match === null) return [];
  const claims: Claim[] = [{ face, student: match.person, similarity: match.similarity, rank: 1 }];
  if (match.secondPerson !== null && match.secondSimilarity !== null)
    claims.push({ face, student: match.secondPerson, similarity: match.secondSimilarity, rank: 2 });
  return claims;
}

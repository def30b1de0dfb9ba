import type { FaceQuality, IndexMatch } from '../../workers/protocol.ts';

/** What a comparison with the gallery means. */
export interface Decision {
  readonly recognizedAs: string | null;
  /** The similarity of the person named, 0 where nobody is. */
  readonly confidence: number;
  /** Plain cosine to the nearest permitted person; null without any. */
  readonly similarity: number | null;
  readonly threshold: number;
  /** How much farther away the second person is; null without one. */
  readonly margin: number | null;
  /** Why nobody is named whatever the similarity; null where the face can be judged. */
  readonly unjudged: Unjudged | null;
}

export type Unjudged = 'too_small' | 'blurred' | 'badly_lit' | 'turned_away';

/**
 * Below these a face says little about whose it is, and poor faces resemble each other: they are found, but not named. The size is
 * that of about 18 px. All of them lie below what enrolment asks for, so that nobody is enrolled whom the next picture cannot name.
 */
const LEAST_QUALITY_TO_NAME: readonly (readonly [keyof FaceQuality, number, Unjudged])[] = [
  ['size', 0.3, 'too_small'],
  ['clarity', 0.1, 'blurred'],
  ['lighting', 0.05, 'badly_lit'],
  ['angle', 0.3, 'turned_away'],
];

/** How much more alike a face of a very dark frame must be: one wrong name in six is left (`npm run bench -- faces`). */
export const NOISE_THRESHOLD_RISE = 0.02;

/** @param names of everybody who is enrolled now, by the person's number in the index */
export function decide(
  match: IndexMatch | null,
  quality: FaceQuality,
  names: ReadonlyMap<number, string>,
  threshold: number,
): Decision {
  const unjudged = LEAST_QUALITY_TO_NAME.find(([measure, least]) => quality[measure] < least)?.[2] ?? null;
  const present = match === null ? null : withoutRemoved(match, names);
  if (present === null)
    return { recognizedAs: null, confidence: 0, similarity: null, threshold, margin: null, unjudged };
  const { person, similarity, secondSimilarity } = present;
  const accepted = similarity >= threshold && unjudged === null;
  return {
    recognizedAs: accepted ? names.get(person)! : null,
    confidence: accepted ? similarity : 0,
    similarity,
    threshold,
    margin: secondSimilarity === null ? null : similarity - secondSimilarity,
    unjudged,
  };
}

/** The other person whom somebody of that name would be taken for, or null. */
export function resembledPerson(
  name: string,
  match: IndexMatch | null,
  names: ReadonlyMap<number, string>,
  threshold: number,
): string | null {
  if (match === null) return null;
  const nearest = [
    { person: match.person, similarity: match.similarity },
    { person: match.secondPerson, similarity: match.secondSimilarity },
  ];
  for (const { person, similarity } of nearest) {
    const other = person === null ? undefined : names.get(person);
    if (other !== undefined && other !== name && similarity !== null && similarity >= threshold) return other;
  }
  return null;
}

/** A task may come back with somebody who was removed while it ran: then the next person counts. */
function withoutRemoved(match: IndexMatch, names: ReadonlyMap<number, string>): IndexMatch | null {
  const { person, secondPerson, secondSimilarity } = match;
  const secondIsPresent = secondPerson !== null && names.has(secondPerson);
  if (names.has(person))
    return secondIsPresent ? match : { ...match, secondPerson: null, secondSimilarity: null };
  if (!secondIsPresent || secondSimilarity === null) return null;
  return { person: secondPerson, similarity: secondSimilarity, secondPerson: null, secondSimilarity: null };
}

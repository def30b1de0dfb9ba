/** What the server's numbers mean, in sentences. Pure. */
import type { FaceQuality, RecognisedFace } from './calls.ts';

const two = (value: number): string => value.toFixed(2);

const UNJUDGED = {
  too_small: 'The face is too small to tell who it is.',
  blurred: 'The face is too blurred to tell who it is.',
  badly_lit: 'The face is too badly lit to tell who it is.',
  turned_away: 'The face is turned too far away to tell who it is.',
} as const;

/** A similarity this far above or below the threshold is no close call. */
const CLEARLY = 0.04;

/** Who the server takes a face for, how sure it is, and why. */
export function identityWords(face: RecognisedFace): { readonly title: string; readonly detail: string } {
  const { recognizedAs, similarity, threshold, margin, unjudged } = face;
  if (unjudged !== null) return { title: 'Cannot be told', detail: UNJUDGED[unjudged] };
  if (similarity === null) return { title: 'Unknown', detail: 'Nobody is enrolled yet.' };
  const measured = `Similarity ${two(similarity)}, ${two(threshold)} is needed`;
  if (recognizedAs !== null) {
    const surely = similarity - threshold >= CLEARLY ? 'Clearly this person.' : 'This person, but only just.';
    const next = margin === null ? '' : ` The next person is less similar by ${two(margin)}.`;
    return { title: recognizedAs, detail: `${surely} ${measured}.${next}` };
  }
  return threshold - similarity < CLEARLY
    ? { title: 'Unknown', detail: `Similar to somebody, but not enough. ${measured}.` }
    : { title: 'Unknown', detail: `Not similar to anybody who is enrolled. ${measured}.` };
}

const MEASURES = [
  ['size', 'small'],
  ['clarity', 'soft'],
  ['lighting', 'badly lit'],
  ['angle', 'turned'],
] as const;

/** `Good picture`, or what is weakest about it. */
export function qualityWords(quality: FaceQuality): {
  readonly text: string;
  readonly mood: 'good' | 'idle' | 'warn';
} {
  const weak = MEASURES.filter(([measure]) => quality[measure] < 0.6).map(([, words]) => words);
  if (weak.length > 0) return { text: `Usable, ${weak.join(', ')}`, mood: 'warn' };
  return quality.overall >= 0.8 ? { text: 'Good picture', mood: 'good' } : { text: 'Usable', mood: 'idle' };
}

export const countWords = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

export function matches(name: string, search: string): boolean {
  const plain = (text: string) =>
    text
      .normalize('NFD')
      .replace(/\p{Mark}/gu, '')
      .toLocaleLowerCase();
  return plain(name).includes(plain(search.trim()));
}

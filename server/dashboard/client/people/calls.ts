/** What the people view asks the server. */
import { ApiError, call } from '../api.ts';
import type { Box } from '../socket.ts';

export interface Person {
  readonly name: string;
  readonly pictures: number;
  readonly createdAt: string;
  readonly lastPictureAt: string;
  /** Address of the newest picture. */
  readonly picture: string;
}

export interface FaceQuality {
  readonly overall: number;
  readonly size: number;
  readonly clarity: number;
  readonly lighting: number;
  readonly angle: number;
}

export interface PersonPicture {
  readonly pictureId: number;
  readonly url: string;
  readonly createdAt: string;
  readonly quality: FaceQuality;
}

export interface EnrolmentAnswer {
  readonly subjectName: string;
  readonly faceId: number;
  readonly message: string;
  readonly quality: FaceQuality;
  readonly warnings: readonly string[];
}

export interface RecognisedFace {
  readonly box: Box;
  readonly recognizedAs: string | null;
  readonly similarity: number | null;
  readonly threshold: number;
  readonly margin: number | null;
  readonly unjudged: 'too_small' | 'blurred' | 'badly_lit' | 'turned_away' | null;
  readonly quality: FaceQuality;
}

export interface Recognition {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly RecognisedFace[];
}

/** Where a face is that is to be enrolled: a frame that the server stored, or a picture that this browser holds. */
export type FaceSource =
  | { readonly frame: string; readonly url: string }
  | { readonly picture: Blob; readonly url: string };

export interface Removal {
  readonly message: string;
  readonly personRemoved?: boolean;
  readonly filesLeft: readonly string[];
}

const PEOPLE = '/api/v1/recognition/permitted-faces';
export const peoplePath = PEOPLE;
export const picturesPath = (name: string): string => `${PEOPLE}/${encodeURIComponent(name)}/pictures`;
export const thumbnail = (url: string): string => `${url}?thumbnail=1`;

/** Of the formats that the server reads: a phone that has another one converts it. */
export const PICTURE_TYPES = 'image/jpeg,image/png,image/webp,image/avif';

const MOST_TRIES = 5;
const MOST_PAUSE_S = 30;

export function enrolPicture(name: string, picture: Blob): Promise<EnrolmentAnswer> {
  return patiently(() =>
    call('/api/v1/recognition/add-permitted-face', { method: 'POST', body: formOf(picture, { name }) }),
  );
}

export function enrolFace(name: string, source: FaceSource, box: Box): Promise<EnrolmentAnswer> {
  const path = `${PEOPLE}/from-frame`;
  return patiently(() =>
    'frame' in source
      ? call(path, { method: 'POST', json: { name, frame: source.frame, box } })
      : call(path, { method: 'POST', body: formOf(source.picture, { name, box: JSON.stringify(box) }) }),
  );
}

export function recognise(picture: Blob): Promise<Recognition> {
  return patiently(() => call('/api/v1/recognize', { method: 'POST', body: formOf(picture, {}) }));
}

export const removePerson = (name: string): Promise<Removal> =>
  call(`${PEOPLE}/${encodeURIComponent(name)}`, { method: 'DELETE' });

export const removePicture = (url: string): Promise<Removal> => call(url, { method: 'DELETE' });

/** Too many pictures wait: the server says when to come again. */
async function patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const pauseS = error instanceof ApiError && error.status === 429 ? error.retryAfterS : null;
      if (pauseS === null || tries === MOST_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(MOST_PAUSE_S, pauseS)));
    }
  }
}

function formOf(picture: Blob, fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('image', picture, 'picture');
  return form;
}

/** What a picture must be like before somebody is recognised by it, and what a name must be like. Pure. */
import type { AnalysedFace, Box, FaceQuality } from '../../workers/protocol.ts';
import { invalidField, ServerError } from '../errors.ts';

/** Below this a face carries too little: at 56 px, 2.5 % of pictures are no longer recognised, at 32 px 14 % (models/README.md). */
export const LEAST_FACE_WIDTH_PX = 60;

/** Least measures (FaceQuality) of an enrolment picture. */
export const LEAST_QUALITY = { clarity: 0.3, angle: 0.4, lighting: 0.3 } as const;

/** Faces narrower than this share of the widest one are passers-by in the background, not a second person in the picture. */
export const BACKGROUND_WIDTH_SHARE = 1 / 3;

const LONGEST_NAME = 100;
/** Control characters, line and paragraph separators, and the marks that turn the direction of the text around them. */
const FORBIDDEN_IN_NAME = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]/u;

export type EnrolmentFace = AnalysedFace & { readonly embedding: Float32Array };

/**
 * The name as it is stored: Unicode NFC, without white space around it.
 * @throws ServerError 400 naming the field
 */
export function normaliseName(received: unknown): string {
  const expected = `a name of 1 to ${LONGEST_NAME} characters without control characters`;
  if (typeof received !== 'string' || !received.isWellFormed())
    throw invalidField('name', expected, received);
  const name = received.normalize('NFC').trim();
  const length = [...name].length;
  if (length === 0 || length > LONGEST_NAME || FORBIDDEN_IN_NAME.test(name))
    throw invalidField('name', expected, received);
  return name;
}

/**
 * The one person of a picture: the widest face, where no other is at least a third as wide.
 * @throws ServerError 422 NO_FACE or SEVERAL_FACES, with what to do
 */
export function onlyFace(faces: readonly AnalysedFace[]): EnrolmentFace {
  const widest = faces.reduce<AnalysedFace | null>(
    (best, face) => (best === null || face.box.width > best.box.width ? face : best),
    null,
  );
  if (widest === null)
    throw new ServerError(
      422,
      'NO_FACE',
      'no face was found: send a picture that shows one face from the front, whole and not covered',
    );
  const foreground = faces.filter((face) => face.box.width >= BACKGROUND_WIDTH_SHARE * widest.box.width);
  if (foreground.length > 1)
    throw new ServerError(
      422,
      'SEVERAL_FACES',
      `${foreground.length} faces were found, expected one: cut the picture down to the one person`,
    );
  return withEmbedding(widest);
}

/**
 * The face that is meant, where a picture may show several: its centre and the box's lie in each other, and no other's is nearer.
 * @throws ServerError 422 FACE_NOT_THERE, with what to do
 */
export function faceAt(faces: readonly AnalysedFace[], box: Box): AnalysedFace {
  const meant = centreOf(box);
  const distance = (face: AnalysedFace) => {
    const [x, y] = centreOf(face.box);
    return Math.hypot(x - meant[0], y - meant[1]);
  };
  const [nearest] = faces
    .filter((face) => contains(box, centreOf(face.box)) && contains(face.box, meant))
    .sort((first, second) => distance(first) - distance(second));
  if (nearest === undefined)
    throw refused(
      'FACE_NOT_THERE',
      'no face was found at that place of the picture: choose a picture in which the face is larger and sharper',
    );
  return nearest;
}

export function withEmbedding(face: AnalysedFace): EnrolmentFace {
  if (face.embedding === null) throw new TypeError('the face came without its embedding');
  return face as EnrolmentFace;
}

const centreOf = ({ x, y, width, height }: Box): readonly [number, number] => [x + width / 2, y + height / 2];

const contains = (box: Box, [x, y]: readonly [number, number]): boolean =>
  x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;

/**
 * Refuses a face that would be recognised badly, or taken for others: small and smeared faces all look alike to a network.
 * @throws ServerError 422 FACE_TOO_SMALL, FACE_BLURRED, FACE_TURNED or FACE_BADLY_LIT, with what to do
 */
export function requireGoodFace({ box, quality }: AnalysedFace): void {
  const width = Math.round(box.width);
  if (width < LEAST_FACE_WIDTH_PX)
    throw refused(
      'FACE_TOO_SMALL',
      `the face is ${width} px wide, at least ${LEAST_FACE_WIDTH_PX} px are needed: go closer or send the picture in full size`,
    );
  requireMeasure(
    quality,
    'clarity',
    'FACE_BLURRED',
    'blurred',
    'hold the camera still, focus on the face, and do not enlarge a small picture',
  );
  requireMeasure(
    quality,
    'angle',
    'FACE_TURNED',
    'turned away',
    'have the person look straight into the camera',
  );
  requireMeasure(
    quality,
    'lighting',
    'FACE_BADLY_LIT',
    'too dark, too bright or without contrast',
    'light the face evenly from the front',
  );
}

function requireMeasure(
  quality: FaceQuality,
  measure: keyof typeof LEAST_QUALITY,
  code: string,
  what: string,
  remedy: string,
): void {
  const least = LEAST_QUALITY[measure];
  // Written so that a measure that is not a number is refused too.
  if (!(quality[measure] >= least))
    throw refused(
      code,
      `the face is ${what} (${measure} ${quality[measure].toFixed(2)}, at least ${least} is needed): ${remedy}`,
    );
}

const refused = (code: string, message: string) => new ServerError(422, code, message);

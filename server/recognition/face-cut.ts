/** One face of a picture, cut out with room around it, so that what is kept shows that person and as little as may be of others. */
import type { Box } from '../../workers/protocol.ts';
import { BACKGROUND_WIDTH_SHARE, faceAt } from './enrolment.ts';
import type { Recognizer } from './recognizer.ts';

/** Room on each side in sides of the face: enough for a detector to see a whole head. */
const ROOM = 1;
/** Where somebody stands close by: less than this would cut the head itself. */
const LEAST_ROOM = 0.35;
const ROOM_STEP = 0.05;

export interface CutFace {
  /** JPEG. */
  readonly bytes: Uint8Array;
  /** Where the face is in it. */
  readonly box: Box;
}

/**
 * @param box where the face is, in pixels of the upright picture
 * @throws ServerError 422 FACE_NOT_THERE, and what Recognizer.analyse throws
 */
export async function cutOutFace(
  recognizer: Pick<Recognizer, 'analyse' | 'crop'>,
  bytes: Uint8Array,
  box: Box,
): Promise<CutFace> {
  const input = { kind: 'encoded', bytes } as const;
  const { faces } = await recognizer.analyse({
    input,
    index: null,
    returnEmbeddings: false,
    jpegQuality: null,
  });
  const face = faceAt(faces, box);
  const others = faces.filter((other) => other !== face).map((other) => other.box);
  const { jpeg, region, scale } = await recognizer.crop({
    input,
    region: roomAround(face.box, others),
    maxSidePx: null,
  });
  return {
    bytes: jpeg,
    box: {
      x: (face.box.x - region.x) * scale,
      y: (face.box.y - region.y) * scale,
      width: face.box.width * scale,
      height: face.box.height * scale,
    },
  };
}

/** The largest room around a face that leaves out every face which would count as a second person; the least where none does. */
export function roomAround(face: Box, others: readonly Box[]): Box {
  const persons = others.filter((other) => other.width >= BACKGROUND_WIDTH_SHARE * face.width);
  let room = ROOM;
  while (room > LEAST_ROOM && persons.some((other) => touches(widened(face, room), other))) room -= ROOM_STEP;
  return widened(face, Math.max(LEAST_ROOM, room));
}

function widened({ x, y, width, height }: Box, room: number): Box {
  const px = room * Math.max(width, height);
  return { x: x - px, y: y - px, width: width + 2 * px, height: height + 2 * px };
}

const touches = (first: Box, second: Box): boolean =>
  first.x < second.x + second.width &&
  second.x < first.x + first.width &&
  first.y < second.y + second.height &&
  second.y < first.y + first.height;

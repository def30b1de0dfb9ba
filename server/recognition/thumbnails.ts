/** Small pictures of the enrolled faces, for lists: made when asked for, the newest kept in memory. */
import type { Box } from '../../workers/protocol.ts';
import type { PictureSummary } from './gallery-store.ts';
import type { Recognizer } from './recognizer.ts';

/** Sharp on a phone at 96 CSS pixels. */
export const THUMBNAIL_SIDE_PX = 192;
const MAX_KEPT_BYTES = 16 * 2 ** 20;
/** Room around the face in shares of its longer side: hair and chin. */
const ROOM = 0.4;

export interface Thumbnails {
  /** JPEG, neither side over THUMBNAIL_SIDE_PX. @throws ServerError as Recognizer.crop does */
  of(picture: PictureSummary): Promise<Uint8Array>;
  /** Wipes what is kept; what is being made is not kept either. */
  clear(): void;
}

export function createThumbnails(
  read: (fileName: string) => Promise<Uint8Array>,
  recognizer: Pick<Recognizer, 'crop'>,
): Thumbnails {
  // In the order of use: a Map keeps the order of insertion.
  const kept = new Map<number, Uint8Array>();
  let keptBytes = 0;
  let wipes = 0;

  function drop(id: number, bytes: Uint8Array): void {
    kept.delete(id);
    keptBytes -= bytes.length;
    bytes.fill(0);
  }

  function keep(id: number, bytes: Uint8Array): void {
    const before = kept.get(id);
    if (before !== undefined) drop(id, before);
    kept.set(id, bytes);
    keptBytes += bytes.length;
    for (const [oldest, old] of kept) {
      if (keptBytes <= MAX_KEPT_BYTES) break;
      drop(oldest, old);
    }
  }

  return {
    async of({ id, fileName, box }) {
      const known = kept.get(id);
      if (known !== undefined) {
        kept.delete(id);
        kept.set(id, known);
        // A copy: what is kept may be wiped while an answer is being sent.
        return known.slice();
      }
      const wipesBefore = wipes;
      const { jpeg } = await recognizer.crop({
        input: { kind: 'encoded', bytes: await read(fileName) },
        region: box === null ? null : squareAround(box),
        maxSidePx: THUMBNAIL_SIDE_PX,
      });
      if (wipes === wipesBefore) keep(id, new Uint8Array(jpeg));
      return jpeg;
    },
    clear() {
      wipes++;
      for (const [id, bytes] of kept) drop(id, bytes);
    },
  };
}

function squareAround({ x, y, width, height }: Box): Box {
  const side = Math.max(width, height) * (1 + 2 * ROOM);
  return { x: x + width / 2 - side / 2, y: y + height / 2 - side / 2, width: side, height: side };
}

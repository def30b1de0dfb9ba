/** Where the names over faces go, so that of people who stand close together each can be read. */
import type { SeenFace } from '../../../live/messages.ts';

export interface LabelPlace {
  /** Under its box rather than over it. */
  readonly below: boolean;
  /** Begins at the right edge of its box and reaches to the left. */
  readonly fromRight: boolean;
  /** How wide it may be, in widths of its box; null where nobody is in its way. */
  readonly mostBoxWidths: number | null;
}

/** Shares of a picture on a tile of a full wall, where labels are largest against it: the height of one, and what a usual name takes. */
const LABEL_HEIGHT = 0.12;
const LABEL_WIDTH = 0.35;
/** From here on a name would run out of the picture on the right. */
const RIGHT_FROM = 0.55;

interface Placed {
  readonly face: SeenFace;
  /** Of the label, in pixels of the picture: its top, and the edge where it begins. */
  readonly top: number;
  readonly edge: number;
  readonly below: boolean;
  readonly fromRight: boolean;
}

/**
 * A name goes over its box and to the right; under it at the top of the picture, to the left near the right edge. Where another name is in
 * the way it goes where most room is. Names that are in each other's way all the same are shortened. Faces whom nobody knows keep their
 * place, under the names.
 *
 * @param width of the picture, in pixels as the boxes; as `height`
 */
export function placeLabels(faces: readonly SeenFace[], width: number, height: number): LabelPlace[] {
  const labelHeight = LABEL_HEIGHT * height;
  const labelWidth = LABEL_WIDTH * width;

  function at(face: SeenFace, below: boolean, fromRight: boolean): Placed {
    const { x, y, width: boxWidth, height: boxHeight } = face.box;
    const top = below ? y + boxHeight : y - labelHeight;
    return { face, top, edge: fromRight ? x + boxWidth : x, below, fromRight };
  }
  const usual = (face: SeenFace) => at(face, face.box.y < labelHeight, face.box.x > RIGHT_FROM * width);
  const isInside = ({ top, edge, fromRight }: Placed) =>
    top >= 0 && top + labelHeight <= height && (fromRight ? edge >= labelWidth : edge + labelWidth <= width);
  const areInLine = (a: Placed, b: Placed) => Math.abs(a.top - b.top) < labelHeight;

  const placed: Placed[] = [];
  const roomOf = (mine: Placed) =>
    Math.min(
      labelWidth,
      ...placed.map((other) => (areInLine(mine, other) ? roomBetween(mine, other) : labelWidth)),
    );
  const known = faces.filter(({ recognizedAs }) => recognizedAs !== null);
  for (const face of known.toSorted((a, b) => b.box.x - a.box.x)) {
    const first = usual(face);
    const { below, fromRight } = first;
    const others = [at(face, !below, fromRight), at(face, below, !fromRight), at(face, !below, !fromRight)];
    const choices = [first, ...others.filter(isInside)];
    placed.push(choices.reduce((best, next) => (roomOf(next) > roomOf(best) ? next : best)));
  }

  return faces.map((face) => {
    const mine = placed.find((place) => place.face === face);
    if (mine === undefined) {
      const { below, fromRight } = usual(face);
      return { below, fromRight, mostBoxWidths: null };
    }
    const rank = placed.indexOf(mine);
    const rooms = placed.flatMap((other, i) =>
      areInLine(other, mine) && (growsTo(mine, other) || (sameEdge(mine, other) && rank < i))
        ? [roomBetween(mine, other)]
        : [],
    );
    const { below, fromRight } = mine;
    return {
      below,
      fromRight,
      mostBoxWidths: rooms.length === 0 ? null : Math.min(...rooms) / face.box.width,
    };
  });
}

/** How wide the one that reaches for the other may be; each half of what lies between them where both do. */
function roomBetween(a: Placed, b: Placed): number {
  const between = Math.abs(a.edge - b.edge);
  if (a.fromRight === b.fromRight) return between;
  return growsTo(a, b) ? between / 2 : Number.POSITIVE_INFINITY;
}

/** Whether the label reaches the other one if only it is long enough. */
const growsTo = (label: Placed, other: Placed): boolean =>
  label.fromRight ? other.edge < label.edge : other.edge > label.edge;

/** Whether both would lie over each other from the first letter on. */
const sameEdge = (a: Placed, b: Placed): boolean => a.edge === b.edge && a.fromRight === b.fromRight;

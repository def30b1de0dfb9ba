/** What to say to somebody who stands in front of the camera, by the measures that enrolment goes by. Pure. */
import type { EnrolmentLimits, Look, LookedFace } from './detector-protocol.ts';

export type AdviceCode =
  | 'nobody'
  | 'several'
  | 'closer'
  | 'back'
  | 'middle'
  | 'light'
  | 'look'
  | 'still'
  | 'ready';

export interface Advice {
  readonly code: AdviceCode;
  /** Whom it is about; null where nobody is seen, or several are. */
  readonly face: LookedFace | null;
}

export const ADVICE_WORDS: Readonly<Record<AdviceCode, string>> = {
  nobody: 'No face is seen: look into the camera, and come closer',
  several: 'One person only, please',
  closer: 'Come closer',
  back: 'Go back a little',
  middle: 'Move into the middle',
  light: 'More light on the face: turn towards a window or a lamp',
  look: 'Look straight at the camera',
  still: 'Hold still',
  ready: 'Good. Stay like this',
};

/** A picture that is only just good enough makes a poor start: the webcam asks for more than enrolment does. */
const WIDTH_ABOVE_LEAST = 1.5;
const QUALITY_ABOVE_LEAST = 0.1;
/** The face in shares of the picture's height. */
const LEAST_SHARE_OF_HEIGHT = 0.28;
const MOST_SHARE_OF_HEIGHT = 0.85;
/** A room with the lamps out; with a lit face in front of a dark wall the face is found. */
const DARK_LUMA = 45;
/** How far the face's middle may be from the picture's, in shares of its width and height. */
const MOST_OFF_CENTRE = 0.3;
/** In widths of the face a second: faster than this, the picture smears. */
const MOST_SPEED = 0.5;

export interface Seen {
  readonly look: Look;
  readonly atMs: number;
}

/** @param before the look before, for how fast the face moves */
export function advise({ look, atMs }: Seen, before: Seen | null, limits: EnrolmentLimits): Advice {
  const widest = Math.max(0, ...look.faces.map(({ box }) => box.width));
  const persons = look.faces.filter(({ box }) => box.width >= limits.backgroundWidthShare * widest);
  const [face] = persons;
  // In the dark nobody can be seen: that is what has to be mended first.
  if (face === undefined) return { code: look.meanLuma < DARK_LUMA ? 'light' : 'nobody', face: null };
  if (persons.length > 1) return { code: 'several', face: null };
  return {
    code: adviceOnFace(face, look, limits) ?? (isStill(face, atMs, before) ? 'ready' : 'still'),
    face,
  };
}

function adviceOnFace({ box, quality }: LookedFace, look: Look, limits: EnrolmentLimits): AdviceCode | null {
  const { leastFaceWidthPx, leastQuality } = limits;
  if (box.width < WIDTH_ABOVE_LEAST * leastFaceWidthPx || box.height < LEAST_SHARE_OF_HEIGHT * look.height)
    return 'closer';
  if (box.height > MOST_SHARE_OF_HEIGHT * look.height) return 'back';
  const offX = Math.abs(box.x + box.width / 2 - look.width / 2) / look.width;
  const offY = Math.abs(box.y + box.height / 2 - look.height / 2) / look.height;
  if (Math.max(offX, offY) > MOST_OFF_CENTRE) return 'middle';
  if (quality.lighting < leastQuality.lighting + QUALITY_ABOVE_LEAST) return 'light';
  if (quality.angle < leastQuality.angle + QUALITY_ABOVE_LEAST) return 'look';
  // Smeared by movement, most of the time.
  if (quality.clarity < leastQuality.clarity + QUALITY_ABOVE_LEAST) return 'still';
  return null;
}

function isStill({ box }: LookedFace, atMs: number, before: Seen | null): boolean {
  if (before === null || atMs <= before.atMs) return false;
  const centre = (one: LookedFace['box']) => [one.x + one.width / 2, one.y + one.height / 2] as const;
  const [x, y] = centre(box);
  const movedPx = Math.min(
    ...before.look.faces.map((face) => {
      const [oldX, oldY] = centre(face.box);
      return Math.hypot(x - oldX, y - oldY);
    }),
  );
  return movedPx / box.width / ((atMs - before.atMs) / 1000) <= MOST_SPEED;
}

/** How long somebody must have been ready before the picture is taken by itself. */
export const STEADY_MS = 1000;

/** Counts how long it has been good: 0 to 1, 1 where the picture may be taken. A single bad look starts again. */
export function createSteadiness() {
  let sinceMs: number | null = null;
  return {
    next(code: AdviceCode, atMs: number): number {
      if (code !== 'ready') sinceMs = null;
      else sinceMs ??= atMs;
      return sinceMs === null ? 0 : Math.min(1, (atMs - sinceMs) / STEADY_MS);
    },
    reset(): void {
      sinceMs = null;
    },
  };
}

/** Shorter than this, a fault is not shown: words that change with every frame can neither be read nor heard. */
const CALM_MS = 300;

export function createCalmAdvice() {
  let shown: AdviceCode | null = null;
  let next: { readonly code: AdviceCode; readonly sinceMs: number } | null = null;
  return (code: AdviceCode, atMs: number): AdviceCode => {
    if (code === shown) next = null;
    else if (next?.code !== code) next = { code, sinceMs: atMs };
    if (shown === null || code === 'ready' || (next !== null && atMs - next.sinceMs >= CALM_MS)) {
      shown = code;
      next = null;
    }
    return shown;
  };
}

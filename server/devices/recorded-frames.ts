/** Which frames a recording shows, when, and how large. */
import { namesOf } from './frame-names.ts';
import type { FrameStore } from './frames.ts';
import { jpegSize, type PictureSize } from './jpeg-size.ts';
import type { TimedPicture } from './video-encoder.ts';

export type FrameSource = Pick<FrameStore, 'recent' | 'open'>;

export interface ChosenFrame {
  readonly name: string;
  readonly storedMs: number;
}

const WINDOW_MS = 30_000;
/** Frames nearer to each other than this would make a video that nobody can watch: a thousand boards in one picture. */
const SHORTEST_FRAME_MS = 16;
const LONGEST_LAST_FRAME_MS = 1000;
const LONGEST_SIDE_PX = 1920;
const HEAD_BYTES = 64 * 1024;

/** The frames of the last 30 s, oldest first. @param deviceId null for those of all devices */
export function chooseFrames(frames: FrameSource, deviceId: string | null): ChosenFrame[] {
  const isOfDevice = deviceId === null ? () => true : namesOf(deviceId);
  const chosen: ChosenFrame[] = [];
  for (const { name, storedMs } of frames.recent(WINDOW_MS)) {
    const lastMs = chosen.at(-1)?.storedMs ?? Number.NEGATIVE_INFINITY;
    if (isOfDevice(name) && storedMs - lastMs >= SHORTEST_FRAME_MS) chosen.push({ name, storedMs });
  }
  return chosen;
}

/** Holds every picture; null where none is left. Even, as yuv420p has one colour for two pixels. */
export async function canvasSize(
  frames: FrameSource,
  chosen: readonly ChosenFrame[],
): Promise<PictureSize | null> {
  let width = 0;
  let height = 0;
  for (const { name } of chosen) {
    const head = await readFrame(frames, name, HEAD_BYTES);
    const size = head && jpegSize(head);
    if (!size) continue;
    width = Math.max(width, size.width);
    height = Math.max(height, size.height);
  }
  if (width === 0) return null;
  const scale = Math.min(1, LONGEST_SIDE_PX / Math.max(width, height));
  const even = (side: number) => Math.max(2, 2 * Math.round((side * scale) / 2));
  return { width: even(width), height: even(height) };
}

export async function* timedPictures(
  frames: FrameSource,
  chosen: readonly ChosenFrame[],
  counted: { frames: number },
): AsyncGenerator<TimedPicture> {
  let first: number | null = null;
  let shown: TimedPicture | null = null;
  let gapMs = LONGEST_LAST_FRAME_MS;
  for (const { name, storedMs } of chosen) {
    const jpeg = await readFrame(frames, name);
    if (jpeg === null || jpegSize(jpeg) === null) continue;
    first ??= storedMs;
    const timeMs = Math.round(storedMs - first);
    if (shown !== null) gapMs = timeMs - shown.timeMs;
    shown = { timeMs, jpeg };
    counted.frames++;
    yield shown;
  }
  // A picture lasts until the next one; the last is shown for about as long as the one before it.
  if (shown !== null) yield { ...shown, timeMs: shown.timeMs + Math.min(gapMs, LONGEST_LAST_FRAME_MS) };
}

/** Null where the frame has been removed meanwhile. */
async function readFrame(frames: FrameSource, name: string, limitBytes?: number): Promise<Uint8Array | null> {
  const file = await frames.open(name);
  if (file === null) return null;
  try {
    if (limitBytes === undefined) return await file.handle.readFile();
    const head = Buffer.alloc(Math.min(limitBytes, file.sizeBytes));
    const { bytesRead } = await file.handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.handle.close();
  }
}

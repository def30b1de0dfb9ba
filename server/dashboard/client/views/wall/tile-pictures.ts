/**
 * Pictures for the tiles of a wall. All that are wanted at a moment are fetched by one request, decoded at the size of their tiles beside
 * the page's own thread, and shown together: a hundred requests and a hundred drawings a second would take a core of their own.
 */
import { callForBuffer } from '../../api.ts';
import type { Picture } from '../../sources.ts';
import { decodeJpeg, type Size } from './decode-jpeg.ts';

/** A tile, asked when its turn comes: what it would show by then, and how large it is. */
export interface PictureTaker {
  /** A newer wish of the same tile takes the place of one that waits. */
  readonly key: string;
  /** Null where it wants none: it is shown already, or the tile is gone. */
  readonly newest: () => Picture | null;
  /** In pixels of the screen. */
  readonly size: () => Size;
  /** Null where the picture is not kept any more. Whoever is shown it owns it. */
  readonly show: (bitmap: ImageBitmap | null, picture: Picture) => void;
}

/**
 * A few are shown as they come; of many none waits longer than its board takes for the next one. The pause follows from how many came in
 * the last second. From how many came together it would not: those are the more, the longer the pause was.
 */
const PAUSE_MS_A_PICTURE = 4;
const LONGEST_PAUSE_MS = 400;
const RETRY_AFTER_MS = 2000;
/** As many as the server gives at once. */
const MOST_AT_ONCE = 64;
/** Whoever clicks or types is not kept waiting for a whole wall. What is shown in one go is drawn by the browser in one go. */
const SHOW_AT_MOST_MS = 10;
const STORED_FRAME = /^\/data\/([^/?]+)$/;

export type TilePictures = ReturnType<typeof createTilePictures>;

export function createTilePictures() {
  const wanted = new Map<string, PictureTaker>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastMs = Number.NEGATIVE_INFINITY;
  let pauseMs = 0;
  let closed = false;
  /** Of the last second. */
  let batches: readonly { readonly atMs: number; readonly pictures: number }[] = [];

  function pauseAfter(pictures: number): number {
    batches = [...batches.filter(({ atMs }) => lastMs - atMs < 1000), { atMs: lastMs, pictures }];
    const lately = batches.reduce((sum, batch) => sum + batch.pictures, 0);
    return Math.min(LONGEST_PAUSE_MS, PAUSE_MS_A_PICTURE * lately);
  }

  function schedule(): void {
    if (closed || timer !== undefined || wanted.size === 0) return;
    timer = setTimeout(() => void showAll(), Math.max(0, lastMs + pauseMs - performance.now()));
  }

  async function showAll(): Promise<void> {
    lastMs = performance.now();
    const takers = [...wanted.values()].slice(0, MOST_AT_ONCE);
    for (const { key } of takers) wanted.delete(key);
    const batch = takers.flatMap((taker) => {
      const picture = taker.newest();
      return picture === null ? [] : [{ taker, picture, tile: taker.size() }];
    });
    pauseMs = pauseAfter(batch.length);
    try {
      const jpegs = await fetchAll(batch.map(({ picture }) => picture.url));
      const bitmaps = await Promise.all(
        batch.map(({ picture, tile }, i) => (jpegs[i] ? decodeJpeg(jpegs[i], picture, tile) : null)),
      );
      let sinceMs = performance.now();
      for (const [i, { taker, picture }] of batch.entries()) {
        if (performance.now() - sinceMs > SHOW_AT_MOST_MS) {
          await new Promise((resolve) => setTimeout(resolve));
          sinceMs = performance.now();
        }
        taker.show(bitmaps[i] ?? null, picture);
      }
    } catch {
      // The connection is gone, and that is told beside the navigation. Asked again later.
      for (const { taker } of batch) wanted.set(taker.key, taker);
      pauseMs = RETRY_AFTER_MS;
    }
    timer = undefined;
    schedule();
  }

  return {
    want(taker: PictureTaker): void {
      wanted.set(taker.key, taker);
      schedule();
    },
    forget: (key: string): void => void wanted.delete(key),
    close(): void {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Null for each that is not there any more. */
async function fetchAll(urls: readonly string[]): Promise<(Uint8Array<ArrayBuffer> | null)[]> {
  const stored = urls.flatMap((url) => STORED_FRAME.exec(url)?.[1] ?? []);
  const [frames, ...others] = await Promise.all([
    stored.length === 0 ? [] : fetchFrames(stored),
    ...urls.map((url) => (STORED_FRAME.test(url) ? null : fetchOne(url))),
  ]);
  const left = [...frames];
  return urls.map((url, i) => (STORED_FRAME.test(url) ? (left.shift() ?? null) : (others[i] ?? null)));
}

async function fetchOne(url: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return new Uint8Array(await callForBuffer(url, { headers: { Accept: 'image/jpeg' } }));
  } catch {
    return null;
  }
}

/** The pictures one after another, each behind its length: see `server/http/routes/frame-bundle.ts`. */
async function fetchFrames(names: readonly string[]): Promise<(Uint8Array<ArrayBuffer> | null)[]> {
  const bundle = await callForBuffer(`/api/v1/stream/frames/bundle?names=${names.join(',')}`, {
    headers: { Accept: 'application/octet-stream' },
  });
  const view = new DataView(bundle);
  let offset = 0;
  return names.map(() => {
    const length = view.getUint32(offset);
    const start = offset + 4;
    offset = start + length;
    return length === 0 ? null : new Uint8Array(bundle, start, length);
  });
}

/**
 * Pictures for the tiles of a wall. All that are wanted at a moment are fetched by one request, decoded at the size of their tiles beside
 * the page's own thread, and shown together: a hundred requests and a hundred drawings a second would take a core of their own.
 */
import { callForBytes } from '../../api.ts';

export interface WantedPicture {
  /** Who wants it: a newer wish of the same tile takes the place of one that waits. */
  readonly key: string;
  readonly url: string;
  /** In pixels of the screen. */
  readonly width: number;
  readonly height: number;
  /** Null where the picture is not kept any more. Whoever is shown it owns it. */
  readonly show: (picture: ImageBitmap | null) => void;
}

/** A few are shown as they come; of many none waits longer than its board takes for the next one. */
const EVERY_MS_A_PICTURE = 10;
const LONGEST_PAUSE_MS = 400;
const RETRY_AFTER_MS = 2000;
/** As many as the server gives at once. */
const MOST_AT_ONCE = 64;
const SHOWN_AT_ONCE = 16;
const STORED_FRAME = /^\/data\/([^/?]+)$/;

export type TilePictures = ReturnType<typeof createTilePictures>;

export function createTilePictures() {
  const wanted = new Map<string, WantedPicture>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastMs = Number.NEGATIVE_INFINITY;
  let pauseMs = 0;

  function schedule(): void {
    if (timer !== undefined || wanted.size === 0) return;
    timer = setTimeout(() => void showAll(), Math.max(0, lastMs + pauseMs - performance.now()));
  }

  async function showAll(): Promise<void> {
    lastMs = performance.now();
    const batch = [...wanted.values()].slice(0, MOST_AT_ONCE);
    for (const { key } of batch) wanted.delete(key);
    pauseMs = Math.min(LONGEST_PAUSE_MS, EVERY_MS_A_PICTURE * batch.length);
    try {
      const pictures = await fetchAll(batch.map(({ url }) => url));
      const bitmaps = await Promise.all(batch.map((wish, i) => decoded(pictures[i] ?? null, wish)));
      for (const [i, { show }] of batch.entries()) {
        // In short tasks: whoever clicks or types is not kept waiting for a whole wall.
        if (i > 0 && i % SHOWN_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
        show(bitmaps[i]!);
      }
    } catch {
      // The connection is gone, and that is told beside the navigation. Asked again later, but for tiles that have newer pictures by now.
      for (const wish of batch) if (!wanted.has(wish.key)) wanted.set(wish.key, wish);
      pauseMs = RETRY_AFTER_MS;
    }
    timer = undefined;
    schedule();
  }

  return {
    want(wish: WantedPicture): void {
      wanted.set(wish.key, wish);
      schedule();
    },
    forget: (key: string): void => void wanted.delete(key),
    close(): void {
      wanted.clear();
      clearTimeout(timer);
    },
  };
}

/** Null for each that is not there any more. */
async function fetchAll(urls: readonly string[]): Promise<(Blob | null)[]> {
  const stored = urls.flatMap((url) => STORED_FRAME.exec(url)?.[1] ?? []);
  const [frames, ...others] = await Promise.all([
    stored.length === 0 ? [] : fetchFrames(stored),
    ...urls.map((url) => (STORED_FRAME.test(url) ? null : callForBytes(url, IMAGE).catch(() => null))),
  ]);
  const left = [...frames];
  return urls.map((url, i) => (STORED_FRAME.test(url) ? (left.shift() ?? null) : (others[i] ?? null)));
}

const IMAGE = { headers: { Accept: 'image/*' } };

/** The pictures one after another, each behind its length: see `server/http/routes/frame-bundle.ts`. */
async function fetchFrames(names: readonly string[]): Promise<(Blob | null)[]> {
  const bundle = await callForBytes(`/api/v1/stream/frames/bundle?names=${names.join(',')}`, {
    headers: { Accept: 'application/octet-stream' },
  });
  const bytes = await bundle.arrayBuffer();
  const view = new DataView(bytes);
  let offset = 0;
  return names.map(() => {
    const length = view.getUint32(offset);
    const start = offset + 4;
    offset = start + length;
    return length === 0 ? null : new Blob([new Uint8Array(bytes, start, length)], { type: 'image/jpeg' });
  });
}

async function decoded(picture: Blob | null, { width, height }: WantedPicture): Promise<ImageBitmap | null> {
  if (picture === null) return null;
  return createImageBitmap(picture, {
    resizeWidth: Math.max(1, width),
    resizeHeight: Math.max(1, height),
    resizeQuality: 'low',
  }).catch(() => null);
}

/** The detector's worker as the webcam starts it, driven from a test or a bench: opened, then shown one picture several times. */
import type { Page } from 'playwright-core';
import type {
  DetectorDescription,
  FromWorker,
  Look,
  Provider,
} from '../../server/dashboard/client/webcam/detector-protocol.ts';

export interface LookedInBrowser {
  readonly provider: string;
  readonly whyNotWebgpu: string | null;
  /** From the start of the worker until it has proven itself. */
  readonly openMs: number;
  /** One for each time the picture was shown, with how long the page waited. */
  readonly looks: readonly (Look & { readonly waitedMs: number })[];
}

/**
 * @param picture PNG or JPEG
 * @param provider what the page itself would choose, unless given
 */
export async function lookInBrowser(
  page: Page,
  description: DetectorDescription,
  picture: Buffer,
  times = 1,
  provider?: Provider,
): Promise<LookedInBrowser> {
  return page.evaluate(
    async ({ described, base64, count, wanted }) => {
      const worker = new Worker(described.worker, { type: 'module' });
      const answer = () =>
        new Promise<FromWorker>((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = (event) => reject(new Error(event.message));
        });
      const startMs = performance.now();
      worker.postMessage({ kind: 'open', description: described, provider: wanted });
      const opened = await answer();
      if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened));
      const openMs = performance.now() - startMs;
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const looks = [];
      for (let id = 0; id < count; id++) {
        const bitmap = await createImageBitmap(new Blob([bytes]));
        const shownMs = performance.now();
        worker.postMessage({ kind: 'look', id, bitmap }, [bitmap]);
        const looked = await answer();
        if (looked.kind !== 'looked') throw new Error(JSON.stringify(looked));
        looks.push({ ...looked.look, waitedMs: performance.now() - shownMs });
      }
      worker.terminate();
      return { provider: opened.provider, whyNotWebgpu: opened.whyNotWebgpu, openMs, looks };
    },
    { described: description, base64: picture.toString('base64'), count: times, wanted: provider },
  );
}

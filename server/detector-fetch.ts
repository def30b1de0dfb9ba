/** Brings the better detector in the background: the server is at work with the embedded one all the while. */
import type { DetectorModel, ModelFile } from '../models/manifest.ts';
import type { ModelSelection } from '../workers/protocol.ts';
import type { Log } from './log.ts';

export interface DetectorFetch {
  /** Ends when the detector is in use, or could not be had. Never rejects. */
  readonly done: Promise<void>;
  abort(): void;
}

export interface DetectorFetchOptions {
  readonly detector: DetectorModel & { readonly file: ModelFile };
  /** What runs now; only the detector is replaced. */
  readonly selection: ModelSelection;
  /** Fetches and verifies the file, and gives its path. */
  readonly fetch: (file: ModelFile, signal: AbortSignal) => Promise<{ readonly path: string }>;
  readonly use: (selection: ModelSelection) => Promise<void>;
  readonly log: Log;
}

export function fetchDetector(options: DetectorFetchOptions): DetectorFetch {
  const { detector, selection, log } = options;
  const abort = new AbortController();
  async function run(): Promise<void> {
    log.info(
      { model: detector.id, bytes: detector.file.sizeBytes },
      `fetching ${detector.title} in the background`,
    );
    try {
      const { path } = await options.fetch(detector.file, abort.signal);
      if (abort.signal.aborted) return;
      await options.use({ ...selection, detector: { id: detector.id, path } });
      log.info({ model: detector.id }, `${detector.title} is verified and in use`);
    } catch (error) {
      if (abort.signal.aborted) return;
      log.warn(
        { model: detector.id, reason: (error as Error).message },
        `${detector.title} could not be taken into use; ${selection.detector.id} works on. The next start tries again. Without internet: npm run models -- fetch ${detector.id} --from <folder>, or MODEL_DOWNLOAD=never`,
      );
    }
  }
  return { done: run(), abort: () => abort.abort() };
}

/** The media worker that tests run with: MEDIASOUP_WORKER_BIN, else the one that the package's own install left; a reason to skip where there is none. */
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OWN = fileURLToPath(
  new URL('../../node_modules/mediasoup/worker/out/Release/mediasoup-worker', import.meta.url),
);

export function mediaWorkerOrReason(): { path: string | null; reason: string | false } {
  const path = process.env.MEDIASOUP_WORKER_BIN ?? OWN;
  try {
    accessSync(path, constants.X_OK);
    return { path, reason: false };
  } catch {
    return { path: null, reason: 'there is no media worker: set MEDIASOUP_WORKER_BIN' };
  }
}

/** The detector as the page sees it: a worker that is loaded when somebody wants to use the camera. */
import { call } from '../api.ts';
import type {
  DetectorDescription,
  EnrolmentLimits,
  FromWorker,
  Look,
  Provider,
} from './detector-protocol.ts';

export interface BrowserDetector {
  readonly provider: Provider;
  /** Why it is not WebGPU; null where it is. */
  readonly whyNotWebgpu: string | null;
  readonly limits: EnrolmentLimits;
  /** One at a time. The bitmap is used up. */
  look(bitmap: ImageBitmap): Promise<Look>;
  close(): void;
}

/**
 * @param onSize how many bytes come over the network, where they are not in the browser's cache
 * @throws Error with a sentence where it cannot be loaded or run
 */
export async function openDetector(
  signal: AbortSignal,
  onSize: (bytes: number) => void,
): Promise<BrowserDetector> {
  const description = await call<DetectorDescription>('/api/v1/page/detector', { signal });
  const { detector, landmarks, runtimes } = description;
  onSize(detector.compressedBytes + landmarks.compressedBytes + runtimes.wasm.compressedBytes);
  const worker = new Worker(description.worker, { type: 'module', name: 'detector' });
  let waiting: { resolve: (message: FromWorker) => void; reject: (error: Error) => void } | null = null;
  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = null;
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (data.kind === 'failed') return fail(new Error(`The face detector failed: ${data.message}`));
    waiting?.resolve(data);
    waiting = null;
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(new Error('The face detector could not be loaded.'));
  };
  const stop = () => {
    worker.terminate();
    fail(new DOMException('closed', 'AbortError'));
  };
  signal.addEventListener('abort', stop, { once: true });
  const ask = (message: unknown, transfer: Transferable[]) =>
    new Promise<FromWorker>((resolve, reject) => {
      waiting = { resolve, reject };
      worker.postMessage(message, transfer);
    });

  const opened = await ask({ kind: 'open', description }, []);
  if (opened.kind !== 'opened') throw new Error('The face detector could not be loaded.');
  let looks = 0;
  return {
    provider: opened.provider,
    whyNotWebgpu: opened.whyNotWebgpu,
    limits: description.enrolment,
    async look(bitmap) {
      const looked = await ask({ kind: 'look', id: ++looks, bitmap }, [bitmap]);
      if (looked.kind !== 'looked') throw new Error('The face detector gave no answer.');
      return looked.look;
    },
    close() {
      signal.removeEventListener('abort', stop);
      stop();
    },
  };
}

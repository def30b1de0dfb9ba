/** A Piscina pool for one provider and one choice of models: started, proven with a picture, drained before it ends. */
import { Piscina } from 'piscina';
import type { WorkerAnswer, WorkerSetup, WorkerTask } from '../../workers/protocol.ts';

export type PoolSetup = Omit<WorkerSetup, 'readyCount'>;

export interface ThreadPool {
  readonly setup: PoolSetup;
  readonly threads: number;
  /** How many threads live and have loaded their models. */
  readonly readyThreads: () => number;
  /** Milliseconds from the start of the first thread to its first answer. */
  readonly startMs: number;
  /** @throws where the thread itself ends: a fault of ours, and Piscina starts another */
  run(task: WorkerTask): Promise<WorkerAnswer>;
  /** Waits for what runs and what still starts, then ends the threads: ending one inside ONNX Runtime would abort the process. */
  close(): Promise<void>;
}

const THREAD_FILE = new URL('../../workers/thread.ts', import.meta.url).href;
const PROOF_WIDTH = 320;
const PROOF_HEIGHT = 240;

/** @throws Error with the thread's own words where the provider cannot load or run the models */
export async function startThreadPool(setup: PoolSetup, threads: number): Promise<ThreadPool> {
  const start = performance.now();
  const readyCount = new Int32Array(new SharedArrayBuffer(4));
  const piscina = new Piscina({
    filename: THREAD_FILE,
    workerData: { ...setup, readyCount } satisfies WorkerSetup,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // The backlog holds what waits; here there is never more than a thread can take.
    maxQueue: Number.POSITIVE_INFINITY,
    closeTimeout: 60_000,
  });
  // Errors of a thread reach the task that it ran; without a listener they would end the process as well.
  piscina.on('error', () => {});
  let running = 0;
  const idle: (() => void)[] = [];

  async function run(task: WorkerTask): Promise<WorkerAnswer> {
    running++;
    try {
      return (await piscina.run(task, { transferList: ownedBuffers(task) })) as WorkerAnswer;
    } finally {
      if (--running === 0) for (const resolve of idle.splice(0)) resolve();
    }
  }

  async function close(): Promise<void> {
    if (running > 0) await new Promise<void>((resolve) => idle.push(resolve));
    await allReady(readyCount, threads);
    await piscina.destroy();
  }

  const proof = await run(proofTask());
  if (proof.kind === 'failed') {
    await close();
    throw new Error(proof.message);
  }
  const readyThreads = () => Math.min(piscina.threads.length, Atomics.load(readyCount, 0));
  return { setup, threads, readyThreads, startMs: performance.now() - start, run, close };
}

const START_LIMIT_MS = 60_000;

async function allReady(readyCount: Int32Array, threads: number): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const ready = Atomics.load(readyCount, 0);
    const leftMs = deadline - performance.now();
    if (ready >= threads || leftMs <= 0) return;
    await Atomics.waitAsync(readyCount as Int32Array<SharedArrayBuffer>, 0, ready, leftMs).value;
  }
}

/** A grey picture: it goes through decoding by a kernel and through the detector, and there is nobody in it. */
const proofTask = (): WorkerTask => ({
  kind: 'analyse',
  input: {
    kind: 'raw',
    bytes: new Uint8Array(PROOF_WIDTH * PROOF_HEIGHT).fill(128),
    width: PROOF_WIDTH,
    height: PROOF_HEIGHT,
    format: 'GRAYSCALE',
    byteOrder: 'BE',
  },
  index: null,
  returnEmbeddings: false,
  jpegQuality: null,
});

/** The recognizer hands over a copy that fills its buffer, so that it can be moved instead of copied again. */
function ownedBuffers(task: WorkerTask): ArrayBuffer[] {
  const { bytes } = task.input;
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
    ? [bytes.buffer]
    : [];
}

/** A Piscina pool for one provider and one choice of models: started, proven with a picture, drained before it ends. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ProviderName, WorkerAnswer, WorkerSetup, WorkerTask } from '../../workers/protocol.ts';

export interface PoolSetup extends Omit<WorkerSetup, 'readyCount' | 'deviceThreadId'> {
  /** Whether one thread runs the networks for all others, in batches; unless given, where the provider is a GPU. */
  readonly sharesDevice?: boolean;
}

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

const DEVICE_FILE = new URL('../../workers/device-thread.ts', import.meta.url);
const THREAD_FILE = new URL('../../workers/thread.ts', import.meta.url).href;
const PROOF_WIDTH = 320;
const PROOF_HEIGHT = 240;

/** @throws Error with the thread's own words where the provider cannot load or run the models */
export async function startThreadPool(setup: PoolSetup, threads: number): Promise<ThreadPool> {
  const start = performance.now();
  const readyCount = new Int32Array(new SharedArrayBuffer(4));
  const { sharesDevice = isGpu(setup.provider), ...shared } = setup;
  const device = sharesDevice ? await startDevice(setup.provider) : null;
  const piscina = new Piscina({
    filename: THREAD_FILE,
    workerData: { ...shared, readyCount, deviceThreadId: device?.threadId ?? null } satisfies WorkerSetup,
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
    if (device) await stopDevice(device);
  }

  const proof = await run(proofTask());
  if (proof.kind === 'failed') {
    await close();
    throw new Error(proof.message);
  }
  const readyThreads = () => Math.min(piscina.threads.length, Atomics.load(readyCount, 0));
  return { setup, threads, readyThreads, startMs: performance.now() - start, run, close };
}

const isGpu = (provider: ProviderName): boolean => provider === 'cuda' || provider === 'webgpu';

async function startDevice(provider: ProviderName): Promise<Worker> {
  const device = new Worker(DEVICE_FILE, { workerData: { provider } });
  // Its end is noticed by the threads that wait for it, and told by their answers.
  device.on('error', () => {});
  await once(device, 'online');
  return device;
}

/** By a message, which it reads between two runs. */
async function stopDevice(device: Worker): Promise<void> {
  if (device.threadId === -1) return;
  const ended = once(device, 'exit');
  device.postMessage('end');
  await ended;
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
    enhancement: null,
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

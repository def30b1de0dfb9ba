/** The file that Piscina starts in each thread; it awaits the promise, and then calls the function for each task. */
import { workerData } from 'piscina';
import { createFaceWorker } from './face-worker.ts';
import type { WorkerSetup } from './protocol.ts';

async function start(setup: WorkerSetup) {
  const worker = await createFaceWorker(setup);
  Atomics.add(setup.readyCount, 0, 1);
  Atomics.notify(setup.readyCount, 0);
  return worker;
}

export default start(workerData as WorkerSetup);

/** The threads of embedded databases of this process, for tests that end one. Import it before a database is opened. */
import type { Worker } from 'node:worker_threads';

const running = new Set<Worker>();

process.on('worker', (worker) => {
  if (worker.threadName !== 'database') return;
  running.add(worker);
  worker.once('exit', () => running.delete(worker));
});

/** Ends them where they stand, as a fault of theirs would. */
export async function endDatabaseThreads(): Promise<number> {
  const ended = [...running];
  await Promise.all(ended.map((worker) => worker.terminate()));
  return ended.length;
}

/**
 * A thread that searches one index without a pause until it has seen `lastRow`, then answers with what went wrong. Row i belongs to
 * person i and equals unitVector(seededNormal(i)); queries are rows that must already be there.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { EmbeddingIndexReader } from '../../kernels/embedding-index.ts';
import { seededNormal, unitVector } from './random.ts';

const { memory, lastRow, thread } = workerData as {
  memory: WebAssembly.Memory;
  lastRow: number;
  thread: number;
};

const reader = EmbeddingIndexReader.attach(memory);
const faults: string[] = [];
let searches = 0;
parentPort!.postMessage('attached');
for (let seen = 0; seen < lastRow; searches++) {
  seen = reader.rowCount;
  if (seen === 0) continue;
  const row = (searches * 7919 + thread) % seen;
  const found = reader.search(unitVector(seededNormal(row)));
  if (found?.person !== row || Math.abs(found.similarity - 1) > 1e-5) {
    faults.push(`row ${row} of ${seen}: found ${JSON.stringify(found)}`);
    break;
  }
}
reader.detach();
parentPort!.postMessage({ searches, faults });

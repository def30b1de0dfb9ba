/** How busy the processors of this machine are, the same way on every operating system. */
import { cpus } from 'node:os';

export interface ProcessorTimes {
  readonly busyMs: number;
  readonly totalMs: number;
}

/** Shorter stretches say nothing: the counters move in steps of 10 ms. */
const SHORTEST_MS = 500;

/**
 * Share of all processors' time that was in use since the last call that measured; the first call looks back to the start of the
 * machine, and one that comes too soon repeats the last answer.
 */
export function createSystemLoad(
  read: () => ProcessorTimes = readTimes,
  monotonicMs: () => number = () => performance.now(),
): () => number {
  let last: ProcessorTimes = { busyMs: 0, totalMs: 0 };
  let lastMs = Number.NEGATIVE_INFINITY;
  let load = 0;
  return () => {
    const nowMs = monotonicMs();
    if (nowMs - lastMs < SHORTEST_MS) return load;
    const now = read();
    const totalMs = now.totalMs - last.totalMs;
    if (totalMs > 0) load = Math.min(1, Math.max(0, (now.busyMs - last.busyMs) / totalMs));
    last = now;
    lastMs = nowMs;
    return load;
  };
}

function readTimes(): ProcessorTimes {
  let busyMs = 0;
  let totalMs = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    busyMs += all - times.idle;
    totalMs += all;
  }
  return { busyMs, totalMs };
}

/**
 * A program of its own: tries one GPU provider and prints what came of it as one line of JSON. In a process apart, so that a driver
 * that crashes or hangs takes nothing with it.
 *
 * Usage: node provider-probe.ts <cuda|webgpu>
 */
import { cpus } from 'node:os';
import { buildDlibResnet } from '../models/build/dlib-resnet.ts';
import type { ProviderName } from './protocol.ts';
import { createGraphOpener, type Graph } from './session.ts';

export interface ProbeReport {
  readonly provider: ProviderName;
  readonly usable: boolean;
  readonly why: string;
}

const BATCH = 8;
const SIDE_PX = 150;
const SHAPE = [BATCH, 3, SIDE_PX, SIDE_PX];
const WARM_UPS = 2;
const REPEATS = 5;
/** TF32 and other sums in another order turn an embedding by far less than this. */
const LEAST_COSINE = 0.9999;

export async function probeProvider(provider: ProviderName): Promise<ProbeReport> {
  const report = (usable: boolean, why: string): ProbeReport => ({ provider, usable, why });
  const model = buildDlibResnet();
  const input = probeInput();
  const cpu = await measure(await openProbe('cpu', model), input);
  let candidate: Measured;
  try {
    candidate = await measure(await openProbe(provider, model), input);
  } catch (error) {
    return report(false, error instanceof Error ? error.message : String(error));
  }
  const cosine = leastCosine(cpu.answer, candidate.answer);
  if (!(cosine >= LEAST_COSINE)) {
    return report(
      false,
      `its answer differs from the CPU's (cosine ${cosine.toFixed(5)}, expected ${LEAST_COSINE})`,
    );
  }
  const times = `${candidate.medianMs.toFixed(1)} ms against ${cpu.medianMs.toFixed(1)} ms for ${BATCH} faces`;
  // All cores work at once on the CPU, so a GPU has to beat them together. A software adapter is slower than even one.
  const cpuTogetherMs = cpu.medianMs / cpus().length;
  if (candidate.medianMs >= cpu.medianMs) return report(false, `slower than one CPU core: ${times}`);
  if (candidate.medianMs >= cpuTogetherMs)
    return report(false, `slower than the ${cpus().length} CPU cores together: ${times}`);
  return report(true, `faster than the CPU: ${times}`);
}

const openProbe = async (provider: ProviderName, model: Uint8Array): Promise<Graph> =>
  (await createGraphOpener(provider)).open('the probe', model, ['embedding']);

interface Measured {
  readonly answer: Float32Array;
  readonly medianMs: number;
}

async function measure(graph: Graph, input: Float32Array): Promise<Measured> {
  const timesMs: number[] = [];
  let answer = new Float32Array();
  for (let i = 0; i < WARM_UPS + REPEATS; i++) {
    const start = performance.now();
    answer = Float32Array.from((await graph.run(input, SHAPE)).embedding!);
    if (i >= WARM_UPS) timesMs.push(performance.now() - start);
  }
  await graph.release();
  return { answer, medianMs: timesMs.sort((a, b) => a - b)[REPEATS >> 1]! };
}

/** Smooth, different in each face, the same in every run. */
function probeInput(): Float32Array {
  const input = new Float32Array(SHAPE.reduce((product, side) => product * side, 1));
  for (let i = 0; i < input.length; i++)
    input[i] = 127 + 100 * Math.sin(i / 37) * Math.cos(i / (SIDE_PX * (3 + (i % 5))));
  return input;
}

function leastCosine(first: Float32Array, second: Float32Array): number {
  const dimensions = first.length / BATCH;
  let least = 1;
  for (let face = 0; face < BATCH; face++) {
    let dot = 0;
    for (let i = face * dimensions; i < (face + 1) * dimensions; i++) dot += first[i]! * second[i]!;
    least = Math.min(least, dot);
  }
  return least;
}

if (import.meta.main) {
  const report = await probeProvider(process.argv[2] as ProviderName);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exit(0);
}

/** Pictures a second that the real pool of threads recognises, with one thread and with more. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createLog } from '../server/log.ts';
import { type Recognizer, startRecognizer } from '../server/recognition/recognizer.ts';
import { TEST_LIMITS } from '../test/support/pipeline.ts';
import type { ModelSelection } from '../workers/protocol.ts';
import { wholeNumber } from './command-line.ts';
import { type Reporter, spreadFigure, verify } from './harness.ts';
import { onePersonJpeg } from './pictures.ts';
import { findYunet, SSD, WITHOUT_YUNET } from './selections.ts';

export const title = 'JPEG 640x480 with one face through the pool of worker threads';

const TARGET_RATIO = 1.7;
const ARITHMETIC_MS = 400;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const cores = availableParallelism();
  if (cores < 2) return reporter.skip('two threads against one: this machine has one core');
  const rounds = wholeNumber(options, 'rounds', 9, 1, 1000);
  const counts = [...new Set([1, 2, cores])];
  const picture = await onePersonJpeg();
  const yunet = await findYunet();
  if (yunet === null) reporter.skip(WITHOUT_YUNET);

  reporter.add(
    spreadFigure('plain arithmetic, 2 threads against 1', 'times', await arithmeticRatios(rounds)),
  );
  reporter.note('(the most that this machine gives a second thread at the moment)');
  await measure(reporter, 'SSD', SSD, counts, { picture, rounds, picturesPerRound: 40 });
  if (yunet) await measure(reporter, 'YuNet', yunet, counts, { picture, rounds, picturesPerRound: 100 });
}

interface Load {
  readonly picture: Uint8Array;
  readonly rounds: number;
  readonly picturesPerRound: number;
}

/** Pools of every size are open all the time and take turns, so that what the machine does meanwhile meets all of them. */
async function measure(
  reporter: Reporter,
  name: string,
  models: ModelSelection,
  counts: readonly number[],
  { picture, rounds, picturesPerRound }: Load,
): Promise<void> {
  const recognizers: Recognizer[] = [];
  try {
    for (const threads of counts) recognizers.push(await open(models, threads));
    const rates: number[][] = counts.map(() => []);
    for (let round = -1; round < rounds; round++) {
      for (const [i, recognizer] of recognizers.entries()) {
        const start = performance.now();
        await recogniseMany(recognizer, picture, picturesPerRound);
        const seconds = (performance.now() - start) / 1000;
        if (round >= 0) rates[i]!.push(picturesPerRound / seconds);
      }
    }
    for (const [i, threads] of counts.entries())
      reporter.add(
        spreadFigure(`${name}, ${threads} thread${threads > 1 ? 's' : ''}`, 'pictures/s', rates[i]!),
      );
    for (const [i, threads] of counts.entries()) {
      if (threads === 1) continue;
      const ratios = rates[i]!.map((rate, round) => rate / rates[0]![round]!);
      const target = threads === 2 ? { atLeast: TARGET_RATIO } : undefined;
      reporter.add(spreadFigure(`${name}, ${threads} threads against 1`, 'times', ratios, target));
    }
  } finally {
    await Promise.all(recognizers.map((recognizer) => recognizer.close()));
  }
}

function open(models: ModelSelection, threads: number): Promise<Recognizer> {
  return startRecognizer({
    models,
    providers: ['cpu'],
    threads,
    limits: TEST_LIMITS,
    queueLimit: 1000,
    log: createLog({ level: 'error', format: 'json', secrets: new Set(), output: process.stderr }),
  });
}

/** Twice as many pictures under way as there are threads: none waits for the main thread. */
async function recogniseMany(recognizer: Recognizer, bytes: Uint8Array, count: number): Promise<void> {
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      const { faces } = await recognizer.analyse({
        input: { kind: 'encoded', bytes },
        index: null,
        returnEmbeddings: true,
        jpegQuality: null,
      });
      verify(faces.length === 1, `expected one face, found ${faces.length}`);
    }
  };
  await Promise.all(Array.from({ length: 2 * recognizer.status.threads }, client));
}

/** How much more two threads compute than one where neither touches memory. */
async function arithmeticRatios(rounds: number): Promise<number[]> {
  const workers = [spinningWorker(), spinningWorker()];
  const spin = ({ worker }: (typeof workers)[number]) =>
    new Promise<number>((resolve) => {
      worker.once('message', resolve);
      worker.postMessage(ARITHMETIC_MS);
    });
  try {
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const alone = await spin(workers[0]!);
      const [first, second] = await Promise.all(workers.map(spin));
      ratios.push((first! + second!) / alone);
    }
    return ratios;
  } finally {
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
}

function spinningWorker() {
  const source = `
    const { parentPort } = require('node:worker_threads');
    parentPort.on('message', (limitMs) => {
      const end = performance.now() + limitMs;
      let [steps, value] = [0, 1];
      while (performance.now() < end) {
        for (let i = 0; i < 100_000; i++) value = (value * 1.000001 + 0.5) % 1000;
        steps++;
      }
      parentPort.postMessage(steps + (value < 0 ? 1 : 0));
    });`;
  return { worker: new Worker(source, { eval: true }) };
}

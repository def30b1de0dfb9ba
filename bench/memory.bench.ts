/** Whether the memory of the process stays flat over many recognitions through the real pool of threads. */
import { availableParallelism } from 'node:os';
import sharp, { type Sharp } from 'sharp';
import { EmbeddingIndexWriter } from '../kernels/embedding-index.ts';
import { createLog } from '../server/log.ts';
import { type Recognizer, startRecognizer } from '../server/recognition/recognizer.ts';
import { TEST_LIMITS } from '../test/support/pipeline.ts';
import { randomUnitVector, seededRandom } from '../test/support/vectors.ts';
import type { EncodedPicture, IndexReference, RawFrame } from '../workers/protocol.ts';
import { UsageError, wholeNumber } from './command-line.ts';
import { median, type Reporter, verify } from './harness.ts';
import { type Line, straightLine } from './line.ts';
import { onePersonJpeg } from './pictures.ts';
import { findYunet, SSD } from './selections.ts';

export const title =
  'resident memory over many recognitions of pictures of several shapes, sizes and formats';

const MIB = 2 ** 20;
/** Growth over the second half, as a straight line sees it; allocators and the garbage collector move by as much without a leak. */
const MOST_GROWTH_MIB = 12;
const GALLERY_ROWS = 500;
const ANNOTATE_EVERY = 50;
const BREAK_EVERY = 100;

interface Input {
  readonly input: EncodedPicture | RawFrame;
  readonly faces: number;
}

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const count = wholeNumber(options, 'count', 20_000, 100, 10_000_000);
  const step = Math.max(1, Math.round(count / 20));
  const inputs = await makeInputs();
  const index = makeIndex();
  const threads = availableParallelism();
  const detectors = options.detector === 'yunet' ? await findYunet() : SSD;
  if (detectors === null) throw new UsageError(`--detector ${options.detector}: its file is not there`);
  const recognizer = await startRecognizer({
    models: detectors,
    providers: ['cpu'],
    threads,
    limits: TEST_LIMITS,
    queueLimit: 1000,
    log: createLog({ level: 'error', format: 'json', secrets: new Set(), output: process.stderr }),
  });
  reporter.note(
    `${count} recognitions, ${threads} threads, ${detectors.detector.id}; every ${ANNOTATE_EVERY}th also drawn into, every ${BREAK_EVERY}th also cut off`,
  );
  const samples: Sample[] = [];
  const start = performance.now();
  try {
    for (let done = 0; done < count; ) {
      const next = Math.min(step, count - done);
      await recogniseMany(recognizer, inputs, index, done, next);
      done += next;
      const rssMib = process.memoryUsage.rss() / MIB;
      samples.push({ recognitions: done, rssMib });
      console.log(`  after ${String(done).padStart(6)}: RSS ${rssMib.toFixed(1)} MiB`);
    }
  } finally {
    await recognizer.close();
  }
  reporter.add({ name: 'duration', unit: 's', value: (performance.now() - start) / 1000 });
  judge(reporter, samples, count);
}

interface Sample {
  readonly recognitions: number;
  readonly rssMib: number;
}

function judge(reporter: Reporter, samples: readonly Sample[], count: number): void {
  for (const { recognitions, rssMib } of samples)
    reporter.record({ name: `RSS after ${recognitions}`, unit: 'MiB', value: rssMib });
  const half = samples.slice(samples.length >> 1);
  const line: Line = straightLine(half.map(({ recognitions, rssMib }) => [recognitions, rssMib]));
  const growthMib = line.slope * (count / 2);
  const name = 'second half: growth of the straight line through it';
  reporter.add({ name, unit: 'MiB', value: growthMib, target: { atMost: MOST_GROWTH_MIB } });
  const rss = half.map((sample) => sample.rssMib);
  const quarter = rss.length >> 1;
  const difference = median(rss.slice(-quarter)) - median(rss.slice(0, quarter));
  const target = { atMost: MOST_GROWTH_MIB };
  reporter.add({ name: 'last quarter above the third, medians', unit: 'MiB', value: difference, target });
  reporter.add({ name: 'RSS in the second half, median', unit: 'MiB', value: median(rss) });
}

/** Mostly small ones: what counts is how often, and how differently, memory is asked for. */
async function makeInputs(): Promise<Input[]> {
  const photo = await onePersonJpeg();
  const sized = (width: number, height: number) => sharp(photo).resize(width, height, { fit: 'cover' });
  const jpeg = async (width: number, height: number): Promise<Input> => ({
    input: { kind: 'encoded', bytes: await sized(width, height).jpeg().toBuffer() },
    faces: 1,
  });
  const inputs = [
    ...(await Promise.all(
      [
        [320, 240],
        [240, 240],
        [280, 210],
        [300, 225],
        [220, 250],
        [318, 239],
        [256, 192],
      ].map(([width, height]) => jpeg(width!, height!)),
    )),
    { input: { kind: 'encoded', bytes: await sized(300, 240).png().toBuffer() } as const, faces: 1 },
    { input: { kind: 'encoded', bytes: await sized(310, 232).webp().toBuffer() } as const, faces: 1 },
    { input: await rawFrame(sized(320, 240)), faces: 1 },
    { input: await rawFrame(sized(240, 176)), faces: 1 },
  ];
  const empty: Input = { input: { kind: 'encoded', bytes: await greyPicture(200, 150) }, faces: 0 };
  const usual = [...inputs, ...inputs, empty, ...inputs];
  // Larger ones go through other networks and grow the buffers; they are few because they take longest.
  return [...usual, await jpeg(640, 480), ...usual, await jpeg(480, 640), ...usual, await jpeg(640, 360)];
}

async function rawFrame(pipeline: Sharp): Promise<RawFrame> {
  const { data, info } = await pipeline.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    kind: 'raw',
    bytes: new Uint8Array(data),
    width: info.width,
    height: info.height,
    format: 'RGB888',
    byteOrder: 'BE',
    enhancement: null,
  };
}

const greyPicture = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#707070' } })
    .jpeg()
    .toBuffer();

function makeIndex(): IndexReference {
  const writer = EmbeddingIndexWriter.create(GALLERY_ROWS);
  const random = seededRandom(1);
  for (let person = 0; person < GALLERY_ROWS; person++) writer.append(person, randomUnitVector(random));
  return { id: writer.id, memory: writer.memory };
}

async function recogniseMany(
  recognizer: Recognizer,
  inputs: readonly Input[],
  index: IndexReference,
  from: number,
  count: number,
): Promise<void> {
  let next = from;
  const client = async () => {
    while (next < from + count) await recogniseOne(recognizer, inputs, index, next++);
  };
  await Promise.all(Array.from({ length: 2 * recognizer.status.threads }, client));
}

async function recogniseOne(
  recognizer: Recognizer,
  inputs: readonly Input[],
  index: IndexReference,
  number: number,
): Promise<void> {
  const { input, faces } = inputs[number % inputs.length]!;
  const result = await recognizer.analyse({
    input,
    index,
    returnEmbeddings: number % 2 === 0,
    jpegQuality: input.kind === 'raw' ? 85 : null,
  });
  verify(
    result.faces.length === faces,
    `picture ${number}: expected ${faces} faces, found ${result.faces.length}`,
  );
  if (input.kind !== 'encoded') return;
  if (number % ANNOTATE_EVERY === 0) {
    const drawn = result.faces.map(({ box, landmarks }) => ({ box, landmarks, label: 'face', known: true }));
    await recognizer.annotate({ input, faces: drawn });
  }
  if (number % BREAK_EVERY === 0) {
    const bytes = input.bytes.subarray(0, input.bytes.length >> 1);
    const broken = {
      input: { kind: 'encoded', bytes },
      index,
      returnEmbeddings: false,
      jpegQuality: null,
    } as const;
    const answer = await recognizer.analyse(broken).catch(() => 'refused' as const);
    verify(answer === 'refused', `picture ${number}, cut off: expected a refusal`);
  }
}

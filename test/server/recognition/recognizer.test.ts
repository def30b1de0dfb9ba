import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import pino from 'pino';
import sharp from 'sharp';
import { ServerError } from '../../../server/errors.ts';
import {
  type Recognizer,
  type RecognizerOptions,
  startRecognizer,
} from '../../../server/recognition/recognizer.ts';
import { startThreadPool } from '../../../server/recognition/thread-pool.ts';
import type { AnalyseTask } from '../../../workers/protocol.ts';
import { EMBEDDED_PACK, TEST_LIMITS, withYunet } from '../../support/pipeline.ts';
import { FACES_IN_SAMPLE, readSample, WITHOUT_YUNET, YUNET_PATH } from '../../support/samples.ts';

const options: RecognizerOptions = {
  models: EMBEDDED_PACK,
  providers: ['cpu'],
  threads: 2,
  limits: TEST_LIMITS,
  queueLimit: 8,
  log: pino({ level: 'silent' }),
};

const shared = await startRecognizer(options);
after(() => shared.close());

const taskOf = (bytes: Uint8Array): Omit<AnalyseTask, 'kind'> => ({
  input: { kind: 'encoded', bytes },
  index: null,
  returnEmbeddings: false,
  jpegQuality: null,
});

const small = await sharp(await readSample(1))
  .resize(640)
  .jpeg()
  .toBuffer();

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ServerError, String(error));
  return `${error.status} ${error.code}`;
}

async function findsEverybody(recognizer: Recognizer): Promise<void> {
  const { faces } = await recognizer.analyse(taskOf(small));
  assert.equal(faces.length, FACES_IN_SAMPLE[0]);
}

test('faces come back with the time of each stage', async () => {
  const { width, height, faces, timings, jpeg } = await shared.analyse(taskOf(small));
  assert.deepEqual([width, height, faces.length, jpeg], [640, 427, 3, null]);
  for (const [stage, ms] of Object.entries(timings)) assert.ok(ms >= 0, stage);
  assert.ok(timings.totalMs >= timings.detectMs + timings.embedMs);
});

test('the bytes that were handed in stay whole', async () => {
  const copy = Buffer.from(small);
  await shared.analyse(taskOf(small));
  assert.deepEqual(small, copy);
});

test('many pictures at once all come back', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => shared.analyse(taskOf(small))));
  assert.ok(answers.every(({ faces }) => faces.length === 3));
});

test('raw frames and compressed pictures lead to the same faces', async () => {
  const { data, info } = await sharp(small).raw().toBuffer({ resolveWithObject: true });
  const raw = await shared.analyse({
    ...taskOf(small),
    input: {
      kind: 'raw',
      bytes: data,
      width: info.width,
      height: info.height,
      format: 'RGB888',
      byteOrder: 'BE',
      enhancement: null,
    },
  });
  const compressed = await shared.analyse(taskOf(small));
  assert.deepEqual(raw.faces, compressed.faces);
});

test('the upright picture comes back as JPEG where it is asked for', async () => {
  const turned = await sharp(small).withMetadata({ orientation: 6 }).toBuffer();
  const { jpeg } = await shared.analyse({ ...taskOf(turned), jpegQuality: 80 });
  const { format, width, height } = await sharp(jpeg!).metadata();
  assert.deepEqual([format, width, height], ['jpeg', 427, 640]);
});

test('pictures that cannot be used are the sender’s error, and cost no thread', async () => {
  const half = small.subarray(0, small.length / 2);
  for (const bytes of [Buffer.alloc(0), Buffer.from('text'), half]) {
    assert.equal(await refusal(shared.analyse(taskOf(bytes))), '422 PICTURE_UNREADABLE');
  }
  const tooLarge = await sharp({ create: { width: 8000, height: 8000, channels: 3, background: '#000' } })
    .png()
    .toBuffer();
  assert.equal(await refusal(shared.analyse(taskOf(tooLarge))), '413 PICTURE_TOO_LARGE');
  assert.equal(shared.status.threads, 2);
  await findsEverybody(shared);
});

test('a newer picture of a source replaces the one that waits', async () => {
  const busy = [shared.analyse(taskOf(small)), shared.analyse(taskOf(small))];
  const older = refusal(shared.analyse(taskOf(small), 'board'));
  const newer = shared.analyse(taskOf(small), 'board');
  assert.equal(await older, '429 SUPERSEDED');
  assert.equal((await newer).faces.length, 3);
  await Promise.all(busy);
});

test('a picture whose thread ends is looked at by another thread', async () => {
  const threads: Worker[] = [];
  const collect = (worker: Worker) => threads.push(worker);
  process.on('worker', collect);
  const recognizer = await startRecognizer({ ...options, threads: 1 });
  try {
    const answer = recognizer.analyse(taskOf(small));
    await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
    assert.equal((await answer).faces.length, FACES_IN_SAMPLE[0]);
    assert.equal(threads.length, 1, 'the pool has a new thread');
    await findsEverybody(recognizer);
  } finally {
    process.off('worker', collect);
    await recognizer.close();
  }
});

test('a picture is annotated in the thread', async () => {
  const { faces } = await shared.analyse(taskOf(small));
  const labelled = faces.map(({ box, landmarks }) => ({ box, landmarks, label: 'somebody', known: true }));
  const { jpeg } = await shared.annotate({ input: { kind: 'encoded', bytes: small }, faces: labelled });
  assert.equal((await sharp(jpeg).metadata()).width, 640);
});

test('a frame of a video becomes a JPEG without a look for faces', async () => {
  const bytes = new Uint8Array((64 * 48 * 3) / 2).fill(128);
  const { jpeg } = await shared.unpack({
    input: { kind: 'video', bytes, width: 64, height: 48 },
    jpegQuality: 85,
  });
  const { format, width, height } = await sharp(jpeg).metadata();
  assert.deepEqual([format, width, height], ['jpeg', 64, 48]);
});

test('another detector is taken into use while work goes on', { skip: WITHOUT_YUNET }, async () => {
  const recognizer = await startRecognizer(options);
  const running = Promise.all(Array.from({ length: 6 }, () => findsEverybody(recognizer)));
  await recognizer.useModels(withYunet(YUNET_PATH!));
  assert.equal(recognizer.status.detector, 'yunet-n');
  await running;
  await findsEverybody(recognizer);
  await recognizer.close();
});

test('a model file that is none is refused, and the old model works on', async () => {
  const broken = join(await mkdtemp(join(tmpdir(), 'facepool-')), 'yunet.onnx');
  await writeFile(broken, 'cut off');
  await assert.rejects(shared.useModels(withYunet(broken)), /cpu cannot load yunet-n/);
  assert.equal(shared.status.detector, 'ssd-mobilenet-v1');
  await findsEverybody(shared);
});

test('a provider that does not start is passed over, with the reason in the status', async () => {
  const recognizer = await startRecognizer({ ...options, providers: ['cuda', 'wasm'], threads: 1 });
  const { inUse, refused } = recognizer.status.provider;
  assert.equal(inUse, 'wasm');
  assert.deepEqual(
    refused.map(({ provider }) => provider),
    ['cuda'],
  );
  await findsEverybody(recognizer);
  await recognizer.close();
});

test('a provider that fails at a run is left for the next, and the picture is not lost', async () => {
  let cpuRuns = 0;
  const recognizer = await startRecognizer(
    { ...options, providers: ['wasm', 'cpu'], threads: 1 },
    async (setup, threads) => {
      const pool = await startThreadPool({ ...setup, provider: 'cpu' }, threads);
      const counted: typeof pool.run = (task) => {
        cpuRuns++;
        return pool.run(task);
      };
      if (setup.provider === 'cpu') return { ...pool, run: counted };
      const failure = { kind: 'failed', reason: 'provider_failed', message: 'device lost' } as const;
      return { ...pool, setup, run: async () => failure };
    },
  );
  await Promise.all([findsEverybody(recognizer), findsEverybody(recognizer)]);
  assert.equal(cpuRuns, 2);
  const { inUse, refused } = recognizer.status.provider;
  assert.deepEqual([inUse, refused[0]], ['cpu', { provider: 'wasm', why: 'failed at a run: device lost' }]);
  await recognizer.close();
});

test('no provider at all is an error that names each reason', async () => {
  const broken = { ...options, models: withYunet('no-such-file.onnx'), threads: 1 };
  await assert.rejects(
    startRecognizer(broken),
    /no provider can run the models \(cpu: cpu cannot load yunet-n/,
  );
});

test('closing lets what runs end and refuses what comes after', async () => {
  const recognizer = await startRecognizer(options);
  const running = Promise.all(Array.from({ length: 4 }, () => findsEverybody(recognizer)));
  const closing = recognizer.close();
  assert.equal(await refusal(recognizer.analyse(taskOf(small))), '503 SHUTTING_DOWN');
  await running;
  await closing;
});

test('threads that share one device give the same faces as threads with graphs of their own', async () => {
  const recognizer = await startRecognizer({ ...options, threads: 3 }, (setup, threads) =>
    startThreadPool({ ...setup, sharesDevice: true }, threads),
  );
  const answers = await Promise.all(Array.from({ length: 6 }, () => recognizer.analyse(taskOf(small))));
  const own = await shared.analyse(taskOf(small));
  for (const { faces } of answers) {
    assert.equal(faces.length, own.faces.length);
    for (const [i, face] of faces.entries()) {
      for (const side of ['x', 'y', 'width', 'height'] as const) {
        assert.ok(Math.abs(face.box[side] - own.faces[i]!.box[side]) < 0.1);
      }
    }
  }
  await recognizer.close();
});

test('a shared device that cannot load the models is an error, and nothing stays behind', async () => {
  const start = startThreadPool(
    { models: EMBEDDED_PACK, provider: 'cuda', limits: TEST_LIMITS, sharesDevice: true },
    2,
  );
  await assert.rejects(start, /cuda cannot load/);
});

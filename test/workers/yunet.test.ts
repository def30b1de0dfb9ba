import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createPixelKernels } from '../../kernels/kernels.ts';
import type { LoadedPicture } from '../../kernels/picture.ts';
import { mergeYunetHeads } from '../../models/build/yunet-heads.ts';
import { detectorModels } from '../../models/manifest.ts';
import { decodePicture } from '../../workers/decode.ts';
import type { DetectedFace } from '../../workers/detect/detector.ts';
import { createYunetDetector } from '../../workers/detect/yunet.ts';
import { cellsOf, highestScore, leastFactorOf, scoreOf } from '../../workers/detect/yunet-cells.ts';
import { openModels } from '../../workers/models.ts';
import { createGraphOpener, type GraphOpener } from '../../workers/session.ts';
import { EMBEDDED_PACK, TEST_LIMITS, withYunet } from '../support/pipeline.ts';
import { FACES_IN_SAMPLE, readSample, WITHOUT_YUNET, YUNET_PATH } from '../support/samples.ts';
import { buildSmallYunet } from '../support/small-yunet.ts';
import { seededRandom } from '../support/vectors.ts';

const {
  layout,
  scoreThreshold,
  iouThreshold: overlapThreshold,
} = detectorModels.find(({ family }) => family === 'yunet')!;
const options = { layout, scoreThreshold, overlapThreshold };
const kernels = await createPixelKernels('simd');

/** Scores within 1e-4, pixels of the picture within a hundredth. Faces of almost the same score may come in another order. */
function assertSameFaces(received: readonly DetectedFace[], expected: readonly DetectedFace[]): void {
  const numbersOf = ({ box, points, score }: DetectedFace) =>
    [box.x, box.y, box.width, box.height, ...points!.flat()].map((px) => px / 100).concat(score);
  assert.equal(received.length, expected.length);
  const left = received.map(numbersOf);
  for (const face of expected) {
    const numbers = numbersOf(face);
    const partner = left.findIndex((other) =>
      other.every((number, k) => Math.abs(number - numbers[k]!) < 1e-4),
    );
    assert.ok(partner >= 0, `${numbers} is not among ${left.join('; ')}`);
    left.splice(partner, 1);
  }
}

async function bothDetectors(model: Uint8Array, provider: 'cpu' | 'wasm' = 'cpu') {
  const opener = await createGraphOpener(provider);
  const detectors = [];
  for (const bytes of [model, mergeYunetHeads(model)!])
    detectors.push(createYunetDetector(await opener.open('yunet', bytes), options));
  return detectors as [(typeof detectors)[0], (typeof detectors)[0]];
}

for (const provider of ['cpu', 'wasm'] as const)
  test(`a small network finds the same in noise with its heads merged, on ${provider}`, async () => {
    const [plain, merged] = await bothDetectors(buildSmallYunet(), provider);
    const random = seededRandom(17);
    let found = 0;
    for (const [width, height] of [
      [320, 240],
      [100, 300],
      [640, 480],
    ] as const) {
      const data = Uint8Array.from({ length: 3 * width * height }, () => 256 * random());
      const picture = kernels.load({ width, height, data });
      for (const [smallFaces, leastScore] of [
        [true, undefined],
        [false, 0.5],
        [true, 0.999],
      ] as const) {
        const expected = await plain.detect(picture, smallFaces, leastScore);
        assertSameFaces(await merged.detect(picture, smallFaces, leastScore), expected);
        found += expected.length;
      }
    }
    assert.ok(found > 20, `${found} found`);
    for (const detector of [plain, merged]) await detector.release();
  });

test('YuNet finds the same faces in the sample photos with its heads merged', {
  skip: WITHOUT_YUNET,
}, async () => {
  const [plain, merged] = await bothDetectors(await readFile(YUNET_PATH!));
  for (const [i, count] of FACES_IN_SAMPLE.entries()) {
    const { picture } = await decodePicture(await readSample(i + 1), TEST_LIMITS);
    const loaded: LoadedPicture = kernels.load(picture);
    for (const leastScore of [undefined, 0.3]) {
      const expected = await plain.detect(loaded, true, leastScore);
      assert.ok(expected.length >= count);
      assertSameFaces(await merged.detect(loaded, true, leastScore), expected);
    }
  }
  for (const detector of [plain, merged]) await detector.release();
});

describe('the graph that is opened for a detector', () => {
  /** Keeps what it is given. */
  async function openedFor(path: string): Promise<Uint8Array | string> {
    const opener = await createGraphOpener('cpu');
    const given = new Map<string, Uint8Array | string>();
    const keeping: GraphOpener = {
      ...opener,
      open(name, model, outputs) {
        given.set(name, model);
        return opener.open(name, name === 'yunet-n' ? buildSmallYunet() : model, outputs);
      },
    };
    await openModels(keeping, path === '' ? EMBEDDED_PACK : withYunet(path));
    return given.get('yunet-n')!;
  }

  test('has merged heads where the file is YuNet, is the file as it stands where it is another network, and the file stays as it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facepool-test-yunet-'));
    try {
      const path = join(folder, 'detector.onnx');
      const yunet = buildSmallYunet();
      await writeFile(path, yunet);
      assert.deepEqual(await openedFor(path), mergeYunetHeads(yunet));
      assert.deepEqual(new Uint8Array(await readFile(path)), yunet);
      const other = buildSmallYunet((node, output) =>
        output === 'cls_8' ? { ...node, operator: 'HardSigmoid' } : node,
      );
      await writeFile(path, other);
      assert.deepEqual(new Uint8Array((await openedFor(path)) as Uint8Array), other);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('whose file is missing is an error that names it', async () => {
    await assert.rejects(
      openedFor('no-such-folder/yunet.onnx'),
      /^ProviderError: cpu cannot load yunet-n: .*no-such-folder\/yunet\.onnx/,
    );
  });
});

describe('cells', () => {
  /** Eight cells with these logits, in both forms. */
  function cellsWith(classes: readonly number[], objectness: readonly number[]) {
    const heads = new Float32Array(16 * classes.length);
    heads.set(classes, 0);
    heads.set(objectness, classes.length);
    const shares = (logits: readonly number[]) =>
      Float32Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
    const plain = { cls_8: shares(classes), obj_8: shares(objectness) };
    const none = { bbox_8: new Float32Array(), kps_8: new Float32Array() };
    return [cellsOf({ heads_8: heads }, 8), cellsOf({ ...plain, ...none }, 8)] as const;
  }

  const logits = [-90, -3, -0.5, 0, 0.4, 2, 9, 90];
  const pairs = logits.flatMap((first) => logits.map((second) => [first, second] as const));
  const forms = cellsWith(
    pairs.map(([first]) => first),
    pairs.map(([, second]) => second),
  );

  test('have the same scores in both forms', () => {
    const [merged, plain] = forms;
    assert.equal(merged.count, 64);
    for (let i = 0; i < merged.count; i++)
      assert.ok(Math.abs(scoreOf(merged, i) - scoreOf(plain, i)) < 1e-6, `cell ${i}`);
    assert.ok(Math.abs(highestScore(merged) - highestScore(plain)) < 1e-6);
    assert.equal(highestScore(cellsWith([], [])[0]), 0);
  });

  test('are never dismissed by one factor where their score is enough', () => {
    for (const cells of forms)
      for (const leastScore of [0, 0.05, 0.3, 0.6, 0.9, 0.9999, scoreOf(cells, 27), scoreOf(cells, 45)])
        for (let i = 0; i < cells.count; i++) {
          const least = leastFactorOf(cells, leastScore);
          const dismissed = cells.classes[i]! < least || cells.objectness[i]! < least;
          assert.ok(!dismissed || scoreOf(cells, i) < leastScore, `cell ${i} at ${leastScore}`);
        }
  });

  test('with a factor of almost nothing are dismissed by it', () => {
    for (const cells of forms) {
      const least = leastFactorOf(cells, 0.6);
      assert.ok(cells.classes[0]! < least && cells.classes[8]! < least);
      assert.ok(cells.classes[63]! >= least);
    }
  });
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { similarityAtFalseMatchRate } from '../../models/calibration.ts';
import { DescriptionError, describedEmbedder, readDescribedPacks } from '../../models/described-pack.ts';
import { createLift } from '../../models/lift.ts';
import { ARCFACE_TEMPLATE } from '../../models/manifest.ts';

const row = (falseMatchRate: number, rawSimilarity: number) => ({
  falseMatchRate,
  rawSimilarity,
  trueMatchRate: 0.99,
  impostorTrials: 100_000,
  genuineTrials: 2000,
});

const description = () => ({
  id: 'our-arcface-r50',
  title: 'ArcFace ResNet-50',
  licence: 'LicenseRef-ours',
  licenceNote: 'Trained by us, for our own use.',
  source: 'our own training, March',
  file: { fileName: 'our_r50.onnx', sha256: 'ab'.repeat(32), sizeBytes: 174_000_000 },
  inputSizePx: 112,
  layout: { channels: 'RGB', mean: [127.5, 127.5, 127.5], scale: [1 / 127.5, 1 / 127.5, 1 / 127.5] },
  outputName: 'embedding',
  batch: true,
  rawDimensions: 512,
  calibration: {
    conditions: 'our own photographs',
    operatingFalseMatchRate: 1e-3,
    rows: [row(1e-2, 0.2), row(1e-3, 0.25), row(1e-4, 0.31)],
  },
});

describe('a described pack', () => {
  test('becomes an embedder with its operating point at 0.85 and the ArcFace template', () => {
    const model = describedEmbedder(description());
    assert.equal(model.task, 'embedder');
    assert.deepEqual(model.template, ARCFACE_TEMPLATE);
    assert.deepEqual(model.file?.urls, []);
    assert.deepEqual(model.lift, { kind: 'angular', rawSimilarity: 0.25 });
    assert.equal(model.calibration.operatingPoint.falseMatchRate, 1e-3);
    assert.equal(similarityAtFalseMatchRate(model.calibration, 1e-3), 0.85);
    assert.ok(Math.abs(model.calibration.rows[2]!.similarity - (1 - 0.2 * 0.69)) < 1e-12);
    assert.equal(createLift(model.lift, model.rawDimensions)(new Float32Array(512).fill(-1, 3)).length, 512);
  });

  const faults: [
    name: string,
    change: (content: ReturnType<typeof description>) => object,
    message: RegExp,
  ][] = [
    [
      'an unknown field',
      (d) => ({ ...d, colour: 'blue' }),
      /^colour: is no field of a description; received "blue"/,
    ],
    ['a field that is missing', ({ licence, ...d }) => d, /required properties licence/],
    [
      'a size as text',
      (d) => ({ ...d, inputSizePx: '112' }),
      /^inputSizePx: must be integer; received "112"/,
    ],
    ['too many dimensions', (d) => ({ ...d, rawDimensions: 1024 }), /^rawDimensions: must be <= 512/],
    [
      'a path as the file name',
      (d) => ({ ...d, file: { ...d.file, fileName: '../x.onnx' } }),
      /^file.fileName/,
    ],
    ['a hash in capitals', (d) => ({ ...d, file: { ...d.file, sha256: 'AB'.repeat(32) } }), /^file.sha256/],
    ['an insecure address', (d) => ({ ...d, file: { ...d.file, urls: ['http://a'] } }), /^file.urls.0/],
    ['an id of the manifest', (d) => ({ ...d, id: 'dlib-resnet-v1' }), /is a model of the manifest/],
    [
      'a file of the manifest',
      (d) => ({ ...d, file: { ...d.file, fileName: 'yunet_n_dynamic.onnx' } }),
      /belongs to a model of the manifest/,
    ],
    [
      'rows in the wrong order',
      (d) => ({ ...d, calibration: { ...d.calibration, rows: [row(1e-3, 0.3), row(1e-2, 0.2)] } }),
      /calibration.rows.1: expected a lower falseMatchRate/,
    ],
    [
      'an operating point without a row',
      (d) => ({ ...d, calibration: { ...d.calibration, operatingFalseMatchRate: 5e-4 } }),
      /expected the falseMatchRate of one of the rows, received 0.0005/,
    ],
    [
      'an operating point that no map brings to 0.85',
      (d) => ({ ...d, calibration: { ...d.calibration, rows: [row(1e-2, 0.8), row(1e-3, 0.9)] } }),
      /expected a rawSimilarity below 0.85/,
    ],
    ['a list', () => [], /^the file: must be object/],
  ];
  for (const [name, change, message] of faults) {
    test(`is refused for ${name}`, () => {
      assert.throws(() => describedEmbedder(change(description())), { name: 'DescriptionError', message });
    });
  }
});

describe('descriptions in the folder of models', () => {
  let dataDir: string;
  const write = (name: string, content: string) => writeFile(join(dataDir, 'models', name), content);

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'facepool-described-'));
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  test('are none without the folder, all with it, and an error names the file', async () => {
    assert.deepEqual(await readDescribedPacks(dataDir), []);
    await mkdir(join(dataDir, 'models'));
    await write('our_r50.onnx', 'weights');
    await write('our.json', JSON.stringify(description()));
    assert.deepEqual(
      (await readDescribedPacks(dataDir)).map((model) => model.id),
      ['our-arcface-r50'],
    );
    await write('twin.json', JSON.stringify(description()));
    await assert.rejects(
      readDescribedPacks(dataDir),
      /twin.json: id: our-arcface-r50 is described by another/,
    );
    await write('twin.json', '{ "id": ');
    await assert.rejects(readDescribedPacks(dataDir), (error) => {
      assert.ok(error instanceof DescriptionError);
      assert.match(error.message, /twin.json: expected a JSON file/);
      return true;
    });
  });
});

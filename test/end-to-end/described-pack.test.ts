import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type EmbedderModel, modelById } from '../../models/manifest.ts';
import { portrait } from '../support/pictures.ts';
import { sharedPath } from '../support/samples.ts';
import { formWith, startTestServer } from '../support/server.ts';

const NETWORK = sharedPath('models/mobilefacenet_128.onnx');

test('a network that its owner describes in a file is taken into use by its name', {
  skip: NETWORK === null ? 'no ArcFace-style network is beside the project' : false,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-pack-'));
  await mkdir(join(folder, 'models'));
  await copyFile(NETWORK!, join(folder, 'models', 'our-net.onnx'));
  const known = modelById('mobilefacenet-128') as EmbedderModel;
  const row = (falseMatchRate: number, rawSimilarity: number) => ({
    falseMatchRate,
    rawSimilarity,
    trueMatchRate: 0.99,
    impostorTrials: 1000,
    genuineTrials: 100,
  });
  const description = {
    id: 'our-net',
    title: 'a network of our own',
    licence: 'unknown',
    licenceNote: 'for this test',
    source: 'beside the project',
    file: { fileName: 'our-net.onnx', sha256: known.file!.sha256, sizeBytes: known.file!.sizeBytes },
    inputSizePx: known.inputSizePx,
    layout: known.layout,
    outputName: known.outputName,
    batch: known.batch,
    rawDimensions: known.rawDimensions,
    calibration: {
      conditions: 'a test',
      operatingFalseMatchRate: 5e-4,
      rows: [row(1e-2, 0.25), row(5e-4, 0.4)],
    },
  };
  await writeFile(join(folder, 'models', 'our-net.json'), JSON.stringify(description));
  const server = await startTestServer({ EMBEDDER: 'our-net' }, folder);
  try {
    const add = formWith('image', await portrait(0), { name: 'Ada' });
    const added = await server.call('/api/v1/recognition/add-permitted-face', { method: 'POST', body: add });
    assert.equal(added.status, 200, await added.text());
    const smaller = formWith('image', await portrait(0, { widthPx: 200 }));
    const answer = (await (await server.call('/recognize', { method: 'POST', body: smaller })).json()) as {
      recognizedAs: string | null;
    };
    assert.equal(answer.recognizedAs, 'Ada');
    const health = (await (await server.call('/health')).json()) as { models: { embedder: string } };
    assert.equal(health.models.embedder, 'our-net');
  } finally {
    await server.dispose();
    await rm(folder, { recursive: true, force: true });
  }
});

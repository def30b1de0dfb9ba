import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createLift } from '../../models/lift.ts';
import { type EmbedderModel, modelById } from '../../models/manifest.ts';
import { verifyModel } from '../../models/place.ts';

const sharedModel = (fileName: string) =>
  fileURLToPath(new URL(`../../../shared/models/${fileName}`, import.meta.url));

const skipWithout = (path: string) =>
  existsSync(path) ? false : 'no ../shared/models beside the repository';

describe('mobilefacenet-128', () => {
  const model = modelById('mobilefacenet-128') as EmbedderModel;
  const path = sharedModel(model.file!.fileName);

  test('is the file of the manifest, gives 128 numbers and lifts to a unit vector', {
    skip: skipWithout(path),
  }, async () => {
    assert.equal((await verifyModel(path, model.file!)).state, 'verified');
    const session = await InferenceSession.create(path);
    const side = model.inputSizePx;
    const area = side * side;
    const embed = async (shade: (index: number) => number) => {
      const planes = Float32Array.from({ length: 3 * area }, (_, index) => {
        const plane = Math.floor(index / area) as 0 | 1 | 2;
        return (shade(index % area) - model.layout.mean[plane]) * model.layout.scale[plane];
      });
      const outputs = await session.run({ input: new Tensor('float32', planes, [1, 3, side, side]) });
      return outputs[model.outputName]!.data as Float32Array;
    };
    const first = await embed((index) => (index * 7) % 256);
    const second = await embed((index) => index % 200);
    assert.equal(first.length, model.rawDimensions);
    const length = Math.hypot(...first);
    assert.ok(length > 0.1 && Number.isFinite(length));

    const lift = createLift(model.lift, model.rawDimensions);
    const [a, b] = [lift(first), lift(second)];
    const dot = (x: Float32Array, y: Float32Array) =>
      x.reduce((sum, value, index) => sum + value * y[index]!, 0);
    assert.ok(Math.abs(dot(a, a) - 1) < 1e-6);
    const raw = dot(first, second) / Math.sqrt(dot(first, first) * dot(second, second));
    const { rawSimilarity } = model.lift as { rawSimilarity: number };
    const expected = 1 - (0.15 / (1 - rawSimilarity)) * (1 - raw);
    assert.ok(Math.abs(dot(a, b) - expected) < 1e-5);
  });
});

describe('yunet-n', () => {
  const model = modelById('yunet-n');
  const path = sharedModel(model.file!.fileName);

  test('is the file of the manifest and takes any size in multiples of 32', {
    skip: skipWithout(path),
  }, async () => {
    assert.equal((await verifyModel(path, model.file!)).state, 'verified');
    const session = await InferenceSession.create(path);
    const outputs = await session.run({
      input: new Tensor('float32', new Float32Array(3 * 96 * 160), [1, 3, 96, 160]),
    });
    for (const stride of [8, 16, 32]) {
      const cells = (96 / stride) * (160 / stride);
      assert.deepEqual(outputs[`cls_${stride}`]!.dims, [1, cells, 1]);
      assert.deepEqual(outputs[`kps_${stride}`]!.dims, [1, cells, 10]);
    }
  });
});

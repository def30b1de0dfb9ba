import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Calibration,
  OPERATING_SIMILARITY,
  similarityAtFalseMatchRate,
} from '../../models/calibration.ts';
import { detectorModels, embedderModels, landmarkModels, modelById } from '../../models/manifest.ts';

const models = [...detectorModels, ...landmarkModels, ...embedderModels];

describe('the manifest', () => {
  test('names every model once and finds each by its id', () => {
    assert.equal(new Set(models.map((model) => model.id)).size, models.length);
    for (const model of models) assert.equal(modelById(model.id), model);
  });

  test('says which ids there are where one is unknown', () => {
    assert.throws(() => modelById('facenet'), /expected one of ssd-mobilenet-v1, .*; received "facenet"/);
  });

  for (const model of models) {
    test(`${model.id} has a licence and a source, and either a file or embedded weights`, () => {
      assert.ok(model.licence.length > 0 && model.licenceNote.length > 0 && model.source.length > 0);
      assert.equal(model.embedded, model.file === null);
      if (model.file === null) return;
      assert.match(model.file.sha256, /^[0-9a-f]{64}$/);
      assert.match(model.file.fileName, /^[\w.-]+\.onnx$/);
      for (const url of model.file.urls) assert.match(url, /^https:\/\//);
    });
  }

  for (const { id, calibration } of embedderModels) {
    test(`${id}: the operating point is 0.85, and its table rises while the rate falls`, () => {
      assert.equal(calibration.operatingPoint.similarity, OPERATING_SIMILARITY);
      assert.ok(calibration.rows.length >= 2);
      for (const [index, next] of calibration.rows.entries()) {
        const previous = calibration.rows[index - 1];
        if (previous === undefined) continue;
        assert.ok(next.falseMatchRate < previous.falseMatchRate);
        assert.ok(next.similarity > previous.similarity);
        assert.ok(next.trueMatchRate <= previous.trueMatchRate);
      }
    });
  }
});

describe('similarityAtFalseMatchRate', () => {
  const point = (falseMatchRate: number, similarity: number) => ({
    falseMatchRate,
    similarity,
    trueMatchRate: 1,
    impostorTrials: 1000,
    genuineTrials: 100,
  });
  const rows = [point(1e-2, 0.75), point(1e-3, 0.8), point(1e-4, 0.82)];
  const calibration: Calibration = { operatingPoint: rows[1]!, rows, conditions: 'a test' };
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9);

  test('gives the rows themselves down to the operating point, and between them follows the logarithm of the rate', () => {
    near(similarityAtFalseMatchRate(calibration, 1e-2), 0.75);
    near(similarityAtFalseMatchRate(calibration, 1e-3), 0.8);
    near(similarityAtFalseMatchRate(calibration, 10 ** -2.5), 0.775);
  });

  test('below the operating point rises from there with the steepest slope of the table, at most to 1', () => {
    near(similarityAtFalseMatchRate(calibration, 1e-4), 0.85);
    near(similarityAtFalseMatchRate(calibration, 1e-5), 0.9);
    assert.equal(similarityAtFalseMatchRate(calibration, 1e-30), 1);
  });

  test('never goes below the first row', () => {
    assert.equal(similarityAtFalseMatchRate(calibration, 0.5), 0.75);
  });

  test('never falls while the rate falls, for every embedder', () => {
    for (const model of embedderModels) {
      let previous = 0;
      for (let exponent = -0.1; exponent > -8; exponent -= 0.05) {
        const similarity = similarityAtFalseMatchRate(model.calibration, 10 ** exponent);
        assert.ok(similarity >= previous && similarity <= 1);
        previous = similarity;
      }
    }
  });

  for (const rate of [0, 1, -1, Number.NaN]) {
    test(`refuses a rate of ${rate}`, () => {
      assert.throws(() => similarityAtFalseMatchRate(calibration, rate), /above 0 and below 1/);
    });
  }
});

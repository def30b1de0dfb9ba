import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import { type DetectorModel, detectorModels } from '../../../models/manifest.ts';
import {
  type BrowserDetectors,
  createBrowserDetectors,
  readDetectorFile,
} from '../../../server/dashboard/browser-detector.ts';

const [embedded, fetched] = detectorModels as [DetectorModel, DetectorModel];
let folder: string;
let kept: string;
let modelPath: string;
let inUse: { model: DetectorModel; path: string | null };
let detectors: BrowserDetectors;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-detector-files-'));
  kept = join(folder, 'kept');
  modelPath = join(folder, 'model.onnx');
  await writeFile(modelPath, 'the bytes of a model '.repeat(100));
  inUse = { model: embedded, path: null };
  detectors = createBrowserDetectors({ inUse: async () => inUse, folder: kept });
});
after(async () => {
  await detectors.close();
  await rm(folder, { recursive: true, force: true });
});

test('graphs and runtime are made once, under names that hold their hash, and what is packed is what is sent plain', async () => {
  const [first, second] = await Promise.all([detectors.describe(), detectors.describe()]);
  assert.equal(first, second);
  const { detector, landmarks, runtimes } = first;
  for (const file of [detector, landmarks, runtimes.wasm, runtimes.webgpu]) {
    assert.match(file.fileName, /^[a-z-]+-[0-9a-f]{16}\.(onnx|wasm)$/);
    assert.equal(detectors.file(file.fileName), file);
    const packed = await readDetectorFile(file, true);
    const plain = await readDetectorFile(file, false);
    assert.deepEqual([packed.encoding, plain.encoding], ['br', null]);
    assert.deepEqual([packed.bytes.length, plain.bytes.length], [file.brotliBytes, file.sizeBytes]);
    assert.ok(brotliDecompressSync(packed.bytes).equals(plain.bytes));
  }
  assert.equal(detectors.file('../model.onnx'), null);
});

test('another detector in use gets files of its own, and those of the former are removed', async () => {
  const before = await detectors.describe();
  inUse = { model: fetched, path: modelPath };
  const now = await detectors.describe();
  assert.equal(now.model, fetched);
  assert.deepEqual((await readDetectorFile(now.detector, false)).bytes, await readFile(modelPath));
  assert.equal(now.landmarks.fileName, before.landmarks.fileName);
  assert.equal(detectors.file(before.detector.fileName), null);
  const names = await readdir(kept);
  assert.ok(!names.some((name) => name.startsWith(before.detector.fileName)), names.join(', '));
});

test('a failure is told, and the next try starts anew', async () => {
  inUse = { model: embedded, path: join(folder, 'nowhere.onnx') };
  await assert.rejects(detectors.describe(), /ENOENT/);
  inUse = { model: embedded, path: null };
  assert.equal((await detectors.describe()).model, embedded);
});

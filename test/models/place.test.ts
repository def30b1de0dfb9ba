import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { verifyModel } from '../../models/place.ts';
import { CONTENT, describedFile } from '../support/model-download.ts';

describe('verifyModel', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-models-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('tells missing, short, long, changed and unreadable files apart', async () => {
    const file = describedFile();
    const path = join(folder, 'net.onnx');
    const state = async () => (await verifyModel(path, file)).state;
    assert.equal(await state(), 'missing');
    await writeFile(path, CONTENT);
    assert.equal(await state(), 'verified');
    await writeFile(path, CONTENT.subarray(1));
    assert.equal(await state(), 'wrong_size');
    await writeFile(path, Buffer.concat([CONTENT, CONTENT]));
    assert.equal(await state(), 'wrong_size');
    await writeFile(path, Buffer.alloc(CONTENT.length));
    assert.equal(await state(), 'wrong_hash');
    await rm(path);
    await mkdir(path);
    assert.equal(await state(), 'unreadable');
  });
});

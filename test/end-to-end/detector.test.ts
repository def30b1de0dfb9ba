import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fetchModel } from '../../models/fetch.ts';
import { detectorModels } from '../../models/manifest.ts';
import { fetchDetector } from '../../server/detector-fetch.ts';
import { portrait } from '../support/pictures.ts';
import { formWith, startTestServer, type TestServer } from '../support/server.ts';

const yunet = detectorModels.find((model) => model.family === 'yunet')!;
const file = yunet.file!;
const shared = fileURLToPath(new URL('../../../shared/models', import.meta.url));
const sharedHasFile = await stat(join(shared, file.fileName)).then(
  () => true,
  () => false,
);
const skip = sharedHasFile ? false : `${file.fileName} is not in ../shared/models`;

async function facesIn(server: TestServer): Promise<number> {
  const response = await server.call('/recognize', {
    method: 'POST',
    body: formWith('image', await portrait(0)),
  });
  return ((await response.json()) as { faces_detected: number }).faces_detected;
}

test('a detector that comes while the server is at work is taken into use; one that does not leaves things as they are', {
  skip,
}, async () => {
  const server = await startTestServer();
  try {
    assert.equal(server.recognizer.status.detector, 'ssd-mobilenet-v1');
    const selection = {
      detector: { id: 'ssd-mobilenet-v1', path: null },
      embedder: { id: 'dlib-resnet-v1', path: null },
    };
    const common = {
      detector: { ...yunet, file },
      selection,
      use: server.recognizer.useModels,
      log: server.log,
    };
    const failing = fetchDetector({
      ...common,
      fetch: (wanted, signal) =>
        fetchModel(wanted, server.dataDir, { from: join(shared, 'nowhere'), signal }),
    });
    await failing.done;
    assert.equal(server.recognizer.status.detector, 'ssd-mobilenet-v1');
    assert.match(
      server.lines.join(''),
      /"level":"WARN".*could not be taken into use; ssd-mobilenet-v1 works on/,
    );
    assert.equal(await facesIn(server), 1);

    const working = fetchDetector({
      ...common,
      fetch: (wanted, signal) => fetchModel(wanted, server.dataDir, { from: shared, signal }),
    });
    await working.done;
    assert.equal(server.recognizer.status.detector, 'yunet-n');
    assert.match(server.lines.join(''), /is verified and in use/);
    assert.equal(await facesIn(server), 1);
  } finally {
    await server.dispose();
  }
});

test('a detector that is there and verified is used from the start; a damaged file is not', {
  skip,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-detector-'));
  try {
    await mkdir(join(folder, 'models'));
    const place = join(folder, 'models', file.fileName);
    await copyFile(join(shared, file.fileName), place);
    const server = await startTestServer({}, folder);
    assert.equal(server.recognizer.status.detector, 'yunet-n');
    await server.stop();
    await writeFile(place, 'damaged');
    const again = await startTestServer({}, folder);
    assert.equal(again.recognizer.status.detector, 'ssd-mobilenet-v1');
    await again.stop();
    await assert.rejects(
      startTestServer({ DETECTOR: 'yunet' }, folder),
      /DETECTOR=yunet: its file is not there/,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

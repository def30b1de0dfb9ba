import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { detectorModels } from '../../models/manifest.ts';
import type { DetectorDescription, Look } from '../../server/dashboard/client/webcam/detector-protocol.ts';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { type LookedInBrowser, lookInBrowser } from '../support/browser-detector.ts';
import { samplePath, WITHOUT_YUNET, YUNET_PATH } from '../support/samples.ts';
import { formWith, startTestServer, type TestServer } from '../support/server.ts';

const yunet = detectorModels.find(({ family }) => family === 'yunet')!;

/** Half a pixel in a thousand: the same networks, added up in another order. */
const TOLERANCE_PX = 0.5;
const SCORE_TOLERANCE = 2e-3;
const QUALITY_TOLERANCE = 0.02;

async function compare(server: TestServer, png: Buffer): Promise<LookedInBrowser> {
  const browser = await openBrowser(server);
  try {
    const page = await browser.open();
    const description = (await (await server.call('/api/v1/page/detector')).json()) as DetectorDescription;
    const here = await lookInBrowser(page, description, png);
    const response = await server.call('/recognize', { method: 'POST', body: formWith('image', png) });
    const there = ((await response.json()) as { faces: Look['faces'] }).faces;
    assert.ok(there.length >= 3);
    const [look] = here.looks;
    assert.equal(look!.faces.length, there.length);
    for (const [i, face] of look!.faces.entries()) {
      const same = there[i]!;
      for (const side of ['x', 'y', 'width', 'height'] as const)
        assert.ok(
          Math.abs(face.box[side] - same.box[side]) <= TOLERANCE_PX,
          `${side}: ${face.box[side]} here, ${same.box[side]} there`,
        );
      for (const [k, [x, y]] of face.landmarks.entries())
        assert.ok(Math.hypot(x - same.landmarks[k]![0], y - same.landmarks[k]![1]) <= 2 * TOLERANCE_PX);
      assert.ok(Math.abs(face.score - same.score) <= SCORE_TOLERANCE);
      for (const measure of ['overall', 'size', 'clarity', 'lighting', 'angle'] as const)
        assert.ok(
          Math.abs(face.quality[measure] - same.quality[measure]) <= QUALITY_TOLERANCE,
          `${measure}: ${face.quality[measure]} here, ${same.quality[measure]} there`,
        );
    }
    assert.deepEqual(browser.complaints, []);
    return here;
  } finally {
    await browser.close();
  }
}

describe('the detector in the browser', { skip: noBrowser }, () => {
  test('finds the faces that the embedded detector finds on the server, where it finds them', async (t) => {
    const server = await startTestServer({ DETECTOR: 'ssd' });
    try {
      const png = await sharp(samplePath(1)).resize(320, 256, { fit: 'inside' }).png().toBuffer();
      const { provider, whyNotWebgpu, openMs, looks } = await compare(server, png);
      assert.equal(provider, whyNotWebgpu === null ? 'webgpu' : 'wasm');
      t.diagnostic(
        `${provider} (${whyNotWebgpu}), open after ${openMs.toFixed(0)} ms, ${JSON.stringify(looks[0]!.timings)}`,
      );
    } finally {
      await server.dispose();
    }
  });

  test('runs YuNet where the server does, and finds the same faces', { skip: WITHOUT_YUNET }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'facepool-test-yunet-'));
    await mkdir(join(folder, 'models'));
    await copyFile(YUNET_PATH!, join(folder, 'models', yunet.file!.fileName));
    const server = await startTestServer({ DETECTOR: 'yunet' }, folder);
    try {
      const png = await sharp(samplePath(1)).resize({ width: 640 }).png().toBuffer();
      const { provider, openMs, looks } = await compare(server, png);
      t.diagnostic(`${provider}, open after ${openMs.toFixed(0)} ms, ${JSON.stringify(looks[0]!.timings)}`);
    } finally {
      await server.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('its files are for those who are signed in, compressed, of the right type, and kept for a year', async (t) => {
    const server = await startTestServer({ DETECTOR: 'ssd' });
    try {
      assert.equal((await server.call('/api/v1/page/detector', { key: null })).status, 401);
      const startMs = performance.now();
      const [described, again] = await Promise.all(
        [1, 2].map(async () => {
          const response = await server.call('/api/v1/page/detector');
          return (await response.json()) as DetectorDescription;
        }),
      );
      t.diagnostic(`made in ${Math.round(performance.now() - startMs)} ms`);
      assert.deepEqual(again, described);
      const { detector, landmarks, runtimes, worker } = described!;
      for (const [file, type] of [
        [detector, 'application/octet-stream'],
        [landmarks, 'application/octet-stream'],
        [runtimes.wasm, 'application/wasm'],
        [runtimes.webgpu, 'application/wasm'],
      ] as const) {
        assert.equal((await server.call(file.url, { key: null })).status, 401);
        const response = await server.call(file.url, { headers: { 'Accept-Encoding': 'br' } });
        assert.equal(response.headers.get('content-type'), type);
        assert.equal(response.headers.get('content-encoding'), 'br');
        assert.equal(Number(response.headers.get('content-length')), file.compressedBytes);
        assert.match(response.headers.get('cache-control')!, /^private, max-age=31536000, immutable$/);
        assert.equal((await response.arrayBuffer()).byteLength, file.sizeBytes);
        const plain = await server.call(file.url, { headers: { 'Accept-Encoding': 'identity' } });
        assert.equal(plain.headers.get('content-encoding'), null);
        assert.equal((await plain.arrayBuffer()).byteLength, file.sizeBytes);
        t.diagnostic(`${file.url}: ${file.sizeBytes} bytes, ${file.compressedBytes} as sent`);
      }
      const script = await server.call(worker, { key: null });
      assert.match(script.headers.get('content-security-policy')!, /'wasm-unsafe-eval'/);
      t.diagnostic(`the worker's script: ${script.headers.get('content-length')} bytes as sent`);
      assert.equal((await server.call('/api/v1/page/detector/..%2Fapi-key')).status, 404);
    } finally {
      await server.dispose();
    }
  });
});

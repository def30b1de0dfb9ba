import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { portrait } from '../support/pictures.ts';
import { formWith, samplePhoto, startTestServer, type TestServer } from '../support/server.ts';

interface PictureView {
  pictureId: number;
  url: string;
  createdAt: string;
  quality: { overall: number };
  box: { x: number; y: number; width: number; height: number };
}

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

const people = '/api/v1/recognition/permitted-faces';

async function enrol(name: string, bytes: Uint8Array): Promise<void> {
  const body = formWith('image', bytes, { name });
  const response = await server.call('/api/v1/recognition/add-permitted-face', { method: 'POST', body });
  assert.equal(response.status, 200, await response.text());
}

async function picturesOf(name: string): Promise<PictureView[]> {
  const response = await server.call(`${people}/${encodeURIComponent(name)}/pictures`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  return ((await response.json()) as { data: PictureView[] }).data;
}

async function filesInFaces(): Promise<string[]> {
  const entries = await readdir(join(server.dataDir, 'faces'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function namesIn(bytes: Uint8Array): Promise<(string | null)[]> {
  const response = await server.call('/recognize', { method: 'POST', body: formWith('image', bytes) });
  const { faces } = (await response.json()) as { faces: { recognizedAs: string | null }[] };
  return faces.map((face) => face.recognizedAs);
}

test('the pictures of a person are listed, given back as they were posted, and shown as thumbnails of the face', async () => {
  const posted = await portrait(0);
  await enrol('Jörg / Ü', posted);
  const [picture] = await picturesOf('Jörg / Ü');
  assert.ok(picture!.quality.overall > 0 && picture!.box.width > 60);
  assert.ok(!Number.isNaN(Date.parse(picture!.createdAt)));
  const whole = await server.call(picture!.url);
  assert.equal(whole.headers.get('content-type'), 'image/jpeg');
  assert.equal(whole.headers.get('cache-control'), 'no-store');
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), posted);
  const thumbnail = await server.call(`${picture!.url}?thumbnail=1`);
  const { width, height, format } = await sharp(await thumbnail.arrayBuffer()).metadata();
  assert.equal(format, 'jpeg');
  assert.equal(Math.max(width, height), 192);
});

test('a picture that is removed leaves no file and no answer; the last one takes the person along', async () => {
  await enrol('Jörg / Ü', await portrait(0, { widthPx: 280 }));
  const before = await filesInFaces();
  const [first, second] = await picturesOf('Jörg / Ü');
  const removed = await server.call(first!.url, { method: 'DELETE' });
  assert.equal(((await removed.json()) as { personRemoved: boolean }).personRemoved, false);
  assert.equal((await filesInFaces()).length, before.length - 1);
  for (const query of ['', '?thumbnail=1']) assert.equal((await server.call(first!.url + query)).status, 404);
  assert.deepEqual(await namesIn(await portrait(0)), ['Jörg / Ü']);

  const last = await server.call(second!.url, { method: 'DELETE' });
  assert.equal(((await last.json()) as { personRemoved: boolean }).personRemoved, true);
  assert.deepEqual(await filesInFaces(), []);
  assert.deepEqual(await namesIn(await portrait(0)), [null]);
  assert.equal((await server.call(`${people}/${encodeURIComponent('Jörg / Ü')}/pictures`)).status, 404);
});

test('a face of a stored frame is enrolled, the one at the box among several people', async () => {
  const photo = await readFile(samplePhoto(1));
  const sent = await server.call('/api/v1/stream/stream', {
    method: 'POST',
    body: new Uint8Array(photo),
    headers: { 'Content-Type': 'image/jpeg', 'X-Device-Id': 'door' },
  });
  const { filename, faces } = (await sent.json()) as {
    filename: string;
    faces: { box: PictureView['box'] }[];
  };
  const [leftmost, , rightmost] = faces.map(({ box }) => box).sort((a, b) => a.x - b.x);
  for (const [name, box] of [
    ['Left', leftmost],
    ['Right', rightmost],
  ] as const) {
    const response = await server.call(`${people}/from-frame`, {
      method: 'POST',
      body: JSON.stringify({ name, frame: filename, box }),
      headers: { 'Content-Type': 'application/json' },
    });
    const answer = (await response.json()) as { subjectName: string; warnings: string[] };
    assert.equal(response.status, 200, JSON.stringify(answer));
    assert.deepEqual([answer.subjectName, answer.warnings], [name, []]);
    const [kept] = await picturesOf(name);
    assert.deepEqual(await namesIn(new Uint8Array(await (await server.call(kept!.url)).arrayBuffer())), [
      name,
    ]);
  }
  assert.deepEqual(new Set(await namesIn(photo)), new Set(['Left', 'Right', null]));
});

test('a face of a picture that is stored nowhere is enrolled with the picture', async () => {
  const photo = await readFile(samplePhoto(2));
  const seen = await server.call('/recognize', { method: 'POST', body: formWith('image', photo) });
  const { faces } = (await seen.json()) as { faces: { box: PictureView['box'] }[] };
  const largest = faces.map(({ box }) => box).sort((a, b) => b.width - a.width)[0]!;
  const body = formWith('image', photo, { name: 'Of a picture', box: JSON.stringify(largest) });
  const response = await server.call(`${people}/from-frame`, { method: 'POST', body });
  assert.equal(response.status, 200, await response.text());
});

test('wrong requests are told which field is wrong', async () => {
  const box = { x: 0, y: 0, width: 10, height: 10 };
  const cases = [
    [{ frame: 'a.jpg', box }, 400, /^name: expected/],
    [{ name: 'A', box }, 400, /^frame: expected the file name/],
    [{ name: 'A', frame: 'a.jpg' }, 400, /^box: expected an object/],
    [{ name: 'A', frame: 'a.jpg', box: { ...box, width: 0 } }, 400, /^box\.width: expected/],
    [{ name: 'A', frame: 'a.jpg', box: { ...box, x: 'left' } }, 400, /^box\.x: expected/],
    [{ name: 'A', frame: '../api-key', box }, 404, /not found/],
  ] as const;
  for (const [body, status, message] of cases) {
    const response = await server.call(`${people}/from-frame`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(response.status, status);
    assert.match(((await response.json()) as { error: string }).error, message);
  }
  assert.equal((await server.call(`${people}/Left/pictures/0x1`)).status, 400);
  assert.equal((await server.call(`${people}/Left/pictures/99999`)).status, 404);
  assert.equal((await server.call(`${people}/Nobody/pictures/1`, { method: 'DELETE' })).status, 404);
});

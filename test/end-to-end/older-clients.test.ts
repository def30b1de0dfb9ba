import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { portrait, rgb565Frame } from '../support/pictures.ts';
import { formWith, startTestServer, type TestServer } from '../support/server.ts';

/** The calls of the clients of the two older services, as they made them: without any key. */
let server: TestServer;
before(async () => {
  server = await startTestServer({ ACCESS: 'open' });
});
after(() => server?.dispose());

const call = (path: string, init: RequestInit = {}) => server.call(path, { ...init, key: null });

test('a dashboard enrols a person, a board sends a frame, the dashboard lists and shows it', async () => {
  const form = formWith('image', await portrait(0), { name: 'Anna' });
  const enrolled = await call('/api/v1/recognition/add-permitted-face', { method: 'POST', body: form });
  assert.equal(enrolled.status, 200);
  assert.equal(((await enrolled.json()) as { subjectName: string }).subjectName, 'Anna');

  const sent = await call('/api/v1/stream/stream', {
    method: 'POST',
    body: new Uint8Array(await rgb565Frame(0)),
    headers: {
      'Content-Type': 'application/octet-stream',
      'X-Device-Id': 'ESP32_CAM',
      'X-Frame-Width': '320',
      'X-Frame-Height': '240',
      'X-Frame-Format': 'RGB565',
    },
  });
  const frame = (await sent.json()) as { recognitionStatus: string; recognizedAs: string; filename: string };
  assert.equal(frame.recognitionStatus, 'recognized');
  assert.equal(frame.recognizedAs, 'Anna');

  const list = (await (await call('/api/v1/stream/frames')).json()) as {
    data: { name: string; url: string }[];
  };
  assert.equal(list.data[0]!.name, frame.filename);
  assert.equal((await call(list.data[0]!.url)).status, 200);
});

test("the recogniser's own clients post the field file to /recognize", async () => {
  const response = await call('/recognize', { method: 'POST', body: formWith('file', await portrait(0)) });
  const answer = (await response.json()) as Record<string, unknown>;
  assert.equal(answer.status, 'permitted_face');
  assert.equal(answer.recognizedAs, 'Anna');
  assert.equal(answer.faces_detected, 1);
  assert.equal(typeof answer.processing_time, 'number');
  assert.equal(typeof answer.confidence, 'number');
});

test('an error carries the field that each of them reads', async () => {
  const response = await call('/recognize', { method: 'POST', body: formWith('wrong', await portrait(0)) });
  const { success, error, detail } = (await response.json()) as Record<string, unknown>;
  assert.equal(success, false);
  assert.equal(typeof error, 'string');
  assert.equal(detail, error);
});

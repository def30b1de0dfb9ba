import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, afterEach, before, test } from 'node:test';
import { pngBomb, portrait } from '../support/pictures.ts';
import { exchange, sendAndDrop } from '../support/raw-http.ts';
import { API_KEY, formWith, startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let picture: Buffer;
let temporaryFiles: string[];
before(async () => {
  server = await startTestServer({ REQUEST_TIMEOUT_MS: '2000' });
  picture = await portrait(0);
  temporaryFiles = await readdir(tmpdir());
});
after(() => server?.dispose());

/** Whatever came before, both the thread and the memory for bodies are as they were. */
afterEach(async () => {
  const response = await server.call('/recognize', {
    method: 'POST',
    body: formWith('image', picture),
    key: null,
  });
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as { faces_detected: number }).faces_detected, 1);
  assert.equal(server.recognizer.status.readyThreads, 1);
  while ((await server.metrics.bodyBytes.get()).values[0]!.value !== 0) await new Promise(setImmediate);
});

async function refusal(bytes: Uint8Array, field = 'image'): Promise<{ status: number; error: string }> {
  const response = await server.call('/recognize', {
    method: 'POST',
    body: formWith(field, bytes),
    key: null,
  });
  const body = (await response.json()) as { success: boolean; error: string; detail: string };
  assert.equal(body.success, false);
  assert.equal(body.error, body.detail);
  return { status: response.status, error: body.error };
}

test('a file that is no picture is refused', async () => {
  const { status, error } = await refusal(Buffer.from('this is a text, not a picture'));
  assert.equal(status, 422);
  assert.match(error, /picture/);
});

test('a file of 0 bytes is refused with the name of its field', async () => {
  assert.deepEqual(await refusal(Buffer.alloc(0)), {
    status: 400,
    error: 'image: expected a picture, received 0 bytes',
  });
});

test('20,000 x 20,000 pixels in a few kilobytes are refused without unpacking them', async () => {
  const { status, error } = await refusal(pngBomb(20_000, 20_000));
  assert.equal(status, 413);
  assert.match(error, /20000/);
});

test('a truncated JPEG is refused', async () => {
  const { status, error } = await refusal(picture.subarray(0, picture.length / 2));
  assert.equal(status, 422);
  assert.match(error, /picture/);
});

test('a file in a field of another name is refused with the names that are expected', async () => {
  assert.deepEqual(await refusal(picture, 'photo'), {
    status: 400,
    error: 'expected one file in the field `image` or `file`, received a file in the field "photo"',
  });
});

test('a second file is refused', async () => {
  const form = formWith('image', picture);
  form.append('file', new Blob([new Uint8Array(picture)]), 'second.jpg');
  const response = await server.call('/recognize', { method: 'POST', body: form, key: null });
  assert.equal(response.status, 400);
  assert.match(
    ((await response.json()) as { error: string }).error,
    /expected one file .* received 2 files \(image, file\)/,
  );
});

test('a form without a file says what it had', async () => {
  const form = new FormData();
  form.set('name', 'Anna');
  const response = await server.call('/recognize', { method: 'POST', body: form, key: null });
  assert.equal(response.status, 400);
  assert.match(((await response.json()) as { error: string }).error, /no file, only the fields name/);
});

test('a body of another type is refused with the types that are expected', async () => {
  const response = await server.call('/recognize', {
    method: 'POST',
    body: '{}',
    headers: { 'Content-Type': 'application/json' },
    key: null,
  });
  assert.equal(response.status, 415);
  assert.match(
    ((await response.json()) as { error: string }).error,
    /expected multipart\/form-data .* received "application\/json"/,
  );
});

test('26 MB are refused with 413, which also a client that sends on can read', async () => {
  const body = new Uint8Array(26 * 1024 * 1024);
  const response = await server.call('/recognize', {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'image/jpeg' },
    key: null,
  });
  assert.equal(response.status, 413);
  assert.match(
    ((await response.json()) as { error: string }).error,
    /larger than the limit of 26214400 bytes/,
  );
});

test('26 MB in chunks, whose length nobody told, are refused with 413', async () => {
  const piece = Buffer.alloc(1024 * 1024);
  const head =
    'POST /recognize HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunks = Array.from({ length: 26 }, () =>
    Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')]),
  );
  const answer = await exchange(server.port, [head, ...chunks, '0\r\n\r\n']);
  assert.equal(answer.status, 413);
  assert.match(answer.headers, /Connection: close/i);
});

test('a client that asks first is told 413 before it sends', async () => {
  const head =
    'POST /recognize HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 27262976\r\nExpect: 100-continue\r\n\r\n';
  const answer = await exchange(server.port, [head]);
  assert.equal(answer.status, 413);
});

test('a client that asks first and may send is told to go on', async () => {
  const head = `POST /recognize HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\nExpect: 100-continue\r\n\r\n`;
  const answer = await exchange(server.port, [head, picture]);
  assert.equal(answer.status, 100);
  assert.match(answer.body, /^HTTP\/1\.1 200 OK/);
});

test('a body cut off in the middle is refused, and nothing is left of it', async () => {
  const head = `POST /recognize HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`;
  const answer = await exchange(server.port, [head, picture.subarray(0, 1000)], { halfClose: true });
  assert.equal(answer.status, 400);
  assert.match(answer.body, /cut off/);
  await sendAndDrop(server.port, Buffer.concat([Buffer.from(head), picture.subarray(0, 1000)]));
  const left = (await readdir(tmpdir())).filter(
    (name) => !temporaryFiles.includes(name) && !name.startsWith('facepool-'),
  );
  assert.deepEqual(
    left.filter((name) => /upload|formidable|\.jpg$/.test(name)),
    [],
  );
});

test('a form whose last boundary never comes is refused', async () => {
  const form = `--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(form), picture.subarray(0, 1000)]);
  const response = await server.call('/recognize', {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
    key: null,
  });
  assert.equal(response.status, 400);
  assert.match(((await response.json()) as { error: string }).error, /closing boundary is missing/);
});

test('a client that stops sending is told so when its time is over', async () => {
  const head = `POST /recognize HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`;
  const answer = await exchange(server.port, [head, picture.subarray(0, 1000)]);
  assert.equal(answer.status, 408);
});

test('a body without a key is refused before it is taken in', async () => {
  const body = new Uint8Array(5 * 1024 * 1024);
  const response = await server.call('/api/v1/recognition/add-permitted-face', {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'image/jpeg' },
    key: null,
  });
  assert.equal(response.status, 401);
});

test('a path that is not there and a method that is not answered say so', async () => {
  assert.equal((await server.call('/nothing')).status, 404);
  const response = await server.call('/recognize');
  assert.equal(response.status, 405);
  assert.equal(response.headers.get('allow'), 'POST');
});

test('what is no HTTP gets a 400 and the connection is closed', async () => {
  assert.equal((await exchange(server.port, ['HELLO\r\n\r\n'])).status, 400);
  const head = `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`;
  assert.equal((await exchange(server.port, [head])).status, 431);
});

test('bodies together take no more memory than is set, and the key is never in the log', async () => {
  const small = await startTestServer({ BODY_MEMORY_BYTES: '1048576', MAX_UPLOAD_BYTES: '4194304' });
  try {
    const response = await small.call('/recognize', {
      method: 'POST',
      body: new Uint8Array(2 * 1024 * 1024),
      headers: { 'Content-Type': 'image/jpeg' },
    });
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.doesNotMatch(small.lines.join(''), new RegExp(API_KEY));
  } finally {
    await small.dispose();
  }
});

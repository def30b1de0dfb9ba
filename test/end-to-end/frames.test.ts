import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { portrait, rgb565Frame } from '../support/pictures.ts';
import { exchange } from '../support/raw-http.ts';
import { formWith, startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let frame: Buffer;
before(async () => {
  server = await startTestServer({ KEEP_RAW_FRAMES: '1', ENHANCE: 'off' });
  frame = await rgb565Frame(0);
  const form = formWith('image', await portrait(0), { name: 'Anna' });
  const response = await server.call('/api/v1/recognition/add-permitted-face', {
    method: 'POST',
    body: form,
  });
  assert.equal(response.status, 200);
});
after(() => server?.dispose());

const RAW_HEADERS = {
  'Content-Type': 'application/octet-stream',
  'X-Device-Id': 'esp32-cam_01',
  'X-Frame-Width': '320',
  'X-Frame-Height': '240',
  'X-Frame-Format': 'RGB565',
};

function post(body: Uint8Array | FormData, headers: Record<string, string> = {}): Promise<Response> {
  const sent = body instanceof FormData ? body : new Uint8Array(body);
  return server.call('/api/v1/stream/stream', { method: 'POST', body: sent, headers, key: null });
}

async function accepted(response: Response): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(response.status, 200, JSON.stringify(body));
  return body;
}

async function errorOf(response: Response, status: number): Promise<string> {
  const body = (await response.json()) as { success: boolean; error: string; detail: string };
  assert.equal(response.status, status);
  assert.equal(body.success, false);
  return body.error;
}

test('a raw frame as the boards in the field send it is recognised, in the words of both older services', async () => {
  const answer = await accepted(await post(frame, RAW_HEADERS));
  assert.deepEqual(Object.keys(answer), [
    'success',
    'message',
    'filename',
    'url',
    'deviceId',
    'recognitionStatus',
    'status',
    'recognizedAs',
    'confidence',
    'faces_detected',
    'processing_time',
    'faces',
    'enhancement',
    'warnings',
  ]);
  assert.equal(answer.recognitionStatus, 'recognized');
  assert.equal(answer.status, 'permitted_face');
  assert.equal(answer.recognizedAs, 'Anna');
  assert.equal(answer.deviceId, 'esp32-cam_01');
  assert.match(String(answer.filename), /^esp32-cam_01_\d{13}\.jpg$/);
  assert.equal(answer.url, `/data/${answer.filename}`);
  assert.deepEqual(answer.warnings, []);
});

test('the stored picture has the colours of the frame, high byte first unless the header says otherwise', async () => {
  for (const byteOrder of ['BE', 'LE'] as const) {
    const headers = { ...RAW_HEADERS, ...(byteOrder === 'LE' ? { 'X-Frame-Byte-Order': 'LE' } : {}) };
    const { url } = await accepted(await post(await rgb565Frame(0, byteOrder), headers));
    const response = await server.call(String(url));
    assert.equal(response.headers.get('content-type'), 'image/jpeg');
    const { channels } = await sharp(Buffer.from(await response.arrayBuffer())).stats();
    const letterboxed = await sharp(await portrait(0))
      .resize({ width: 320, height: 240, fit: 'contain' })
      .removeAlpha()
      .png()
      .toBuffer();
    const expected = await sharp(letterboxed).stats();
    for (const [i, { mean }] of channels.entries())
      assert.ok(Math.abs(mean - expected.channels[i]!.mean) < 6);
  }
});

test('a frame without its size, or not as long as its size says, is refused with both numbers', async () => {
  const { 'X-Frame-Width': _width, ...without } = RAW_HEADERS;
  assert.match(await errorOf(await post(frame, without), 400), /X-Frame-Width: expected .* received nothing/);
  assert.match(
    await errorOf(await post(frame.subarray(0, 1000), RAW_HEADERS), 400),
    /expected 153600 bytes .*received 1000 bytes/,
  );
  assert.match(
    await errorOf(await post(frame, { ...RAW_HEADERS, 'X-Frame-Height': '241' }), 400),
    /expected 154240 bytes/,
  );
  assert.match(
    await errorOf(await post(frame, { ...RAW_HEADERS, 'X-Frame-Format': 'RGB' }), 400),
    /X-Frame-Format/,
  );
});

test('optional headers are read, and one that cannot be read is named in the warnings', async () => {
  const headers = { ...RAW_HEADERS, 'X-Sensor-Gain': '2.0', 'X-Sensor-Wb-Mode': '9', 'X-Frame-Seq': '5' };
  const answer = await accepted(await post(frame, headers));
  assert.deepEqual((answer.enhancement as Record<string, unknown>).fromHeaders, { seq: 5, gain: 2 });
  assert.deepEqual(answer.warnings, [
    'X-Sensor-Wb-Mode was ignored: expected a whole number from 0 to 4, received "9"',
  ]);
  const { values } = await server.metrics.frameHeadersIgnored.get();
  assert.deepEqual(values, [{ labels: { header: 'X-Sensor-Wb-Mode' }, value: 1 }]);
});

test('a form with a picture, and the picture as the body, are taken as well', async () => {
  const picture = await portrait(0);
  const asForm = await accepted(await post(formWith('image', picture, { deviceId: 'form/1' })));
  assert.equal(asForm.deviceId, 'form/1');
  assert.match(String(asForm.filename), /^form_1_\d+\.jpg$/);
  assert.equal(asForm.recognizedAs, 'Anna');
  const asBody = await accepted(await post(picture, { 'Content-Type': 'image/jpeg', 'X-Device-Id': 'body' }));
  assert.equal(asBody.recognizedAs, 'Anna');
  const png = await sharp(picture).png().toBuffer();
  assert.equal((await accepted(await post(png, { 'Content-Type': 'image/png' }))).deviceId, 'unknown_device');
});

test("every format that the camera's driver knows comes out as the grey that was sent", async () => {
  const pixels = 64 * 48;
  const formats = {
    GRAYSCALE: Buffer.alloc(pixels, 120),
    RGB888: Buffer.alloc(3 * pixels, 120),
    // Luma, then colour at its middle: 128.
    YUV422: Buffer.alloc(2 * pixels, Buffer.from([120, 128])),
    RGB565: Buffer.alloc(2 * pixels, Buffer.from([0b01111_011, 0b110_01111])),
  };
  for (const [format, body] of Object.entries(formats)) {
    const headers = {
      ...RAW_HEADERS,
      'X-Frame-Width': '64',
      'X-Frame-Height': '48',
      'X-Frame-Format': format.toLowerCase(),
    };
    const { url } = await accepted(await post(body, headers));
    const { channels } = await sharp(
      Buffer.from(await (await server.call(String(url))).arrayBuffer()),
    ).stats();
    for (const { mean } of channels) assert.ok(Math.abs(mean - 121) < 6, `${format}: ${mean}`);
  }
});

test('a JPEG among the raw formats is taken, and a size that is not its own is named', async () => {
  const picture = await portrait(0);
  const headers = { ...RAW_HEADERS, 'X-Frame-Format': 'JPEG' };
  const answer = await accepted(await post(picture, headers));
  assert.equal(answer.recognizedAs, 'Anna');
  assert.match(String((answer.warnings as string[])[0]), /say 320 x 240, the JPEG is 300 x/);
});

test('other bodies are refused with what is taken', async () => {
  assert.match(
    await errorOf(await post(Buffer.from('{}'), { 'Content-Type': 'application/json' }), 415),
    /application\/octet-stream/,
  );
  assert.match(
    await errorOf(await post(frame, { ...RAW_HEADERS, 'X-Device-Id': 'x'.repeat(200) }), 400),
    /deviceId/,
  );
});

test('frames are listed newest first and never cached', async () => {
  const newest = await accepted(await post(frame, RAW_HEADERS));
  const response = await server.call('/api/v1/stream/frames');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const { success, data } = (await response.json()) as { success: boolean; data: Record<string, unknown>[] };
  assert.equal(success, true);
  const [first] = data;
  assert.deepEqual(Object.keys(first!), ['id', 'name', 'url', 'createdAt', 'size', 'type']);
  assert.equal(first!.name, newest.filename);
  assert.equal(first!.url, newest.url);
  assert.equal(first!.type, 'image');
  const times = data.map(({ createdAt }) => Date.parse(String(createdAt)));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
});

test('a stored picture is served in ranges, conditionally, and to HEAD', async () => {
  const { url } = await accepted(await post(frame, RAW_HEADERS));
  const whole = await server.call(String(url));
  const bytes = Buffer.from(await whole.arrayBuffer());
  assert.equal(whole.headers.get('accept-ranges'), 'bytes');
  assert.equal(Number(whole.headers.get('content-length')), bytes.length);

  const range = async (value: string, extra = {}) =>
    server.call(String(url), { headers: { Range: value, ...extra } });
  for (const [value, start, end] of [
    ['bytes=0-99', 0, 99],
    ['bytes=100-', 100, bytes.length - 1],
    ['bytes=-50', bytes.length - 50, bytes.length - 1],
    ['bytes=10-999999999', 10, bytes.length - 1],
  ] as const) {
    const part = await range(value);
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${end}/${bytes.length}`);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(start, end + 1)));
  }
  const beyond = await range(`bytes=${bytes.length}-`);
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), `bytes */${bytes.length}`);
  assert.equal((await range('bytes=0-1,5-6')).status, 200);
  assert.equal((await range('bytes=0-9', { 'If-Range': '"of-another-file"' })).status, 200);
  assert.equal((await range('bytes=0-9', { 'If-Range': whole.headers.get('etag')! })).status, 206);

  // By hand, as fetch turns this header into a request for a fresh answer.
  const etag = whole.headers.get('etag');
  const request = [
    `GET ${url} HTTP/1.1`,
    'Host: x',
    'Connection: close',
    `X-API-Key: ${server.apiKey}`,
    `If-None-Match: ${etag}`,
  ];
  const known = await exchange(server.port, [`${request.join('\r\n')}\r\n\r\n`]);
  assert.equal(known.status, 304);
  assert.equal(known.body, '');
  const head = await server.call(String(url), { method: 'HEAD' });
  assert.equal(Number(head.headers.get('content-length')), bytes.length);
});

test('?raw=1 gives the frame back as it came, so that it can be sent again', async () => {
  const { url } = await accepted(await post(frame, RAW_HEADERS));
  const response = await server.call(`${url}?raw=1`);
  assert.equal(response.status, 200);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(frame));
  for (const name of ['Content-Type', 'X-Frame-Width', 'X-Frame-Height', 'X-Frame-Format'] as const)
    assert.equal(response.headers.get(name), RAW_HEADERS[name]);
});

test('nothing but frames can be had under /data/', async () => {
  for (const path of [
    '/data/',
    '/data/..%2fapi-key',
    '/data/%2e%2e/api-key',
    '/data/..%5capi-key',
    '/data/none_1.jpg',
    '/data/a%00b',
  ])
    assert.equal((await server.call(path)).status, 404, path);
});

test('a token opens a picture where no header can be sent', async () => {
  const { url } = await accepted(await post(frame, RAW_HEADERS));
  const { token } = (await (await server.call('/api/v1/token')).json()) as { token: string };
  assert.equal((await server.call(String(url), { key: null })).status, 401);
  assert.equal((await server.call(`${url}?token=${token}`, { key: null })).status, 200);
});

test('a board that sends faster than it is served is told which frames a newer one overtook', async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => post(frame, RAW_HEADERS)));
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as {
    error?: string;
    success: boolean;
  }[];
  for (const [i, { status, headers }] of answers.entries()) {
    if (status === 200) continue;
    assert.equal(status, 429);
    assert.equal(bodies[i]!.error, 'superseded by a newer frame');
    assert.ok(Number(headers.get('retry-after')) >= 1);
  }
  assert.ok(bodies.some(({ success }) => success));
  assert.ok(bodies.some(({ success }) => !success));
});

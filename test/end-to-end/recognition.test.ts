import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { portrait } from '../support/pictures.ts';
import { formWith, samplePhoto, startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

interface Recognition {
  status: string;
  recognizedAs: string | null;
  confidence: number;
  faces_detected: number;
  processing_time: number;
  faces: {
    box: { x: number; y: number; width: number; height: number };
    landmarks: [number, number][];
    score: number;
    recognizedAs: string | null;
    confidence: number;
    similarity: number | null;
    threshold: number;
    margin: number | null;
    quality: Record<string, number>;
  }[];
}

async function recognize(bytes: Uint8Array, path = '/recognize', field = 'image'): Promise<Recognition> {
  const response = await server.call(path, { method: 'POST', body: formWith(field, bytes), key: null });
  assert.equal(response.status, 200);
  return (await response.json()) as Recognition;
}

async function enrol(name: string, bytes: Uint8Array): Promise<Response> {
  return server.call('/api/v1/recognition/add-permitted-face', {
    method: 'POST',
    body: formWith('image', bytes, { name }),
  });
}

test('nobody is recognised before anybody is enrolled', async () => {
  const answer = await recognize(await portrait(0));
  assert.equal(answer.status, 'unknown_face');
  assert.equal(answer.recognizedAs, null);
  assert.equal(answer.faces[0]!.similarity, null);
});

test('a picture without a face says so', async () => {
  const grey = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#808080' } })
    .png()
    .toBuffer();
  const answer = await recognize(grey);
  assert.equal(answer.status, 'no_face_detected');
  assert.deepEqual(answer.faces, []);
});

test('a person who is enrolled is recognised in another picture, and the other person is not', async () => {
  const response = await enrol('Anna', await portrait(0));
  const enrolled = (await response.json()) as Record<string, unknown>;
  assert.equal(response.status, 200, JSON.stringify(enrolled));
  assert.equal(enrolled.subjectName, 'Anna');
  assert.equal(enrolled.success, true);
  assert.equal(typeof enrolled.filename, 'string');
  assert.equal(typeof enrolled.faceId, 'number');
  assert.equal(typeof (enrolled.quality as Record<string, number>).overall, 'number');

  const answer = await recognize(await portrait(0, { widthPx: 260, brightness: 1.15 }));
  assert.equal(answer.status, 'permitted_face');
  assert.equal(answer.recognizedAs, 'Anna');
  assert.equal(answer.faces_detected, 1);
  const [face] = answer.faces;
  assert.ok(face && face.similarity !== null && face.similarity >= face.threshold);
  assert.equal(face.confidence, face.similarity);
  assert.equal(answer.confidence, face.confidence);
  assert.equal(face.landmarks.length, 5);
  assert.equal(face.margin, null);

  assert.equal((await recognize(await portrait(1))).status, 'unknown_face');
});

test('in a group each face has its own name, and the picture has the name that is known', async () => {
  const answer = await recognize(await readFile(samplePhoto(1)));
  assert.ok(answer.faces_detected >= 3);
  assert.deepEqual(
    answer.faces.map((face) => face.recognizedAs).filter((name) => name !== null),
    ['Anna'],
  );
  assert.equal(answer.recognizedAs, 'Anna');
});

test('both spellings and both fields are answered alike', async () => {
  const picture = await portrait(0);
  for (const path of ['/recognize', '/api/v1/recognize'])
    for (const field of ['image', 'file'])
      assert.equal((await recognize(picture, path, field)).recognizedAs, 'Anna');
});

test('a picture may also be the body itself', async () => {
  const response = await server.call('/recognize', {
    method: 'POST',
    body: new Uint8Array(await portrait(0)),
    headers: { 'Content-Type': 'image/jpeg' },
    key: null,
  });
  assert.equal(((await response.json()) as Recognition).recognizedAs, 'Anna');
});

test('?annotate=1 gives the picture back, drawn into and as large as before', async () => {
  const picture = await portrait(0);
  const response = await server.call('/recognize?annotate=1', {
    method: 'POST',
    body: formWith('image', picture),
    key: null,
  });
  assert.equal(response.headers.get('content-type'), 'image/jpeg');
  const drawn = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
  const { width, height } = await sharp(picture).metadata();
  assert.deepEqual([drawn.format, drawn.width, drawn.height], ['jpeg', width, height]);
});

test('several people in an enrolment picture are refused with what to do', async () => {
  const response = await enrol('Group', await readFile(samplePhoto(1)));
  assert.equal(response.status, 422);
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(body.success, false);
  assert.equal(body.error, body.detail);
  assert.match(String(body.error), /faces were found, expected one/);
});

test('an enrolment without a name says that it is the name', async () => {
  const response = await server.call('/api/v1/recognition/add-permitted-face', {
    method: 'POST',
    body: formWith('image', await portrait(0)),
  });
  assert.equal(response.status, 400);
  assert.match(((await response.json()) as { error: string }).error, /^name: expected/);
});

test('the list has names, numbers of pictures and dates; a removed person is gone and unknown', async () => {
  const name = 'Nguyễn / Đức';
  assert.equal((await enrol(name, await portrait(1))).status, 200);
  const list = (await (await server.call('/api/v1/recognition/permitted-faces')).json()) as {
    data: { name: string; pictures: number; createdAt: string }[];
  };
  assert.deepEqual(
    list.data.map((person) => [person.name, person.pictures]),
    [
      ['Anna', 1],
      [name, 1],
    ],
  );
  assert.ok(!Number.isNaN(Date.parse(list.data[0]!.createdAt)));
  assert.equal((await recognize(await portrait(1))).recognizedAs, name);

  const path = `/api/v1/recognition/permitted-faces/${encodeURIComponent(name)}`;
  assert.equal((await server.call(path, { method: 'DELETE' })).status, 200);
  assert.equal((await recognize(await portrait(1))).recognizedAs, null);
  assert.equal((await server.call(path, { method: 'DELETE' })).status, 404);
});

test('health tells models, provider, threads, gallery and database in the shapes of both APIs', async () => {
  const device = (await (await server.call('/health', { key: null })).json()) as Record<string, unknown>;
  assert.equal(device.status, 'healthy');
  assert.equal(device.face_recognition_ready, true);
  assert.equal(device.ssh_tunnel_active, false);
  assert.equal(device.uptime, device.uptime_seconds);
  assert.deepEqual(device.models, { detector: 'ssd-mobilenet-v1', embedder: 'dlib-resnet-v1' });
  assert.equal((device.provider as { inUse: string }).inUse, 'cpu');
  assert.deepEqual(device.gallery, { persons: 1, pictures: 1 });
  const attendance = (await (await server.call('/api/v1/health', { key: null })).json()) as {
    status: number;
    message: string;
    data: Record<string, unknown>;
  };
  assert.equal(attendance.status, 200);
  assert.equal(attendance.message, 'Service is healthy');
  assert.deepEqual(Object.keys(attendance.data), [
    'service',
    'version',
    'status',
    'uptime',
    'activeSessions',
    'timestamp',
  ]);
  assert.match(String(attendance.data.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('the root says that the server runs', async () => {
  for (const path of ['/', '/api/v1/', '/api/v1']) {
    const response = await server.call(path, { key: null });
    assert.equal(response.status, 200);
    assert.equal(((await response.json()) as { success: boolean }).success, true);
  }
});

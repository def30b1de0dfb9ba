import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLift } from '../../models/lift.ts';
import { type EmbedderModel, embedderModels } from '../../models/manifest.ts';
import { sphereLift } from '../../models/sphere-lift.ts';
import { createSpaceCheck } from '../../workers/embedding-space.ts';
import { readSessionRequest } from '../../workers/session-request.ts';
import { randomUnitVector, seededRandom } from '../support/vectors.ts';

const random = seededRandom(11);
const DLIB = embedderModels.find(({ family }) => family === 'dlib-resnet')!;
const ARCFACE = embedderModels.find(({ family }) => family === 'arcface')!;

const dlibEmbedding = () => sphereLift(Float32Array.from({ length: 128 }, () => (random() - 0.5) * 0.15));

const student = (changes: object = {}) => ({
  userId: 201,
  fullName: 'Tran Thi B',
  rollNumber: 'HE180314',
  embeddingVector: Array.from(dlibEmbedding()),
  embeddingVersion: 1,
  ...changes,
});

const request = (changes: object = {}) => ({
  slotId: 1,
  roomId: 2,
  students: [student()],
  cameras: [{ id: 1, name: 'Camera A101-01', rtspUrl: 'rtsp://192.168.1.100:554/stream1' }],
  config: { similarityThreshold: 0.85, scanInterval: 5, callbackUrl: 'http://java-backend:8080/cb' },
  ...changes,
});

function read(document: unknown, embedder: EmbedderModel = DLIB) {
  const body = typeof document === 'string' ? Buffer.from(document) : Buffer.from(JSON.stringify(document));
  return readSessionRequest({ body, embedder, defaults: { similarityThreshold: 0.85, scanIntervalS: 5 } });
}

function accepted(document: unknown, embedder?: EmbedderModel) {
  const answer = read(document, embedder);
  assert.equal(answer.kind, 'request', JSON.stringify(answer).slice(0, 300));
  return (answer as typeof answer & { kind: 'request' }).request;
}

function refused(document: unknown) {
  const answer = read(document);
  assert.equal(answer.kind, 'refused');
  const { code, message } = answer as typeof answer & { kind: 'refused' };
  return { code, message };
}

const without = (field: string, from: object = request()) => {
  const rest = { ...from } as Record<string, unknown>;
  delete rest[field];
  return rest;
};

test('a request as the contract shows it is read', () => {
  const read = accepted(request());
  assert.equal(read.slotId, 1);
  assert.equal(read.roomId, 2);
  assert.deepEqual(read.students, [
    { userId: 201, fullName: 'Tran Thi B', rollNumber: 'HE180314', embeddingVersion: 1 },
  ]);
  assert.deepEqual(read.config, {
    similarityThreshold: 0.85,
    scanIntervalS: 5,
    callbackUrl: 'http://java-backend:8080/cb',
    minMargin: 0,
    minSightings: 1,
  });
  assert.deepEqual(read.warnings, []);
  assert.equal(read.embeddings.length, 512);
  assert.deepEqual([...read.usable], [0]);
});

test('what is missing is told with the code and the words of the contract, in its order', () => {
  assert.deepEqual(refused({}), { code: 'SLOT_ID_REQUIRED', message: 'Slot ID is required' });
  assert.deepEqual(refused(without('slotId')).code, 'SLOT_ID_REQUIRED');
  assert.deepEqual(refused(request({ slotId: null })).code, 'SLOT_ID_REQUIRED');
  assert.deepEqual(refused(without('roomId')), { code: 'ROOM_ID_REQUIRED', message: 'Room ID is required' });
  assert.deepEqual(refused(without('students')), {
    code: 'STUDENTS_REQUIRED',
    message: 'Students array is required',
  });
  assert.deepEqual(refused(without('cameras')), {
    code: 'CAMERAS_REQUIRED',
    message: 'Cameras array is required',
  });
  assert.equal(refused(without('config')).code, 'CONFIG_REQUIRED');
  assert.equal(refused(request({ config: {} })).code, 'CALLBACK_URL_REQUIRED');
});

test('empty arrays are told apart from missing ones', () => {
  assert.deepEqual(refused(request({ students: [] })), {
    code: 'STUDENTS_EMPTY',
    message: 'Students array must not be empty',
  });
  assert.deepEqual(refused(request({ cameras: [] })), {
    code: 'CAMERAS_EMPTY',
    message: 'Cameras array must not be empty',
  });
});

test('a vector of another size is refused in the words of the contract', () => {
  for (const embeddingVector of [[1, 2, 3], 'text', undefined, new Array(513).fill(0.1)])
    assert.deepEqual(refused(request({ students: [student({ embeddingVector })] })), {
      code: 'INVALID_EMBEDDING_DIMENSION',
      message: 'Embedding vector must have exactly 512 dimensions',
    });
});

test('a vector with something in it that is no number names the place', () => {
  for (const [value, shown] of [
    [null, 'null'],
    ['0.5', '"0.5"'],
    [1e300, '1e+300'],
  ]) {
    const embeddingVector: unknown[] = Array.from(dlibEmbedding());
    embeddingVector[7] = value;
    assert.deepEqual(refused(request({ students: [student(), student({ embeddingVector, userId: 2 })] })), {
      code: 'INVALID_FIELD',
      message: `students[1].embeddingVector[7]: expected a finite number, received ${shown}`,
    });
  }
});

test('a threshold outside of 0 to 1 is refused, a missing one is the default', () => {
  const config = request().config;
  for (const similarityThreshold of [-0.1, 1.01, '0.9', true])
    assert.deepEqual(refused(request({ config: { ...config, similarityThreshold } })), {
      code: 'INVALID_SIMILARITY_THRESHOLD',
      message: 'Similarity threshold must be between 0.0 and 1.0',
    });
  assert.equal(
    accepted(request({ config: without('similarityThreshold', config) })).config.similarityThreshold,
    0.85,
  );
  assert.equal(accepted(request({ config: without('scanInterval', config) })).config.scanIntervalS, 5);
  assert.equal(refused(request({ config: { ...config, scanInterval: 0.5 } })).code, 'INVALID_SCAN_INTERVAL');
});

test('a field of a wrong type is named, with what was expected and what came', () => {
  const cases: [object, string][] = [
    [{ slotId: 'one' }, 'slotId: expected a whole number'],
    [{ slotId: 2 ** 31 }, 'slotId: expected a whole number'],
    [{ roomId: 40_000 }, 'roomId: expected a whole number from -32768 to 32767, received 40000'],
    [{ students: {} }, 'students: expected an array, received an object'],
    [{ students: [5] }, 'students[0]: expected an object, received 5'],
    [{ students: [student({ userId: 1.5 })] }, 'students[0].userId: expected a whole number'],
    [{ students: [student({ fullName: 7 })] }, 'students[0].fullName: expected text'],
    [{ students: [student({ rollNumber: null })] }, 'students[0].rollNumber: expected text'],
    [{ students: [student({ embeddingVersion: 'x' })] }, 'students[0].embeddingVersion: expected'],
    [
      { cameras: [{ id: 1, name: 'a', rtspUrl: '' }] },
      'cameras[0].rtspUrl: expected the URL of an RTSP stream',
    ],
    [{ cameras: [{ id: 99_999, name: 'a', rtspUrl: 'rtsp://a' }] }, 'cameras[0].id: expected'],
    [{ config: [] }, 'config: expected an object, received an array'],
  ];
  for (const [changes, expected] of cases) {
    const { code, message } = refused(request(changes));
    assert.equal(code, 'INVALID_FIELD');
    assert.ok(message.startsWith(expected), `${message} does not start with ${expected}`);
  }
});

test('a camera without an address keeps its place for whoever looks it up', () => {
  const { cameras } = accepted(request({ cameras: [{ id: 7, name: 'a' }] }));
  assert.deepEqual(cameras, [{ id: 7, name: 'a', rtspUrl: '' }]);
});

test('two cameras with one id are refused', () => {
  const camera = { id: 1, name: 'a', rtspUrl: 'rtsp://a' };
  assert.match(refused(request({ cameras: [camera, camera] })).message, /^cameras\[1\]\.id: /);
});

test('a body that is no JSON is refused without repeating what stands in it', () => {
  const { code, message } = refused('{"slotId": 1, "cameras": [{"rtspUrl": "rtsp://u:secret@host/"}, ?');
  assert.equal(code, 'MALFORMED_JSON');
  assert.doesNotMatch(message, /secret/);
  assert.equal(refused('[]').message, 'the body: expected an object, received an array');
  assert.equal(read('{"a": "\u00ff'.slice(0, 3)).kind, 'refused');
});

test('vectors are brought to length 1, and a warning names those that were not', () => {
  const embeddingVector = Array.from(dlibEmbedding(), (value) => value * 3);
  const { embeddings, warnings } = accepted(request({ students: [student({ embeddingVector, userId: 7 })] }));
  assert.ok(Math.abs(Math.hypot(...embeddings) - 1) < 1e-6);
  assert.equal(warnings.length, 1);
  assert.equal(warnings[0]!.code, 'EMBEDDING_NOT_UNIT_LENGTH');
  assert.deepEqual(warnings[0]!.userIds, [7]);
});

test('vectors that were rounded on their way give no warning', () => {
  const embeddingVector = Array.from(dlibEmbedding(), (value) => Math.round(value * 1000) / 1000);
  assert.deepEqual(accepted(request({ students: [student({ embeddingVector })] })).warnings, []);
});

test('vectors that cannot come from the model in use are told, how many and whose', () => {
  const students = Array.from({ length: 30 }, (_, i) =>
    student({ userId: i, embeddingVector: Array.from(i < 25 ? randomUnitVector(random) : dlibEmbedding()) }),
  );
  const { warnings } = accepted(request({ students }));
  assert.deepEqual(
    warnings.map(({ code, students }) => [code, students]),
    [['EMBEDDING_OF_ANOTHER_MODEL', 25]],
  );
  assert.equal(warnings[0]!.userIds.length, 20);
});

test('each model knows its own embeddings and their means, and not those of the other', () => {
  const lift = createLift(ARCFACE.lift, ARCFACE.rawDimensions);
  const arcfaceEmbedding = () =>
    lift(Float32Array.from({ length: ARCFACE.rawDimensions }, () => random() - 0.5));
  const isDlib = createSpaceCheck(DLIB);
  const isArcface = createSpaceCheck(ARCFACE);
  const mean = (make: () => Float32Array) => {
    const other = make();
    const sum = make().map((value, i) => value + other[i]!);
    const length = Math.hypot(...sum);
    return sum.map((value) => value / length);
  };
  for (let i = 0; i < 50; i++) {
    for (const embedding of [dlibEmbedding(), mean(dlibEmbedding)]) {
      assert.equal(isDlib(embedding), true);
      assert.equal(isArcface(embedding), false);
    }
    for (const embedding of [arcfaceEmbedding(), mean(arcfaceEmbedding)]) {
      assert.equal(isArcface(embedding), true);
      assert.equal(isDlib(embedding), false);
    }
  }
});

test('a student whose vector is all zeros is left out of the comparison, and the others are not', () => {
  const students = [student({ userId: 1, embeddingVector: new Array(512).fill(0) }), student({ userId: 2 })];
  const { usable, embeddings, warnings } = accepted(request({ students }));
  assert.deepEqual([...usable], [1]);
  assert.equal(embeddings.length, 512);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['EMBEDDING_ZERO'],
  );
});

test('a student who stands twice in the list is one person with two vectors', () => {
  const students = [student(), student({ userId: 5 }), student({ embeddingVersion: 3 })];
  const read = accepted(request({ students }));
  assert.deepEqual([...read.usable], [0, 1, 0]);
  assert.deepEqual(
    read.students.map(({ userId, embeddingVersion }) => [userId, embeddingVersion]),
    [
      [201, 3],
      [5, 1],
    ],
  );
  assert.deepEqual(
    read.warnings.map(({ code }) => code),
    ['DUPLICATE_STUDENT'],
  );
});

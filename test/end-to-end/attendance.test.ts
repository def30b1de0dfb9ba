import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TEST_KEY } from '../support/attendance.ts';
import { type AttendanceBed, makeRoomClip, openAttendanceBed } from '../support/attendance-bed.ts';
import type { AttendanceServer } from '../support/attendance-server.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';
import { randomUnitVector, seededRandom } from '../support/vectors.ts';

const { program, reason } = await ffmpegOrReason();
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

describe('recognition sessions over HTTP', { skip: reason, timeout: 180_000 }, () => {
  let bed: AttendanceBed;
  let server: AttendanceServer;
  let backend: Backend;
  let camera: RtspServer;
  let vector: number[];

  before(async () => {
    bed = await openAttendanceBed(program!, { MAX_SESSIONS: 2 });
    server = bed.server;
    backend = await startBackend();
    camera = await RtspServer.start({ clip: await makeRoomClip(program!) });
    vector = await bed.vectorOf();
  });
  after(async () => {
    await camera.close();
    await backend.close();
    await bed.close();
  });

  const random = seededRandom(3);
  const student = (changes: object = {}) => ({
    userId: 201,
    fullName: 'Tran Thi B',
    rollNumber: 'HE180314',
    embeddingVector: vector,
    embeddingVersion: 4,
    ...changes,
  });
  const request = (slotId: number, changes: object = {}, config: object = {}) => ({
    slotId,
    roomId: 7,
    students: [student()],
    cameras: [{ id: 3, name: 'Camera A101-01', rtspUrl: camera.url() }],
    config: {
      similarityThreshold: 0.85,
      scanInterval: 1,
      callbackUrl: `${backend.url}/api/v1/attendance/recognition-result`,
      ...config,
    },
    ...changes,
  });
  const start = (body: unknown) => server.ask('/api/v1/recognition/process-session', body);
  const stop = (slotId: number) => server.ask('/api/v1/recognition/stop-session', { slotId });

  test('a session starts, tells the backend whom it sees, is listed, and stops', async () => {
    const started = await start(request(11));
    assert.equal(started.status, 200);
    const { sessionStartedAt, ...data } = started.body.data;
    assert.match(sessionStartedAt, TIME);
    assert.deepEqual(
      { ...started.body, data },
      {
        status: 200,
        message: 'Face recognition session started successfully',
        data: {
          slotId: 11,
          roomId: 7,
          totalStudents: 1,
          totalCameras: 1,
          activeCameras: 1,
          failedCameras: 0,
          config: { similarityThreshold: 0.85, scanInterval: 1 },
        },
      },
    );
    await backend.until(() => backend.accepted.length >= 2);
    const batch = backend.accepted[0]!;
    assert.equal(backend.requests[0]!.apiKey, TEST_KEY);
    assert.equal(batch.slotId, 11);
    assert.equal(batch.roomId, 7);
    // Three people are in the picture, one of them is a student.
    assert.equal(batch.recognitions.length, 1);
    const { similarity, confidence, quality, box, recognizedAt, ...who } = batch.recognitions[0]!;
    assert.deepEqual(who, {
      userId: 201,
      fullName: 'Tran Thi B',
      rollNumber: 'HE180314',
      cameraId: 3,
      cameraName: 'Camera A101-01',
      embeddingVersion: 4,
    });
    assert.ok(Number(similarity) >= 0.85 && similarity === confidence);
    assert.ok(Number(quality) > 0.25 && Number(quality) <= 1);
    assert.deepEqual(Object.keys(box as object), ['x', 'y', 'width', 'height']);
    assert.match(String(recognizedAt), TIME);

    const listed = await server.ask('/api/v1/recognition/sessions');
    const [session] = listed.body.data.sessions;
    assert.equal(session.slotId, 11);
    assert.equal(session.cameras[0].active, true);
    assert.ok(session.counts.unknown >= 2);

    const metrics = await server.ask('/api/v1/metrics');
    assert.deepEqual(Object.keys(metrics.body.data), [
      'service',
      'recognition',
      'embedding',
      'cameras',
      'timestamp',
    ]);
    assert.equal(metrics.body.data.service.activeSessions, 1);
    assert.equal(metrics.body.data.cameras.activeCameras, 1);
    assert.equal(metrics.body.data.embedding.totalGenerated, 1);
    assert.ok(metrics.body.data.recognition.totalRecognitions >= 2);

    const stopped = await stop(11);
    assert.equal(stopped.status, 200);
    const { sessionDuration, totalRecognitions, sessionStoppedAt, ...rest } = stopped.body.data;
    assert.deepEqual(rest, { slotId: 11 });
    assert.ok(Number.isInteger(sessionDuration));
    assert.match(sessionStoppedAt, TIME);
    const sent = backend.accepted.flatMap((accepted) =>
      accepted.slotId === 11 ? accepted.recognitions : [],
    );
    assert.equal(totalRecognitions, sent.length);
    assert.equal(stopped.body.message, 'Face recognition session stopped successfully');
  });

  test('a second session of a slot is refused until the first is stopped', async () => {
    assert.equal((await start(request(12))).status, 200);
    const second = await start(request(12));
    assert.equal(second.status, 409);
    assert.deepEqual(second.body, {
      status: 409,
      message: 'Face recognition session already exists for slot 12',
      code: 'SESSION_ALREADY_EXISTS',
    });
    assert.equal((await stop(12)).status, 200);
    assert.equal((await start(request(12))).status, 200);
    assert.equal((await stop(12)).status, 200);
  });

  test('only so many sessions run at a time', async () => {
    const [first, second] = await Promise.all([start(request(13)), start(request(14))]);
    assert.deepEqual([first.status, second.status], [200, 200]);
    const third = await start(request(15));
    assert.deepEqual(third.body, {
      status: 429,
      message: 'Maximum number of concurrent sessions (2) reached',
      code: 'MAX_SESSIONS_REACHED',
    });
    assert.equal(third.status, 429);
    await Promise.all([stop(13), stop(14)]);
  });

  test('a session starts with the cameras that answer, and says how many do not', async () => {
    const cameras = [
      { id: 1, name: 'dead', rtspUrl: 'rtsp://127.0.0.1:1/stream' },
      { id: 2, name: 'no camera', rtspUrl: 'http://127.0.0.1/' },
      { id: 3, name: 'alive', rtspUrl: camera.url() },
    ];
    const { status, body } = await start(request(16, { cameras }));
    assert.equal(status, 200);
    assert.deepEqual([body.data.totalCameras, body.data.activeCameras, body.data.failedCameras], [3, 1, 2]);
    await stop(16);
  });

  test('where no camera gives a picture there is no session', async () => {
    const cameras = [{ id: 1, name: 'dead', rtspUrl: 'rtsp://admin:hunter2@127.0.0.1:1/stream' }];
    const { status, body } = await start(request(17, { cameras }));
    assert.equal(status, 500);
    assert.deepEqual(body, {
      status: 500,
      message: 'Failed to connect to any camera. Cannot start session.',
      code: 'ALL_CAMERAS_FAILED',
    });
    assert.equal((await stop(17)).status, 404);
    assert.ok(server.lines.every((line) => !line.includes('hunter2')));
  });

  test('stopping what does not run is told as the contract says', async () => {
    assert.deepEqual((await stop(99)).body, {
      status: 404,
      message: 'No active face recognition session found for slot 99',
      code: 'SESSION_NOT_FOUND',
    });
    assert.deepEqual((await server.ask('/api/v1/recognition/stop-session', {})).body, {
      status: 400,
      message: 'Slot ID is required',
      code: 'SLOT_ID_REQUIRED',
    });
    assert.equal(
      (await server.ask('/api/v1/recognition/stop-session', { slotId: 'x' })).body.code,
      'INVALID_FIELD',
    );
  });

  test('every route but health asks for the key, in every mode of access', async () => {
    const routes: [string, string][] = [
      ['POST', '/api/v1/recognition/process-session'],
      ['POST', '/api/v1/recognition/stop-session'],
      ['GET', '/api/v1/recognition/sessions'],
      ['POST', '/api/v1/embeddings/generate'],
      ['POST', '/api/v1/embeddings/validate'],
      ['GET', '/api/v1/cameras/test-connection'],
      ['GET', '/api/v1/cameras/capture-frame'],
      ['GET', '/api/v1/metrics'],
    ];
    for (const key of [null, 'wrong-key-0123456789'])
      for (const [method, path] of routes) {
        const answer = await server.call(path, { method, key });
        assert.equal(answer.status, 401, path);
        assert.deepEqual(await answer.json(), {
          status: 401,
          message: 'Invalid or missing API key',
          code: 'INVALID_API_KEY',
        });
      }
  });

  test('requests that are wrong are refused with the codes of the contract', async () => {
    const refused = async (body: unknown) => {
      const answer = await start(body);
      assert.equal(answer.status, 400);
      return answer.body;
    };
    assert.deepEqual(await refused({}), {
      status: 400,
      message: 'Slot ID is required',
      code: 'SLOT_ID_REQUIRED',
    });
    assert.equal((await refused(request(1, { students: undefined }))).code, 'STUDENTS_REQUIRED');
    assert.equal((await refused(request(1, { cameras: [] }))).code, 'CAMERAS_EMPTY');
    assert.equal(
      (await refused(request(1, { students: [student({ embeddingVector: [1] })] }))).code,
      'INVALID_EMBEDDING_DIMENSION',
    );
    assert.equal(
      (await refused(request(1, {}, { similarityThreshold: 2 }))).code,
      'INVALID_SIMILARITY_THRESHOLD',
    );
    for (const callbackUrl of ['ftp://host/', 'nonsense', 'http://user:pw@host/'])
      assert.equal((await refused(request(1, {}, { callbackUrl }))).code, 'INVALID_CALLBACK_URL');
    assert.equal((await refused('{')).code, 'MALFORMED_JSON');
  });

  test('vectors of another model start the session with a warning in answer, log and metrics', async () => {
    const foreign = student({ userId: 5, embeddingVector: Array.from(randomUnitVector(random)) });
    const { body } = await start(request(18, { students: [student(), foreign] }));
    assert.deepEqual(
      body.data.warnings.map(({ code, students, userIds }: Record<string, unknown>) => [
        code,
        students,
        userIds,
      ]),
      [['EMBEDDING_OF_ANOTHER_MODEL', 1, [5]]],
    );
    assert.ok(server.lines.some((line) => line.includes('EMBEDDING_OF_ANOTHER_MODEL')));
    assert.match(
      await server.metric('face_session_warnings_total'),
      /face_session_warnings_total\{code="EMBEDDING_OF_ANOTHER_MODEL"\} 1/,
    );
    await stop(18);
  });

  test('5,000 students are taken in while other requests are answered', async () => {
    const students = Array.from({ length: 5000 }, (_, i) =>
      student({ userId: i, embeddingVector: i === 0 ? vector : Array.from(randomUnitVector(random)) }),
    );
    const body = JSON.stringify(request(19, { students }));
    assert.ok(body.length > 50e6 && body.length < 64 * 1024 * 1024);
    const started = start(body);
    let answered = 0;
    let done = false;
    void started.finally(() => {
      done = true;
    });
    while (!done) {
      assert.equal((await server.call('/api/v1/recognition/sessions')).status, 200);
      answered++;
    }
    assert.equal((await started).status, 200);
    assert.equal((await started).body.data.totalStudents, 5000);
    assert.ok(answered > 0);
    await backend.until(() => backend.accepted.some(({ slotId }) => slotId === 19));
    await stop(19);
  });

  test('a body beyond 64 MB is refused', async () => {
    const { status } = await start(`{"slotId":"${'x'.repeat(64 * 1024 * 1024)}"}`);
    assert.equal(status, 413);
  });
});

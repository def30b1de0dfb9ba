import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRoomClip } from '../support/attendance-bed.ts';
import { type ReceivedBatch, startBackend } from '../support/backend.ts';
import { makeFaceClip, PERSON_A_AGAIN } from '../support/clips.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';
import { PROCESS_KEY, startServerProcess } from '../support/server-process.ts';

const { program, reason } = await ffmpegOrReason();

test('a server killed while a batch is on its way ends its sessions and cameras, and the next one sends the batch under its id', {
  skip: reason,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-crash-'));
  const uploads = await mkdtemp(join(tmpdir(), 'facepool-test-uploads-'));
  await makeFaceClip(program!.path, { path: join(uploads, 'a.mp4'), face: PERSON_A_AGAIN });
  const camera = await RtspServer.start({ clip: await makeRoomClip(program!) });
  const backend = await startBackend();
  backend.answer = 'hold';
  const settings = { UPLOADS_DIR: uploads, WORKER_THREADS: '1' };
  const first = await startServerProcess({ folder, settings });
  try {
    const made = await first.ask<{ data: { embeddingVector: number[] } }>('/api/v1/embeddings/generate', {
      videoUrl: '/uploads/a.mp4',
      submissionId: 1,
    });
    const { embeddingVector } = made.data;
    await first.ask('/api/v1/recognition/process-session', {
      slotId: 1,
      roomId: 1,
      students: [{ userId: 201, fullName: 'a', rollNumber: 'b', embeddingVersion: 1, embeddingVector }],
      cameras: [{ id: 1, name: 'camera', rtspUrl: camera.url() }],
      config: { scanInterval: 1, callbackUrl: backend.url },
    });
    await backend.until(() => backend.requests.length > 0);
  } finally {
    await first.kill();
  }
  const onTheirWay = backend.requests.map(({ text }) => JSON.parse(text) as ReceivedBatch);
  // The ffmpeg of a server that is gone ends at its next frame.
  while (camera.openConnections > 0) await once(camera, 'closed');

  backend.answer = 200;
  const second = await startServerProcess({ folder, settings });
  try {
    const listed = await second.ask<{ data: { sessions: unknown[] } }>('/api/v1/recognition/sessions');
    assert.deepEqual(listed.data.sessions, []);
    const taken = (batchId: string) => backend.accepted.find((batch) => batch.batchId === batchId);
    await backend.until(() => onTheirWay.every(({ batchId }) => taken(batchId) !== undefined));
    for (const batch of onTheirWay) assert.deepEqual(taken(batch.batchId), batch);
    assert.ok(backend.requests.every(({ apiKey }) => apiKey === PROCESS_KEY));
  } finally {
    await second.dispose();
    await backend.close();
    await camera.close();
    await rm(folder, { recursive: true, force: true });
    await rm(uploads, { recursive: true, force: true });
  }
});

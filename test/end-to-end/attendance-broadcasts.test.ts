import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { makeRoomClip } from '../support/attendance-bed.ts';
import { startBackend } from '../support/backend.ts';
import { makeFaceClip, PERSON_A_AGAIN } from '../support/clips.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const { program, reason } = await ffmpegOrReason();

/** What a client is told, and how to end it. */
async function listen({ url, apiKey }: TestServer, withKey: boolean) {
  const messages: Record<string, unknown>[] = [];
  const socket = new WebSocket(url.replace('http', 'ws'), {
    headers: withKey ? { 'X-API-Key': apiKey } : {},
  });
  const heard = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Record<string, unknown>;
    messages.push(message);
    if (message.type === 'recognition') heard.resolve();
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { messages, heard: heard.promise, close: () => socket.terminate() };
}

describe('the whole server', { skip: reason, timeout: 180_000 }, () => {
  test('broadcasts whom a session recognises to those with the key, and knows whether the backend answers', async () => {
    const uploads = await mkdtemp(join(tmpdir(), 'facepool-test-uploads-'));
    await makeFaceClip(program!.path, { path: join(uploads, 'a.mp4'), face: PERSON_A_AGAIN });
    const backend = await startBackend();
    const camera = await RtspServer.start({ clip: await makeRoomClip(program!) });
    const server = await startTestServer({
      ACCESS: 'open',
      UPLOADS_DIR: uploads,
      JAVA_BACKEND_URL: backend.url,
    });
    const post = async (path: string, body: object) => {
      const answer = await server.call(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      assert.equal(answer.status, 200);
      return ((await answer.json()) as { data: Record<string, unknown> }).data;
    };
    const backendStatus = async () => {
      const { status } = (await (await server.call('/api/v1/system/status')).json()) as {
        status: { backendConnected: boolean; lastBackendSync: string | null };
      };
      return [status.backendConnected, status.lastBackendSync] as const;
    };
    const trusted = await listen(server, true);
    const stranger = await listen(server, false);
    try {
      assert.deepEqual(await backendStatus(), [false, null]);
      const { embeddingVector } = await post('/api/v1/embeddings/generate', {
        videoUrl: '/uploads/a.mp4',
        submissionId: 1,
      });
      const startedAtMs = Date.now();
      const student = { userId: 201, fullName: 'Tran Thi B', rollNumber: 'HE180314', embeddingVersion: 4 };
      await post('/api/v1/recognition/process-session', {
        slotId: 11,
        roomId: 7,
        students: [{ ...student, embeddingVector }],
        cameras: [{ id: 3, name: 'Camera A101-01', rtspUrl: camera.url() }],
        config: { scanInterval: 1, callbackUrl: `${backend.url}/result` },
      });
      await trusted.heard;
      await backend.until(() => backend.accepted.length > 0);
      const { type, timestamp, ...told } = trusted.messages.find(
        (message) => message.type === 'recognition',
      )!;
      assert.equal(type, 'recognition');
      assert.ok(Number(timestamp) >= startedAtMs);
      assert.deepEqual(told, { slotId: 11, roomId: 7, ...backend.accepted[0]!.recognitions[0] });

      await post('/api/v1/recognition/stop-session', { slotId: 11 });
      const [connected, lastSync] = await backendStatus();
      assert.equal(connected, true);
      assert.ok(Date.parse(lastSync!) >= startedAtMs);
      assert.deepEqual(
        stranger.messages.map((message) => message.type),
        ['connection'],
      );

      await backend.close();
      await server.call('/api/v1/cameras/capture-frame?cameraId=5');
      assert.deepEqual(await backendStatus(), [false, lastSync]);
    } finally {
      trusted.close();
      stranger.close();
      await server.dispose();
      await camera.close();
      await backend.close().catch(() => {});
      await rm(uploads, { recursive: true, force: true });
    }
  });
});

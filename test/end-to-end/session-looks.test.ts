import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import type { LookedAtMessage, Message } from '../../server/live/messages.ts';
import { makeRoomClip } from '../support/attendance-bed.ts';
import { STUDENT, startClassSession } from '../support/class-session.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const { program, reason } = await ffmpegOrReason();

describe('the camera of a session, on the page', { skip: reason, timeout: 120_000 }, () => {
  let camera: RtspServer;
  let server: TestServer;
  before(async () => {
    camera = await RtspServer.start({ clip: await makeRoomClip(program!) });
    server = await startTestServer({ ACCESS: 'open', MEDIASOUP_WORKER_BIN: '/nowhere/media' });
  });
  after(async () => {
    await server.dispose();
    await camera.close();
  });

  function listen(headers: Record<string, string>): { heard: Message[]; close(): void } {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws?page=1`, { headers });
    const heard: Message[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data))));
    return { heard, close: () => socket.terminate() };
  }

  test('every scan is told with the names of the students, and only to those with the key', async () => {
    const page = listen({ 'X-API-Key': server.apiKey });
    const stranger = listen({});
    await until(() => page.heard.length > 0 && stranger.heard.length > 0);
    await startClassSession(server, [{ id: 3, name: 'Room', rtspUrl: camera.url() }]);
    const looks = () =>
      page.heard.filter((message): message is LookedAtMessage => message.type === 'looked-at');
    await until(() => looks().length >= 2);
    for (const { source, width, height, faces } of looks()) {
      assert.deepEqual(source, { kind: 'camera', id: '7-3', slotId: 7 });
      assert.deepEqual([width, height], [1280, 720]);
      assert.equal(faces.filter(({ recognizedAs }) => recognizedAs === STUDENT).length, 1);
      assert.ok(faces.every(({ similarity }) => similarity !== null));
    }
    const picture = await server.call(looks().at(-1)!.url!);
    assert.equal(picture.status, 200);
    assert.ok(stranger.heard.every(({ type }) => type !== 'looked-at' && type !== 'recognition'));

    const listed = async (key?: null) => {
      const answer = await server.call('/api/v1/cameras', key === null ? { key } : {});
      return ((await answer.json()) as { data: readonly { faces: LookedAtMessage['faces'] | null }[] })
        .data[0]!;
    };
    // Between a frame and the look at it the list tells no faces.
    const faces = async () => (await listed()).faces;
    await until(async () => (await faces()) !== null);
    await until(async () => (await faces())?.some(({ recognizedAs }) => recognizedAs === STUDENT) ?? false);
    for (let i = 0; i < 20; i++) assert.equal((await listed(null)).faces, null);

    const saved = await server.call('/api/v1/cameras', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Room', rtspUrl: camera.url(), recognise: false }),
    });
    assert.equal(saved.status, 201);
    page.heard.length = 0;
    await until(() => looks().length >= 3);
    assert.deepEqual(
      new Set(
        looks()
          .slice(1)
          .map(({ source }) => source.id),
      ),
      new Set(['1']),
      'a saved camera tells of itself alone',
    );
    page.close();
    stranger.close();
  });
});

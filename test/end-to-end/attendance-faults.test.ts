import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type AttendanceBed, makeRoomClip, openAttendanceBed } from '../support/attendance-bed.ts';
import type { AttendanceServer } from '../support/attendance-server.ts';
import { type Backend, type ReceivedBatch, startBackend } from '../support/backend.ts';
import { childProcesses, ffmpegOrReason } from '../support/ffmpeg.ts';
import type { H264Clip } from '../support/h264-clip.ts';
import { RtspServer } from '../support/rtsp-server.ts';

const { program, reason } = await ffmpegOrReason();

describe('a session goes on', { skip: reason, timeout: 180_000 }, () => {
  let bed: AttendanceBed;
  let server: AttendanceServer;
  let clip: H264Clip;
  let vector: number[];

  before(async () => {
    bed = await openAttendanceBed(program!);
    server = bed.server;
    clip = await makeRoomClip(program!);
    vector = await bed.vectorOf();
  });
  after(() => bed.close());

  /** Runs a session with one camera; `fault` does what it likes meanwhile. Ends the session and gives what was recognised. */
  async function duringSession(
    slotId: number,
    fault: (parts: {
      backend: () => Backend;
      camera: RtspServer;
      restart: () => Promise<void>;
    }) => Promise<void>,
    options: { mode?: AttendanceServer; minSightings?: number } = {},
  ) {
    const camera = await RtspServer.start({ clip });
    let backend = await startBackend();
    const { url, port } = backend;
    const { body } = await (options.mode ?? server).ask('/api/v1/recognition/process-session', {
      slotId,
      roomId: 1,
      students: [
        { userId: 201, fullName: 'a', rollNumber: 'b', embeddingVersion: 1, embeddingVector: vector },
      ],
      cameras: [{ id: 1, name: 'camera', rtspUrl: camera.url() }],
      config: { scanInterval: 1, callbackUrl: url, minSightings: options.minSightings ?? 1 },
    });
    assert.equal(body.status, 200, body.message);
    const before = backend;
    await fault({
      backend: () => backend,
      camera,
      async restart() {
        backend = await startBackend(port);
        backend.accepted.push(...before.accepted);
        backend.requests.push(...before.requests);
      },
    });
    const stopped = await (options.mode ?? server).ask('/api/v1/recognition/stop-session', { slotId });
    assert.equal(stopped.status, 200);
    await backend.close();
    await camera.close();
    return { stopped: stopped.body.data, accepted: backend.accepted, requests: backend.requests };
  }

  /** As many more results as this, from now on. */
  const more = (backend: Backend, count: number) => {
    const seen = backend.accepted.length;
    return backend.until(() => backend.accepted.length >= seen + count);
  };

  test('while the backend is away for half a minute, and every recognition arrives under one batchId', async () => {
    const away = { fromMs: 0, toMs: 0 };
    const { stopped, accepted, requests } = await duringSession(1, async ({ backend, restart }) => {
      await more(backend(), 1);
      await backend().close();
      away.fromMs = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 30_000));
      away.toMs = Date.now();
      await restart();
      await more(backend(), 3);
    });
    assert.equal(stopped.pendingRecognitions, undefined);
    const arrived = new Set(accepted.map(({ batchId }) => batchId));
    assert.equal(
      stopped.totalRecognitions,
      accepted
        .filter(({ batchId }, i) => accepted.findIndex((a) => a.batchId === batchId) === i)
        .flatMap(({ recognitions }) => recognitions).length,
    );
    // What was sent again came with the bytes that it had before.
    const sent = new Map<string, string>();
    for (const { text } of requests) {
      const { batchId } = JSON.parse(text) as ReceivedBatch;
      assert.ok(arrived.has(batchId));
      assert.equal(sent.get(batchId) ?? text, text);
      sent.set(batchId, text);
    }
    const times = accepted.flatMap(({ recognitions }) =>
      recognitions.map((r) => Date.parse(String(r.recognizedAt))),
    );
    assert.ok(times.some((time) => time >= away.fromMs && time < away.toMs));
  });

  test('when the camera is cut off and comes back', async () => {
    await duringSession(2, async ({ backend, camera }) => {
      await more(backend(), 1);
      camera.cutOff();
      await more(backend(), 2);
    });
  });

  test('when the camera freezes and is well again', async () => {
    await duringSession(3, async ({ backend, camera }) => {
      await more(backend(), 1);
      const connections = camera.connections;
      camera.fail('frozen');
      while (camera.connections === connections) await new Promise((resolve) => setTimeout(resolve, 50));
      const listed = await server.ask('/api/v1/recognition/sessions');
      assert.equal(listed.body.data.sessions[0].cameras[0].active, false);
      camera.fail('none');
      await more(backend(), 1);
    });
  });

  test('when ffmpeg is killed', async () => {
    await duringSession(4, async ({ backend }) => {
      await more(backend(), 1);
      for (const pid of childProcesses() ?? []) process.kill(pid, 'SIGKILL');
      await more(backend(), 2);
    });
  });

  test('and where several sightings are asked for, the first results are held back', async () => {
    const { accepted } = await duringSession(
      5,
      async ({ backend }) => {
        await more(backend(), 1);
        const listed = await server.ask('/api/v1/recognition/sessions');
        assert.ok(listed.body.data.sessions[0].counts.recognized >= 3);
      },
      { minSightings: 3 },
    );
    assert.ok(accepted.length >= 1);
  });

  test('with CALLBACK_MODE=first a student is told once a session', async () => {
    const first = await bed.serve({ CALLBACK_MODE: 'first' });
    const { accepted, stopped } = await duringSession(
      6,
      async ({ backend }) => {
        await more(backend(), 1);
        for (;;) {
          const listed = await first.ask('/api/v1/recognition/sessions');
          if (listed.body.data.sessions[0].counts.recognized >= 4) return;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      },
      { mode: first },
    );
    assert.equal(accepted.length, 1);
    assert.equal(stopped.totalRecognitions, 1);
    await first.stop();
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import pino from 'pino';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import { type CameraHub, createCameraHub, type HubOptions } from '../../../server/cameras/camera-hub.ts';
import type { VideoFrame } from '../../../server/cameras/y4m.ts';
import { childProcesses, ffmpegOrReason, playedClip } from '../../support/ffmpeg.ts';
import { RtspServer } from '../../support/rtsp-server.ts';
import { until } from '../../support/until.ts';

const { program, reason } = await ffmpegOrReason();
const SOON = { firstMs: 50, maxMs: 200, forgivenAfterMs: 60_000 };

describe('the hub of the cameras', { skip: reason, timeout: 120_000 }, () => {
  const clip = playedClip(program, { keyFrameIntervalFrames: 10 });

  async function withHub(
    body: (hub: CameraHub, server: RtspServer) => Promise<void>,
    options: Partial<HubOptions> = {},
  ): Promise<void> {
    const server = await RtspServer.start({ clip: clip() });
    const log = pino({ level: 'silent' });
    const hub = createCameraHub({ program: program!, log, backOff: SOON, ...options });
    try {
      await body(hub, server);
    } finally {
      await hub.close();
      await server.close();
    }
  }

  test('two that want the same camera share one connection; it ends with the last of them', async () => {
    await withHub(async (hub, server) => {
      const address = parseCameraUrl(server.url());
      const [seen, seenToo]: [VideoFrame[], VideoFrame[]] = [[], []];
      const first = hub.use({ address, scanIntervalMs: 500, onFrame: (frame) => void seen.push(frame) });
      await first.connected;
      const second = hub.use({ address, scanIntervalMs: 500, onFrame: (frame) => void seenToo.push(frame) });
      await second.connected;
      await until(() => seen.length >= 3 && seenToo.length >= 3);
      assert.equal(server.connections, 1);
      assert.equal(first.camera, second.camera);
      // Each may give its pixels away to a thread.
      assert.ok(seen.at(-1)!.bytes.buffer !== seenToo.at(-1)!.bytes.buffer);
      await first.close();
      const before = seenToo.length;
      await until(() => seenToo.length > before);
      await second.close();
      assert.deepEqual(childProcesses() ?? [], []);
      assert.deepEqual(hub.cameras(), []);
    });
  });

  test('each gets frames at the interval it asked for', async () => {
    await withHub(async (hub, server) => {
      const address = parseCameraUrl(server.url());
      const count = { often: 0, seldom: 0 };
      const seldom = hub.use({ address, scanIntervalMs: 2000, onFrame: () => void count.seldom++ });
      await seldom.connected;
      const often = hub.use({ address, scanIntervalMs: 400, onFrame: () => void count.often++ });
      await often.connected;
      await until(() => count.often >= 12);
      assert.ok(count.seldom >= 2 && count.seldom <= count.often / 2, JSON.stringify(count));
      assert.equal(server.openConnections, 1);
      assert.equal(seldom.camera.report.failures, 0);
    });
  });

  test('who comes while a camera is in its pause has it tried at once, and is told why there is no picture', async () => {
    await withHub(
      async (hub, server) => {
        const address = parseCameraUrl(server.url());
        server.fail('garbage');
        const first = hub.use({ address, scanIntervalMs: 500, onFrame: () => {} });
        await assert.rejects(first.connected);
        server.fail('none');
        const second = hub.use({ address, scanIntervalMs: 500, onFrame: () => {} });
        await second.connected;
        assert.equal(second.camera.report.state, 'live');
      },
      { backOff: { firstMs: 60_000, maxMs: 60_000, forgivenAfterMs: 60_000 } },
    );
  });

  test('a camera that is opened again while it closes waits for the end of its old connection', async () => {
    await withHub(async (hub, server) => {
      const address = parseCameraUrl(server.url());
      const use = () => hub.use({ address, scanIntervalMs: 500, onFrame: () => {} });
      const first = use();
      await first.connected;
      const closed = first.close();
      const second = use();
      await second.connected;
      await closed;
      assert.equal(server.openConnections, 1);
      await second.close();
    });
  });

  test('the stream as it comes is there for whoever listens, from the start of a packet', async () => {
    await withHub(
      async (hub, server) => {
        const { camera, connected } = hub.use({
          address: parseCameraUrl(server.url()),
          scanIntervalMs: 500,
          onFrame: () => {},
        });
        await connected;
        const chunks: Buffer[] = [];
        const leave = camera.copied.listen((chunk) => chunks.push(chunk));
        await until(() => chunks.length >= 5);
        leave();
        const SYNC = 0x47;
        for (const chunk of chunks) {
          assert.equal(chunk.length % 188, 0);
          assert.equal(chunk[0], SYNC);
        }
        const heard = chunks.length;
        await until(() => camera.report.frames >= 3);
        assert.equal(chunks.length, heard);
      },
      { openCopies: async () => ({ rtp: null, pipe: true }) },
    );
  });
});

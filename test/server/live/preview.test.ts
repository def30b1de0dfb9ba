import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { types } from 'mediasoup';
import pino from 'pino';
import { createCameraViews } from '../../../server/camera-views.ts';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import { type CameraUse, createCameraHub } from '../../../server/cameras/camera-hub.ts';
import { ServerError } from '../../../server/errors.ts';
import { type MediaServer, startMediaServer } from '../../../server/live/media-server.ts';
import type { Preview } from '../../../server/live/preview.ts';
import { childProcesses, ffmpegOrReason, smallClip } from '../../support/ffmpeg.ts';
import type { ClipOptions } from '../../support/h264-clip.ts';
import { mediaWorkerOrReason } from '../../support/media-worker.ts';
import { RtspServer } from '../../support/rtsp-server.ts';
import { until } from '../../support/until.ts';

const { program, reason } = await ffmpegOrReason();
const worker = mediaWorkerOrReason();
const log = pino({ level: 'silent' });
const H264_PACKETS = /^video\/h264$/i;

describe('the preview of a camera', { skip: reason || worker.reason, timeout: 120_000 }, () => {
  let media: MediaServer;
  before(async () => {
    media = await startMediaServer({
      workerBin: worker.path,
      workers: 1,
      listening: { addresses: [{ ip: '127.0.0.1', announced: null }], warnings: [] },
      ports: { min: 42_000, max: 42_999 },
      log,
    });
  });
  after(async () => {
    media.close();
    await until(() => (childProcesses() ?? []).length === 0);
  });

  async function withPreview(
    clip: ClipOptions,
    body: (preview: Preview, camera: CameraUse, server: RtspServer) => Promise<void>,
  ): Promise<void> {
    const server = await RtspServer.start({
      clip: await smallClip(program!, { keyFrameIntervalFrames: 10, ...clip }),
    });
    const views = createCameraViews({ program: program!, log, media });
    const hub = createCameraHub({
      program: program!,
      log,
      openCopies: views.openCopies,
      onClosed: views.onClosed,
    });
    const use = hub.use({ address: parseCameraUrl(server.url()), scanIntervalMs: 500, onFrame: () => {} });
    try {
      await use.connected;
      await body(views.of(use.camera).preview!, use, server);
    } finally {
      await hub.close();
      await views.close();
      await server.close();
    }
  }

  /** As viewers do: what is being started again is asked for again. */
  async function whenThere<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof ServerError) || error.status !== 503) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Counts the packets that a viewer would get, from a key frame on. */
  async function listen(preview: Preview): Promise<{ packets: () => number; producer: types.Producer }> {
    const { router } = await preview.room();
    const transport = await router.createDirectTransport();
    const producer = await whenThere(() => preview.producer());
    assert.match(producer.rtpParameters.codecs[0]!.mimeType, H264_PACKETS);
    const consumer = await transport.consume({
      producerId: producer.id,
      rtpCapabilities: router.rtpCapabilities,
    });
    let packets = 0;
    consumer.on('rtp', () => packets++);
    return { packets: () => packets, producer };
  }

  test('H.264 goes out as it came, from the ffmpeg that also gives the frames', async () => {
    await withPreview({}, async (preview, { camera }, server) => {
      const { packets } = await listen(preview);
      await until(() => packets() > 50);
      assert.equal(preview.isTranscoding, false);
      assert.equal(server.connections, 1);
      assert.ok(camera.report.frames >= 1);
      // The media worker, and one ffmpeg.
      assert.equal(childProcesses()?.length ?? 2, 2);
    });
  });

  test('a media worker that is killed is replaced, and the same ffmpeg is heard in the next one', async () => {
    await withPreview({}, async (preview, { camera }) => {
      const first = await listen(preview);
      await until(() => first.packets() > 10);
      const [pid] = media.pids;
      process.kill(pid!, 'SIGKILL');
      await until(() => first.producer.closed);
      const second = await listen(preview);
      await until(() => second.packets() > 10);
      assert.notEqual(media.pids[0], pid);
      assert.equal(camera.report.starts, 1);
    });
  });

  test('a camera that comes back has another producer at once', async () => {
    await withPreview({}, async (preview, { camera }, server) => {
      const first = await listen(preview);
      await until(() => first.packets() > 10);
      server.cutOff();
      await until(() => first.producer.closed);
      await until(() => camera.report.state === 'live');
      const second = await listen(preview);
      assert.notEqual(second.producer.id, first.producer.id);
      await until(() => second.packets() > 10);
    });
  });

  test('a camera with B-frames is transcoded, whether its stream can be copied or not', async () => {
    await withPreview({ bFrames: 2 }, async (preview, { camera }) => {
      await until(() => preview.hasBFrames || !camera.report.isCopied);
      assert.equal(camera.report.failures, 0);
      const leave = preview.enter();
      const { packets } = await listen(preview);
      assert.equal(preview.isTranscoding, true);
      await until(() => packets() > 20);
      leave();
    });
  });

  test('HEVC is transcoded while somebody watches, and only then; the camera is pulled once', async () => {
    await withPreview({ codec: 'hevc' }, async (preview, { camera }, server) => {
      assert.equal(camera.report.codec, 'hevc');
      assert.equal(preview.isTranscoding, false);
      assert.equal(childProcesses()?.length ?? 2, 2);
      const leave = preview.enter();
      const { packets, producer } = await listen(preview);
      await until(() => packets() > 20);
      assert.equal(childProcesses()?.length ?? 3, 3);
      assert.equal(server.connections, 1);
      leave();
      await until(() => producer.closed && !preview.isTranscoding);
      await until(() => (childProcesses()?.length ?? 2) === 2);
    });
  });
});

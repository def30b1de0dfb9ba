import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import { CameraError, type CameraFault } from '../../../server/cameras/camera-error.ts';
import { captureFrame, probeCamera } from '../../../server/cameras/probe.ts';
import { ffmpegOrReason, playedClip, smallClip } from '../../support/ffmpeg.ts';
import { RtspServer, type RtspServerOptions } from '../../support/rtsp-server.ts';

const { program, reason } = await ffmpegOrReason();

describe('a look at a camera', { skip: reason, timeout: 60_000 }, () => {
  const clip = playedClip(program, { framesPerSecond: 20 });

  async function withServer<T>(
    body: (server: RtspServer) => Promise<T>,
    options: Partial<RtspServerOptions> = {},
  ) {
    const server = await RtspServer.start({ clip: clip(), ...options });
    try {
      return await body(server);
    } finally {
      await server.close();
    }
  }

  const look = (server: RtspServer, limitMs = 5000, credentials = '') => ({
    program: program!,
    address: parseCameraUrl(server.url(credentials)),
    limitMs,
  });

  const failsWith = (fault: CameraFault, message: RegExp) => (error: unknown) =>
    error instanceof CameraError && error.fault === fault && message.test(error.message);

  test('measures frame rate, size, latency and stability', async () => {
    const probe = await withServer((server) => probeCamera(look(server)));
    const { latencyMs, frameRate, ...others } = probe;
    assert.deepEqual(others, { width: 160, height: 120, stability: 'stable', frames: 10, codec: 'h264' });
    assert.ok(Math.abs(frameRate! - 20) < 1, `${frameRate} frames a second`);
    assert.ok(Number.isInteger(latencyMs) && latencyMs > 0 && latencyMs < 5000);
  });

  test('a camera that sends fewer than ten frames in time is of unknown stability', async () => {
    const slow = await smallClip(program!, { framesPerSecond: 2, keyFrameIntervalFrames: 1 });
    const probe = await withServer((server) => probeCamera(look(server, 2500)), { clip: slow });
    assert.equal(probe.stability, 'unknown');
    assert.ok(probe.frames >= 1 && probe.frames < 10);
    assert.ok(probe.frameRate === null || Math.abs(probe.frameRate - 2) < 0.5);
  });

  test('a camera that sends damaged pictures, or breaks off, is unstable', async () => {
    const probe = await withServer(async (server) => {
      server.once('playing', () => setTimeout(() => server.cutOff(), 250));
      return probeCamera(look(server));
    });
    assert.equal(probe.stability, 'unstable');
    assert.ok(probe.frames < 10);
  });

  test('one frame is captured whole', async () => {
    const frame = await withServer((server) => captureFrame(look(server)));
    assert.equal(frame.bytes.length, (frame.width * frame.height * 3) / 2);
    assert.ok(new Set(frame.bytes.subarray(0, frame.width * frame.height)).size > 50);
  });

  test('says why there is no picture', async () => {
    const access = { scheme: 'Digest', user: 'admin', password: 'right' } as const;
    await withServer(
      (server) =>
        assert.rejects(captureFrame(look(server, 5000, 'admin:wrong')), failsWith('unauthorized', /401/)),
      { access },
    );
    await withServer((server) => {
      server.fail('silent');
      return assert.rejects(
        probeCamera(look(server, 400)),
        failsWith('timeout', /^Connection timeout after 0.4 seconds$/),
      );
    });
    await withServer((server) => {
      server.fail('frozen');
      return assert.rejects(captureFrame(look(server, 700)), failsWith('timeout', /^Connection timeout/));
    });
    const gone = await withServer(async (server) => look(server));
    await assert.rejects(probeCamera(gone), failsWith('unreachable', /^Connection refused$/));
  });

  test('a request that is cancelled ends ffmpeg', async () => {
    await withServer(async (server) => {
      server.fail('silent');
      const controller = new AbortController();
      const probe = probeCamera({ ...look(server), signal: controller.signal });
      await once(server, 'connected');
      controller.abort();
      await assert.rejects(probe, failsWith('cancelled', /cancelled/));
      await assert.rejects(
        probeCamera({ ...look(server), signal: controller.signal }),
        failsWith('cancelled', /cancelled/),
      );
    });
  });
});

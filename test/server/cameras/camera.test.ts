import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, test } from 'node:test';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import type { FfmpegProgram } from '../../../server/cameras/ffmpeg-program.ts';
import { ffmpegOrReason, playedClip, smallClip } from '../../support/ffmpeg.ts';
import { RtspServer } from '../../support/rtsp-server.ts';
import {
  type WatchedCameraBody,
  type WatchedCameraOptions,
  withWatchedCamera,
} from '../../support/watched-camera.ts';

const { program, reason } = await ffmpegOrReason();

describe('a camera', { skip: reason, timeout: 120_000 }, () => {
  const clip = playedClip(program, { keyFrameIntervalFrames: 10 });

  const withCamera = (body: WatchedCameraBody, options?: WatchedCameraOptions) =>
    withWatchedCamera({ program: program!, clip: clip() }, body, options);

  test('gives whole frames at the scan interval, from key frames alone where those are near enough', async () => {
    await withCamera(async (camera, _, seen) => {
      assert.equal(await camera.connected(), true);
      await seen.frames(6);
      const [first, ...others] = seen.all;
      assert.deepEqual([first!.width, first!.height, first!.bytes.length], [160, 120, 160 * 120 * 1.5]);
      const gapsMs = others.map(
        ({ capturedAt }, i) => capturedAt.getTime() - seen.all[i]!.capturedAt.getTime(),
      );
      assert.ok(
        gapsMs.every((gapMs) => gapMs < 1500),
        `gaps of ${gapsMs} ms`,
      );
      const { state, frames, decoding, keyFrameSpacingMs, lastFrameAgeMs, codec, failures } = camera.report;
      assert.deepEqual(
        { state, decoding, codec, failures },
        { state: 'live', decoding: 'key frames', codec: 'h264', failures: 0 },
      );
      assert.ok(frames >= 6 && lastFrameAgeMs! < 1500);
      assert.ok(Math.abs(keyFrameSpacingMs! - 400) < 200, `${keyFrameSpacingMs} ms between key frames`);
    });
  });

  test('keeps the scan interval by the clock, also where a camera sends fewer frames than it declares', async () => {
    const declared = await smallClip(program!, { framesPerSecond: 25, keyFrameIntervalFrames: 5 });
    await withCamera(
      async (_, __, seen) => {
        await seen.frames(8);
        const times = seen.all.slice(1).map(({ capturedAt }) => capturedAt.getTime());
        const meanGapMs = (times.at(-1)! - times[0]!) / (times.length - 1);
        // Counted in frames at the declared rate it would be 1250.
        assert.ok(meanGapMs > 300 && meanGapMs < 900, `${meanGapMs} ms`);
      },
      { server: { clip: { ...declared, framesPerSecond: 10 } } },
    );
  });

  test('decodes every frame where key frames are further apart than the scan interval', async () => {
    const sparse = await smallClip(program!, { keyFrameIntervalFrames: 75, durationS: 6 });
    await withCamera(
      async (camera, _, seen) => {
        await seen.until(() => camera.report.decoding === 'all frames');
        const before = seen.all.length;
        await seen.frames(before + 8);
        assert.equal(camera.report.failures, 0);
        assert.equal(camera.report.decoding, 'all frames');
      },
      { server: { clip: sparse } },
    );
  });

  test('a frozen camera is started again and comes back', async () => {
    await withCamera(
      async (camera, server, seen) => {
        await seen.frames(1);
        server.fail('frozen');
        await seen.entered('stalled');
        await seen.entered('waiting');
        assert.equal(camera.report.lastFailure?.fault, 'frozen');
        server.fail('none');
        await seen.entered('live');
        assert.ok(camera.report.failures >= 1);
      },
      { connectLimitMs: 2000 },
    );
  });

  test('a camera that is cut off comes back', async () => {
    await withCamera(async (camera, server, seen) => {
      await seen.frames(1);
      server.cutOff();
      await seen.entered('waiting');
      await seen.entered('live');
      assert.equal(camera.report.lastFailure?.fault, 'ended');
    });
  });

  test('an ffmpeg that is killed is started again', async () => {
    await withCamera(async (camera, _, seen) => {
      await seen.frames(1);
      process.kill(camera.pid!, 'SIGKILL');
      await seen.entered('waiting');
      assert.deepEqual(camera.report.lastFailure?.message, 'ffmpeg was ended by SIGKILL');
      await seen.entered('live');
    });
  });

  test('damaged pictures are withheld, and end the connection', async () => {
    await withCamera(async (camera, server, seen) => {
      await seen.frames(1);
      server.fail('damaged');
      await seen.entered('waiting');
      assert.ok(camera.report.garbledFrames >= 1);
      server.fail('none');
      await seen.entered('live');
    });
  });

  test('noise instead of RTSP ends the connection, and the camera comes back', async () => {
    await withCamera(
      async (_, server, seen) => {
        await seen.frames(1);
        server.fail('garbage');
        await seen.entered('waiting');
        server.fail('none');
        await seen.entered('live');
      },
      { connectLimitMs: 2000 },
    );
  });

  test('a camera that never answers fails after the limit, and is tried again', async () => {
    await withCamera(
      async (camera, server, seen) => {
        server.fail('silent');
        server.cutOff();
        while (camera.report.lastFailure?.fault !== 'timeout') await seen.entered('waiting');
        assert.equal(camera.report.lastFailure?.message, 'Connection timeout after 0.5 seconds');
        server.fail('none');
        await seen.entered('live');
      },
      { connectLimitMs: 500 },
    ).catch((error) => assert.fail(error));
  });

  test('a camera that answers late connects all the same', async () => {
    await withCamera(async (camera, server) => {
      server.answerLate(300);
      assert.equal(await camera.connected(), true);
    });
  });

  test('a camera that is not there is named as such', async () => {
    const server = await RtspServer.start({ clip: clip() });
    const address = parseCameraUrl(server.url());
    await server.close();
    await withCamera(
      async (camera, _, seen) => {
        await seen.entered('waiting');
        assert.equal(camera.report.lastFailure?.fault, 'unreachable');
        assert.equal(await camera.connected(10), false);
      },
      { address },
    );
  });

  test('an ffmpeg that cannot be started is a failure of the camera, not of the process', async () => {
    const missing: FfmpegProgram = { ...program!, path: '/nowhere/ffmpeg' };
    await withCamera(
      async (camera, _, seen) => {
        await seen.entered('waiting');
        assert.equal(camera.report.lastFailure?.fault, 'ffmpeg failed');
      },
      { program: missing },
    );
  });

  test('a slow handler gets the newest frame next, and the others count as superseded', async () => {
    const gate = new EventEmitter<{ open: [] }>();
    let handled = 0;
    await withCamera(
      async (camera, _, seen) => {
        await seen.until(() => camera.report.supersededFrames >= 2);
        assert.equal(handled, 1);
        gate.emit('open');
        await seen.until(() => handled >= 2);
      },
      {
        scanIntervalMs: 400,
        async onFrame() {
          if (handled++ === 0) await once(gate, 'open');
        },
      },
    );
  });

  test('a handler that throws does not stop the camera', async () => {
    let handled = 0;
    const seen = await withCamera(
      async (_, __, seen) => {
        await seen.until(() => handled >= 2);
      },
      {
        onFrame() {
          handled++;
          throw new Error('no room');
        },
      },
    );
    assert.match(seen.log, /no room/);
  });
});

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { Camera, type CameraOptions, type CameraState } from '../../../server/cameras/camera.ts';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import type { FfmpegProgram } from '../../../server/cameras/ffmpeg-program.ts';
import type { VideoFrame } from '../../../server/cameras/y4m.ts';
import { createLog } from '../../../server/log.ts';
import { childProcesses, ffmpegOrReason, smallClip } from '../../support/ffmpeg.ts';
import type { H264Clip } from '../../support/h264-clip.ts';
import { RtspServer, type RtspServerOptions } from '../../support/rtsp-server.ts';

const { program, reason } = await ffmpegOrReason();
const SOON = { firstMs: 50, maxMs: 200, forgivenAfterMs: 60_000 };

describe('a camera', { skip: reason, timeout: 120_000 }, () => {
  let clip: H264Clip;
  before(async () => {
    clip = await smallClip(program!, { keyFrameIntervalFrames: 10 });
  });
  after(() => assert.deepEqual(childProcesses() ?? [], []));

  async function withCamera(
    body: (camera: Camera, server: RtspServer, seen: Seen) => Promise<void>,
    options: Partial<CameraOptions> & { server?: Partial<RtspServerOptions>; credentials?: string } = {},
  ): Promise<Seen> {
    const server = await RtspServer.start({ clip, ...options.server });
    const seen = new Seen();
    const camera = new Camera({
      program: program!,
      address: parseCameraUrl(server.url(options.credentials)),
      scanIntervalMs: 500,
      onFrame: (frame) => seen.frame(frame),
      onState: (state) => seen.state(state),
      log: createLog({ level: 'debug', format: 'json', secrets: new Set(), output: seen.output }),
      backOff: SOON,
      ...options,
    });
    try {
      camera.start();
      await body(camera, server, seen);
    } finally {
      await camera.stop();
      await server.close();
    }
    return seen;
  }

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

  for (const scheme of ['Basic', 'Digest'] as const) {
    const access = { scheme, user: 'ad min', password: 'p@ss:w/o%rd#1?[+]' };

    test(`${scheme} access: the right password opens, raw or encoded`, async () => {
      const encoded = `${encodeURIComponent(access.user)}:${encodeURIComponent(access.password)}`;
      for (const credentials of [encoded, `${access.user}:${access.password}`])
        await withCamera(async (camera) => assert.equal(await camera.connected(), true), {
          server: { access },
          credentials,
        });
    });

    test(`${scheme} access: a wrong password is named, tried again, and in no log`, async () => {
      const seen = await withCamera(
        async (camera, server, seen) => {
          await seen.entered('waiting');
          assert.equal(camera.report.lastFailure?.fault, 'unauthorized');
          while (server.connections < 4) await once(server, 'connected');
        },
        { server: { access }, credentials: 'ad min:S3cret/w@rd' },
      );
      assert.ok(seen.log.includes('rtsp://***@127.0.0.1'));
      assert.doesNotMatch(seen.log, /S3cret|w%40rd|w@rd|ad%20min|ad min/);
    });
  }

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
    const server = await RtspServer.start({ clip });
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

  test('stopping while it connects ends at once and leaves nothing', async () => {
    const server = await RtspServer.start({ clip });
    server.fail('silent');
    const seen = new Seen();
    const camera = new Camera({
      program: program!,
      address: parseCameraUrl(server.url()),
      scanIntervalMs: 500,
      onFrame: (frame) => seen.frame(frame),
      log: createLog({ level: 'debug', format: 'json', secrets: new Set(), output: seen.output }),
    });
    camera.start();
    await once(server, 'connected');
    const connected = camera.connected();
    await camera.stop();
    assert.equal(await connected, false);
    assert.equal(camera.state, 'stopped');
    assert.deepEqual(childProcesses() ?? [], []);
    await server.close();
  });

  test('a camera that never answers leaves no process and no handle behind, however often it is tried', async () => {
    const server = await RtspServer.start({ clip });
    server.fail('silent');
    const before = heldHandles();
    const camera = new Camera({
      program: program!,
      address: parseCameraUrl(server.url()),
      scanIntervalMs: 500,
      onFrame: () => assert.fail('a frame came'),
      log: createLog({ level: 'silent' as 'error', format: 'json', secrets: new Set() }),
      connectLimitMs: 200,
      backOff: { firstMs: 10, maxMs: 20, forgivenAfterMs: 60_000 },
    });
    camera.start();
    while (server.connections < 12) {
      await once(server, 'connected');
      // One process at a time, the one that is trying.
      assert.ok((childProcesses() ?? []).length <= 1);
    }
    await camera.stop();
    assert.deepEqual(childProcesses() ?? [], []);
    const after = heldHandles();
    assert.ok(after <= before, `${after} handles, ${before} before`);
    await server.close();
  });

  test('20 cameras opened and closed leave no process and no handle behind', async () => {
    const server = await RtspServer.start({ clip });
    const before = heldHandles();
    for (let cycle = 0; cycle < 20; cycle++) {
      const camera = new Camera({
        program: program!,
        address: parseCameraUrl(server.url()),
        scanIntervalMs: 500,
        onFrame: () => {},
        log: createLog({ level: 'silent' as 'error', format: 'json', secrets: new Set() }),
      });
      camera.start();
      // Every other one is stopped in the middle of its connecting.
      if (cycle % 2 === 0) assert.equal(await camera.connected(), true);
      else await once(server, 'connected');
      await camera.stop();
    }
    assert.deepEqual(childProcesses() ?? [], []);
    const after = heldHandles();
    assert.ok(after <= before, `${after} handles, ${before} before`);
    await server.close();
  });
});

const heldHandles = () =>
  process.getActiveResourcesInfo().filter((name) => /Process|Pipe|Timeout/.test(name)).length;

/** What came of a camera, and promises of what is to come. */
class Seen {
  readonly all: VideoFrame[] = [];
  log = '';
  readonly output = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      this.log += chunk;
      done();
    },
  });
  readonly #news = new EventEmitter<{ frame: []; state: [CameraState] }>();

  frame(frame: VideoFrame): void {
    this.all.push(frame);
    this.#news.emit('frame');
  }

  state(state: CameraState): void {
    this.#news.emit('state', state);
  }

  async frames(count: number): Promise<void> {
    while (this.all.length < count) await once(this.#news, 'frame');
  }

  /** The next time that it enters this state. */
  async entered(wanted: CameraState): Promise<void> {
    for (;;) {
      const [state] = await once(this.#news, 'state');
      if (state === wanted) return;
    }
  }

  /** Looked at after each frame, each change of state, and ten times a second. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const limit = AbortSignal.timeout(100);
      await Promise.race([
        once(this.#news, 'frame', { signal: limit }),
        once(this.#news, 'state', { signal: limit }),
      ]).catch(() => {});
    }
  }
}

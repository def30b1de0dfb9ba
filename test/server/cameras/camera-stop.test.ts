import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Camera } from '../../../server/cameras/camera.ts';
import { parseCameraUrl } from '../../../server/cameras/camera-address.ts';
import { createLog } from '../../../server/log.ts';
import { childProcesses, ffmpegOrReason, playedClip } from '../../support/ffmpeg.ts';
import { RtspServer } from '../../support/rtsp-server.ts';
import { Seen } from '../../support/watched-camera.ts';

const { program, reason } = await ffmpegOrReason();

describe('a camera that is stopped', { skip: reason, timeout: 120_000 }, () => {
  const clip = playedClip(program, { keyFrameIntervalFrames: 10 });

  test('stopping while it connects ends at once and leaves nothing', async (t) => {
    const server = await RtspServer.start({ clip: clip() });
    t.after(() => server.close());
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
  });

  test('a camera that never answers leaves no process and no handle behind, however often it is tried', async (t) => {
    const server = await RtspServer.start({ clip: clip() });
    t.after(() => server.close());
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
  });

  test('20 cameras opened and closed leave no process and no handle behind', async (t) => {
    const server = await RtspServer.start({ clip: clip() });
    t.after(() => server.close());
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
  });
});

const heldHandles = () =>
  process.getActiveResourcesInfo().filter((name) => /Process|Pipe|Timeout/.test(name)).length;

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { ffmpegOrReason, playedClip } from '../../support/ffmpeg.ts';
import {
  type WatchedCameraBody,
  type WatchedCameraOptions,
  withWatchedCamera,
} from '../../support/watched-camera.ts';

const { program, reason } = await ffmpegOrReason();

describe('a camera that asks for a password', { skip: reason, timeout: 120_000 }, () => {
  const clip = playedClip(program, { keyFrameIntervalFrames: 10 });

  const withCamera = (body: WatchedCameraBody, options?: WatchedCameraOptions) =>
    withWatchedCamera({ program: program!, clip: clip() }, body, options);

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
});

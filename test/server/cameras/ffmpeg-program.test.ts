import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FfmpegMissingError, findFfmpeg } from '../../../server/cameras/ffmpeg-program.ts';
import { ffmpegOrReason } from '../../support/ffmpeg.ts';

const { program, reason } = await ffmpegOrReason();

describe('the search for ffmpeg', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-ffmpeg-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function script(name: string, body: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  }

  test('finds it in the PATH, says what it can do, and takes no relative folder', {
    skip: reason,
  }, async () => {
    await symlink(program!.path, join(folder, 'ffmpeg'));
    const found = await findFfmpeg({
      searchPath: ['', '.', 'bin', folder].join(delimiter),
      usePackage: false,
    });
    assert.equal(found.path, join(folder, 'ffmpeg'));
    assert.equal(found.source, 'PATH');
    assert.match(found.version, /\d/);
    assert.ok(found.decoders.includes('h264'));
    assert.ok(['-timeout', '-stimeout'].includes(found.socketTimeoutOption));
    await rm(join(folder, 'ffmpeg'));
  });

  test('the setting comes first, and is never replaced by another', async () => {
    await assert.rejects(
      findFfmpeg({ path: join(folder, 'none'), searchPath: process.env.PATH }),
      (error) => error instanceof FfmpegMissingError && /cannot be run as ffmpeg: ENOENT/.test(error.message),
    );
    await assert.rejects(findFfmpeg({ path: 'ffmpeg' }), /expected an absolute path/);
  });

  test('a program that is none, or has no RTSP, is refused', async () => {
    const other = await script('other', 'echo hello');
    await assert.rejects(findFfmpeg({ path: other }), /does not answer as ffmpeg does/);
    const without = await script(
      'without',
      'echo "ffmpeg version 6.0 Copyright (c) 2000-2023 the FFmpeg developers"',
    );
    await assert.rejects(findFfmpeg({ path: without }), /built without RTSP/);
  });

  test('an old one is used with a warning, and spoken to as it understands', async () => {
    const old = await script(
      'old',
      'echo "ffmpeg version N-47683-g0e8eb07980-static Copyright (c) 2000-2018 the FFmpeg developers"\n' +
        'echo " VFS..D h264                 H.264"\necho "  -rtsp_transport <flags>"\necho "  -stimeout <int>"',
    );
    const found = await findFfmpeg({ path: old });
    assert.equal(found.socketTimeoutOption, '-stimeout');
    assert.deepEqual(found.passthrough, ['-vsync', '0']);
    assert.deepEqual(found.decoders, ['h264']);
    assert.match(
      found.warnings[0]!,
      /is of 2018 and has known security holes: DO NOT let it see video from untrusted/,
    );
    assert.match(found.warnings[1]!, /does not decode hevc/);
  });

  test('where there is none, the error says what helps', async () => {
    await assert.rejects(
      findFfmpeg({ searchPath: folder, usePackage: false }),
      /install the ffmpeg of the operating system/,
    );
  });
});

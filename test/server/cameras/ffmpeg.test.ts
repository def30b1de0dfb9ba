import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startFfmpeg } from '../../../server/cameras/ffmpeg.ts';
import type { VideoFrame } from '../../../server/cameras/y4m.ts';
import { childProcesses } from '../../support/ffmpeg.ts';

/** Programs of a few lines that behave as ffmpeg does at its worst. */
describe('one process', { skip: process.platform === 'win32' && 'the programs are shell scripts' }, () => {
  const FRAME = "printf 'FRAME\\n123456789012'";
  const HEADER = "printf 'YUV4MPEG2 W4 H2 F25:1 Ip A1:1 C420mpeg2\\n'";
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-process-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
    assert.deepEqual(childProcesses() ?? [], []);
  });

  async function start(body: string, onFrame: (frame: VideoFrame) => void = () => {}) {
    const path = join(folder, `program-${body.length}`);
    await writeFile(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${body}\n`);
    await chmod(path, 0o755);
    return startFfmpeg({ path, args: [], onFrame });
  }

  test('gives its frames, its exit code and its complaints', async () => {
    const frames: string[] = [];
    const script = `${HEADER}; ${FRAME}; ${FRAME}; echo '[x @ 0x1] [error] no more' >&2; exit 3`;
    const process = await start(script, ({ bytes }) => frames.push(Buffer.from(bytes).toString()));
    const { stopped, code, complaints, fault } = await process.exit;
    assert.deepEqual({ stopped, code, fault }, { stopped: false, code: 3, fault: null });
    assert.deepEqual(complaints, ['[x] [error] no more']);
    assert.deepEqual(frames, ['123456789012', '123456789012']);
  });

  test('one that ignores SIGTERM is killed', async () => {
    const seen = Promise.withResolvers<void>();
    const process = await start(`trap '' TERM; ${HEADER}; ${FRAME}; while :; do sleep 0.05; done`, () =>
      seen.resolve(),
    );
    await seen.promise;
    const { signal, stopped } = await process.stop();
    assert.deepEqual({ signal, stopped }, { signal: 'SIGKILL', stopped: true });
    assert.equal(await process.stop(), await process.exit);
  });

  test('noise on its output is a fault, and ends it', async () => {
    const process = await start('echo noise; exec sleep 60');
    const { fault, stopped } = await process.exit;
    assert.match(fault!.message, /no YUV4MPEG2 stream/);
    assert.equal(stopped, false);
  });

  test('none of our environment reaches it', async () => {
    const process = await start("env | sed 's/^/[error] /' >&2");
    const names = (await process.exit).complaints.map((line) => /\] (\w+)=/.exec(line)?.[1]);
    assert.deepEqual(
      names.filter((name) => !['PWD', 'PATH', 'SHLVL', '_', 'OLDPWD'].includes(name!)),
      [],
    );
  });

  test('no frame comes after it was stopped, and stopping what is gone does nothing', async () => {
    let frames = 0;
    const first = Promise.withResolvers<void>();
    const process = await start(`${HEADER}; while :; do ${FRAME}; done`, () => {
      frames++;
      first.resolve();
    });
    await first.promise;
    const stopping = process.stop();
    const before = frames;
    await stopping;
    assert.equal(frames, before);
    await process.stop();
  });

  test('a program that is not there is a fault of its exit', async () => {
    const { fault, code } = await startFfmpeg({ path: join(folder, 'none'), args: [], onFrame: () => {} })
      .exit;
    assert.match(fault!.message, /ENOENT/);
    assert.equal(code, null);
  });
});

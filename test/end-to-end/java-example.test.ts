import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TEST_KEY } from '../support/attendance.ts';
import { makeRoomClip, openAttendanceBed } from '../support/attendance-bed.ts';
import { ffmpegOrReason } from '../support/ffmpeg.ts';
import { RtspServer } from '../support/rtsp-server.ts';

const SOURCE = fileURLToPath(new URL('../fixtures/java/AttendanceExample.java', import.meta.url));
const run = promisify(execFile);
const { program, reason } = await ffmpegOrReason();
const skip = spawnSync('javac', ['-version']).status === 0 ? reason : 'no JDK (javac) is here';

test("the README's Java is the example's", async () => {
  const plain = (text: string) => text.replace(/\s+/g, ' ').trim();
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const source = plain(await readFile(SOURCE, 'utf8'));
  const blocks = [...readme.matchAll(/```java\n(.*?)```/gs)];
  assert.equal(blocks.length, 2);
  for (const [, block] of blocks) assert.ok(source.includes(plain(block!)), block);
});

describe('the Java example', { skip, timeout: 180_000 }, () => {
  test('compiles without a warning, starts a session, takes in a result, and stops it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facepool-test-java-'));
    const bed = await openAttendanceBed(program!);
    const camera = await RtspServer.start({ clip: await makeRoomClip(program!) });
    try {
      const compiled = await run('javac', ['--release', '17', '-Xlint:all', '-Werror', '-d', folder, SOURCE]);
      assert.equal(compiled.stdout + compiled.stderr, '');
      const vector = join(folder, 'vector.json');
      await writeFile(vector, JSON.stringify(await bed.vectorOf()));
      const args = ['-cp', folder, 'AttendanceExample', bed.server.url, camera.url(), vector];
      const { stdout } = await run('java', args, {
        env: { ...process.env, API_KEY: TEST_KEY },
        timeout: 120_000,
      });
      const [started, recognised, stopped] = ['started', 'recognised', 'stopped'].map((word) =>
        JSON.parse(new RegExp(`^${word}: (.*)$`, 'm').exec(stdout)![1]!),
      );
      assert.equal(started.data.activeCameras, 1);
      assert.equal(recognised.recognitions[0].userId, 201);
      assert.ok(stopped.data.totalRecognitions >= 1);
    } finally {
      await camera.close();
      await bed.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { placeFreshCluster } from '../../support/database.ts';
import { openDeviceFolder } from '../../support/open-device-folder.ts';
import { until } from '../../support/until.ts';

const folder = await mkdtemp(join(tmpdir(), 'facepool-test-device-crash-'));
after(() => rm(folder, { recursive: true, force: true }));

const program = fileURLToPath(new URL('../../support/device-process.ts', import.meta.url));
const recordingFolder = join(folder, 'recordings');
const halfWritten = async () =>
  (await readdir(recordingFolder).catch(() => [])).filter((name) => name.endsWith('.part'));
/** Lines after which each process is killed, wherever it is by then. */
const KILL_AFTER_LINES = [9, 22, 35];

/** What a process said before it was killed; by then a recording is half written. */
async function runUntilKilled(first: number, lines: number, ffmpegPath: string): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder, String(first), ffmpegPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const exit = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (said.length !== lines) continue;
    await until(async () => (await halfWritten()).length > 0);
    child.kill('SIGKILL');
  }
  const [, signal] = await exit;
  assert.equal(signal, 'SIGKILL');
  return said;
}

test('kill -9 in the middle of a recording loses nothing that was acknowledged, and shows no half of a video', {
  timeout: 60_000,
}, async () => {
  await placeFreshCluster(join(folder, 'database'));
  // Writes half of its file, and stays until its input ends, as ffmpeg does when its server is gone.
  const ffmpegPath = join(folder, 'ffmpeg');
  await writeFile(
    ffmpegPath,
    '#!/bin/sh\ncase "$*" in *long*) exit 0;; esac\nfor last; do :; done\necho half > "$(echo "$last" | cut -c6-)"\nexec sleep 5\n',
    { mode: 0o755 },
  );
  const said: string[] = [];
  for (const [round, lines] of KILL_AFTER_LINES.entries())
    said.push(...(await runUntilKilled(1000 * round, lines, ffmpegPath)));
  assert.equal((await halfWritten()).length, 1);

  const { registry, sensorData, frames, recordings, close } = await openDeviceFolder(folder, ffmpegPath);
  try {
    const measured = new Set((await sensorData.list({ limit: 1000 })).map(({ deviceId }) => deviceId));
    const stored = new Set(frames.list(1000).map(({ name }) => name));
    for (const line of said) {
      const [what, which] = line.split(' ') as [string, string];
      if (what === 'registered') assert.equal(registry.get(`board ${which}`)?.registered, true);
      if (what === 'measured') assert.ok(measured.has(`board ${which}`));
      if (what === 'frame') assert.ok(stored.has(which));
      if (what === 'commanded') {
        const { commands } = await registry.heartbeat(`board ${which}`, {}, '::1');
        assert.deepEqual(
          commands.map(({ params }) => params),
          [{ i: Number(which) }],
        );
      }
    }
    assert.ok(said.filter((line) => line.startsWith('commanded')).length > 10);
    assert.deepEqual(recordings.list(), []);
    assert.deepEqual(await readdir(recordingFolder), []);
  } finally {
    await close();
  }
});

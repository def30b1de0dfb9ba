import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  FRAMES_AT_ONCE,
  MAX_FRAME_BYTES,
  numberOf,
  openFewFrames,
  STORAGE_BYTES,
} from '../../support/frames-process.ts';

const folder = await mkdtemp(join(tmpdir(), 'facepool-test-frames-crash-'));
after(() => rm(folder, { recursive: true, force: true }));

const program = fileURLToPath(new URL('../../support/frames-process.ts', import.meta.url));
/** Lines after which each process is killed, wherever it is by then. */
const KILL_AFTER_LINES = [3, 60, 200, 333, 500];

/** What a process acknowledged before it was killed. */
async function runUntilKilled(first: number, lines: number): Promise<{ name: string; bytes: number }[]> {
  const child = spawn(process.execPath, [program, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const said: { name: string; bytes: number }[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [name, bytes] = line.split(' ');
    said.push({ name: name!, bytes: Number(bytes) });
    if (said.length === lines) child.kill('SIGKILL');
  }
  const [, signal] = await exit;
  assert.equal(signal, 'SIGKILL');
  return said;
}

test('kill -9 while frames are written over older ones leaves each frame whole or not at all, and what was acknowledged there', {
  timeout: 60_000,
}, async () => {
  let unfinished = 0;
  for (let round = 0; round < KILL_AFTER_LINES.length || unfinished === 0; round++) {
    const said = await runUntilKilled(100_000 * round, KILL_AFTER_LINES[round] ?? 100);
    const left = await readdir(folder);
    unfinished += left.filter((file) => file.endsWith('.part')).length;
    for (const file of left.filter((file) => /\.(jpg|raw)$/.test(file)))
      assert.notEqual(numberOf(await readFile(join(folder, file))), null, file);

    const frames = await openFewFrames(folder);
    try {
      const kept = new Set(frames.list(1000).map(({ name }) => name));
      // The newest have room beside those that were being written.
      let bytes = FRAMES_AT_ONCE * MAX_FRAME_BYTES;
      for (const frame of said.toReversed()) {
        bytes += frame.bytes;
        if (bytes > STORAGE_BYTES) break;
        assert.ok(kept.has(frame.name), `${frame.name} was acknowledged`);
      }
      for (const name of kept) {
        const number = numberOf(Buffer.from((await frames.read(name))!));
        const raw = await frames.openRaw(name);
        assert.equal(raw !== null, number! % 3 === 0);
        if (raw === null) continue;
        assert.equal(numberOf(await raw.handle.readFile()), number);
        await raw.handle.close();
      }
      for (const file of await readdir(folder))
        assert.ok(kept.has(file.replace(/\.raw(\.json)?$/, '')), file);
    } finally {
      await frames.close();
    }
  }
});

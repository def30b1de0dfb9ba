import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { rgb565Frame } from '../support/pictures.ts';
import { ServerProgram } from '../support/server-program.ts';
import { until } from '../support/until.ts';

const folder = await mkdtemp(join(tmpdir(), 'facepool-test-board-crash-'));
const programs: ServerProgram[] = [];
after(async () => {
  for (const program of programs) program.kill();
  await rm(folder, { recursive: true, force: true });
});

const start = (settings: Record<string, string> = {}) => {
  const program = new ServerProgram(folder, { ACCESS: 'open', ENHANCE: 'off', ...settings });
  programs.push(program);
  return program;
};
const postJson = async (url: string, body: unknown) => {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown>;
};
const getJson = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>;
const recordingFolder = join(folder, 'data', 'recordings');
const halfWritten = async () =>
  (await readdir(recordingFolder).catch(() => [])).filter((name) => name.endsWith('.part'));

/** Writes a little of its file, and never comes to an end. */
async function ffmpegThatHangs(): Promise<string> {
  const path = join(folder, 'ffmpeg');
  const script = [
    '#!/bin/sh',
    'case "$*" in *file:*.part) ;; *) exec ffmpeg "$@";; esac',
    'for last; do :; done',
    'echo half > "$(echo "$last" | cut -c6-)"',
    'exec sleep 30',
    '',
  ];
  await writeFile(path, script.join('\n'), { mode: 0o755 });
  return path;
}

test('after kill -9 in the middle of a recording everything that was answered is there, and nothing half made', {
  timeout: 120_000,
}, async () => {
  const frame = new Uint8Array(await rgb565Frame(0));
  const first = start({ FFMPEG_PATH: await ffmpegThatHangs() });
  const url = await first.ready();
  const answered = { registered: [] as string[], measured: [] as string[], frames: [] as string[] };
  const commanded: string[] = [];
  const sendFrame = async () => {
    const response = await fetch(`${url}/api/v1/stream/stream`, {
      method: 'POST',
      body: frame,
      headers: {
        'Content-Type': 'application/octet-stream',
        'X-Frame-Width': '320',
        'X-Frame-Height': '240',
        'X-Frame-Format': 'RGB565',
      },
    });
    assert.equal(response.status, 200);
    answered.frames.push(((await response.json()) as { filename: string }).filename);
  };
  await sendFrame();
  const recording = fetch(`${url}/api/v1/stream/record`, { method: 'POST' }).catch(() => null);
  /** Until the server is gone: what it did not answer does not count. */
  const board = async (number: number) => {
    for (let i = 0; ; i++) {
      const deviceId = `board-${number}-${i}`;
      await postJson(`${url}/api/v1/devices/register`, { deviceId, deviceName: 'x' });
      answered.registered.push(deviceId);
      await postJson(`${url}/api/v1/ingest/sensor-data`, { deviceId, timestamp: i, value: number });
      answered.measured.push(deviceId);
      await postJson(`${url}/api/v1/devices/${deviceId}/command`, { command: 'snapshot', params: { i } });
      commanded.push(deviceId);
      await sendFrame();
    }
  };
  const boards = Array.from({ length: 4 }, (_, number) => board(number).catch((error: unknown) => error));
  await until(async () => commanded.length >= 40 && (await halfWritten()).length === 1);
  first.kill();
  await Promise.all([recording, ...boards]);
  assert.equal(await first.exit(), null);
  assert.equal(first.child.signalCode, 'SIGKILL');

  const second = start();
  const again = await second.ready();
  const { devices } = (await getJson(`${again}/api/v1/devices`)) as {
    devices: { id: string; registered: boolean }[];
  };
  const known = new Set(devices.filter(({ registered }) => registered).map(({ id }) => id));
  assert.deepEqual(
    answered.registered.filter((id) => !known.has(id)),
    [],
  );
  const readings = (await getJson(`${again}/api/v1/ingest/sensor-data?limit=1000`)) as {
    data: { deviceId: string }[];
  };
  const measured = new Set(readings.data.map(({ deviceId }) => deviceId));
  assert.deepEqual(
    answered.measured.filter((id) => !measured.has(id)),
    [],
  );
  for (const name of answered.frames) {
    const picture = await fetch(`${again}/data/${name}`);
    assert.equal(picture.status, 200);
    assert.ok(
      Buffer.from(await picture.arrayBuffer())
        .subarray(0, 3)
        .equals(Buffer.from('ffd8ff', 'hex')),
    );
  }
  for (const deviceId of commanded) {
    const { commands } = await postJson(`${again}/api/v1/devices/heartbeat`, { deviceId });
    assert.equal((commands as { command: string }[])[0]?.command, 'snapshot');
  }
  assert.deepEqual(await getJson(`${again}/api/v1/stream/recordings`), { success: true, data: [] });
  assert.deepEqual(await readdir(recordingFolder), []);
  const { data } = await postJson(`${again}/api/v1/stream/record`, {});
  assert.ok((data as { frameCount: number }).frameCount > 0);
});

/** From `npm start` to the first answer that says ready, as somebody outside sees it: in a new folder, and in the same one again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { wholeNumber } from './command-line.ts';
import { type Reporter, spreadFigure, verify } from './harness.ts';
import { PROJECT_FOLDER } from './selections.ts';

export const title = 'npm start until /health says ready';

const FIRST_TARGET_MS = 8000;
const LATER_TARGET_MS = 5000;
const POLL_MS = 20;
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const repeats = wholeNumber(options, 'repeats', 3, 1, 100);
  if (existsSync(join(PROJECT_FOLDER, '.env'))) reporter.note('the settings of .env are in force');
  reporter.note('no model is fetched meanwhile (MODEL_DOWNLOAD=never); files are in the cache of the disk');
  const firstMs: number[] = [];
  const laterMs: number[] = [];
  const stopMs: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const folder = await mkdtemp(join(tmpdir(), 'facepool-startup-'));
    try {
      for (const times of [firstMs, laterMs, laterMs]) {
        const { readyMs, endMs } = await startOnce(folder);
        times.push(readyMs);
        stopMs.push(endMs);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  reporter.add(spreadFigure('first start, empty DATA_DIR', 'ms', firstMs, { atMost: FIRST_TARGET_MS }));
  reporter.add(spreadFigure('later start', 'ms', laterMs, { atMost: LATER_TARGET_MS }));
  reporter.add(spreadFigure('SIGTERM until it has ended', 'ms', stopMs));
}

async function startOnce(folder: string): Promise<{ readyMs: number; endMs: number }> {
  const port = await freePort();
  const start = performance.now();
  // A group of its own: npm, its shell and the server are ended together whatever happens.
  const npm = spawn('npm', ['start', '--silent'], {
    cwd: PROJECT_FOLDER,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: folder,
      DATABASE_URL: '',
      MODEL_DOWNLOAD: 'never',
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
    },
  });
  const endWithUs = () => signalGroup(npm, 'SIGKILL');
  process.on('exit', endWithUs);
  let said = '';
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
  }
  try {
    await becomesReady(npm, `http://127.0.0.1:${port}/health`, () => said);
    const readyMs = performance.now() - start;
    const stopStart = performance.now();
    // npm ends at once; its output is closed when the server, which writes to it too, has ended.
    const closed = once(npm, 'close');
    signalGroup(npm, 'SIGTERM');
    const outcome = await Promise.race([closed.then(() => 'closed' as const), limit(STOP_LIMIT_MS)]);
    verify(outcome === 'closed', `the server did not end within ${STOP_LIMIT_MS} ms of SIGTERM: ${said}`);
    verify(said.includes('"stopped"'), `the server did not stop in order: ${said}`);
    return { readyMs, endMs: performance.now() - stopStart };
  } finally {
    endWithUs();
    process.off('exit', endWithUs);
  }
}

async function becomesReady(npm: ChildProcess, url: string, said: () => string): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    verify(npm.exitCode === null, `npm start ended with ${npm.exitCode}: ${said()}`);
    verify(performance.now() < deadline, `not ready within ${START_LIMIT_MS} ms: ${said()}`);
    if (await isReady(url)) return;
    await pause(POLL_MS);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    const health = (await response.json()) as { face_recognition_ready?: boolean };
    return response.ok && health.face_recognition_ready === true;
  } catch {
    return false;
  }
}

function signalGroup(leader: ChildProcess, signal: NodeJS.Signals): void {
  if (leader.pid === undefined) return;
  try {
    process.kill(-leader.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

const limit = (ms: number) => pause(ms, 'late' as const, { ref: false });

/** Free at this moment; whoever takes it in between makes the start fail, which says so. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

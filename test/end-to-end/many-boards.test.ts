import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { YUNET_PATH } from '../support/samples.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const BOARDS = 1000;
const LINE = 256;
const FRAME_EVERY_MS = 1000;

let server: TestServer;
before(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'facepool-test-many-boards-'));
  // The faster detector where its file is: the embedded one takes a minute for as many frames.
  if (YUNET_PATH !== null) {
    await mkdir(join(dataDir, 'models'));
    await copyFile(YUNET_PATH, join(dataDir, 'models', basename(YUNET_PATH)));
  }
  const settings = { WORKER_THREADS: '2', QUEUE_LIMIT: String(LINE), ENHANCE: 'off' };
  server = await startTestServer(settings, dataDir);
});
after(() => server?.dispose());

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly error: string;
}

/** A small grey frame of a board that keeps its connection. */
function sendFrame(agent: Agent, deviceId: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': 32 * 24,
      'X-Device-Id': deviceId,
      'X-Frame-Width': 32,
      'X-Frame-Height': 24,
      'X-Frame-Format': 'GRAYSCALE',
    };
    const sent = request(
      `${server.url}/api/v1/stream/stream`,
      { method: 'POST', agent, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const { error = '' } = JSON.parse(text) as { error?: string };
          resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], error });
        });
      },
    );
    sent.on('error', reject);
    sent.end(Buffer.alloc(32 * 24, 128));
  });
}

const drops = async (reason: string) => {
  const { values } = await server.metrics.queueDrops.get();
  return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
};

test('of a thousand boards that send more than can be served each gets its turn, and each refusal is said and counted', {
  timeout: 240_000,
}, async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: BOARDS });
  const turns = new Map<string, number>();
  const answered = new Set<string>();
  let stored = 0;
  const refusals = { superseded: 0, overloaded: 0 };
  let deepest = 0;
  const send = async (board: string) => {
    // Turns count from when the server knows all of them: some connections are made later than others.
    const counts = answered.size === BOARDS;
    const { status, retryAfter, error } = await sendFrame(agent, board);
    answered.add(board);
    deepest = Math.max(deepest, server.recognizer.status.queueDepth);
    if (status === 200) {
      stored++;
      if (counts) turns.set(board, (turns.get(board) ?? 0) + 1);
      return;
    }
    assert.equal(status, 429);
    assert.equal(retryAfter, '1');
    if (error === 'superseded by a newer frame') refusals.superseded++;
    else refusals.overloaded++;
  };
  // Each always at the same moment of its second: first come first served alone would serve the same ones again and again.
  const boards = Array.from({ length: BOARDS }, (_, i) => `board ${i}`);
  const live = async (board: string, number: number) => {
    await setTimeout((number * FRAME_EVERY_MS) / BOARDS);
    while (turns.size < BOARDS) await Promise.all([send(board), setTimeout(FRAME_EVERY_MS)]);
  };
  await Promise.all(boards.map(live));
  agent.destroy();
  const counts = boards.map((board) => turns.get(board)!);
  assert.ok(Math.max(...counts) <= 5, `one board had ${Math.max(...counts)} turns before the last had one`);
  assert.ok(deepest <= LINE);
  assert.ok(refusals.overloaded > 0);
  assert.deepEqual(
    [await drops('superseded'), await drops('overloaded')],
    [refusals.superseded, refusals.overloaded],
  );
  const { values } = await server.metrics.frames.get();
  assert.equal(values.find(({ labels }) => labels.outcome === 'stored')!.value, stored);
});

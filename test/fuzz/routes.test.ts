/**
 * Every route is sent requests that fast-check makes. FUZZ_INPUTS says how many in all; a failure prints the smallest request that still
 * fails, and the seed to run it again with (FUZZ_SEED).
 */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { Route } from '../../server/http/route.ts';
import { type ArbitraryRequest, requestsFor } from '../support/arbitrary-requests.ts';
import { DEVICE_KEY, startTestServer, type TestServer } from '../support/server.ts';

const INPUTS = Number(process.env.FUZZ_INPUTS ?? 3000);
const SEED = process.env.FUZZ_SEED === undefined ? undefined : Number(process.env.FUZZ_SEED);
const ANSWER_LIMIT_MS = 30_000;
const OPEN_STREAM_MS = 300;

let server: TestServer;
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
before(async () => {
  server = await startTestServer({ LOG_LEVEL: 'error', RATE_LIMIT_MAX: '100000000' });
});
after(async () => {
  agent.destroy();
  await server?.dispose();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function send({ method, target, headers, body }: ArbitraryRequest): Promise<Answer> {
  // Live pictures never end: a stream that opened, or waits for its first picture, is an answer.
  const isEndless = /\/mjpeg(\?|$)/.test(target);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: server.port,
        method,
        path: target,
        headers: { ...headers, 'Content-Length': body.length },
        agent,
        timeout: isEndless ? OPEN_STREAM_MS : ANSWER_LIMIT_MS,
      },
      (incoming) => {
        if (isEndless) {
          incoming.destroy();
          resolve({ status: incoming.statusCode!, type: incoming.headers['content-type'] ?? '', text: '' });
          return;
        }
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode!,
            type: incoming.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on('timeout', () => {
      if (!isEndless) return;
      outgoing.destroy();
      resolve({ status: 200, type: '', text: '' });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The server may close a kept connection in the very moment that it is used again: that is HTTP, and is tried again. */
const sendOnce = async (input: ArbitraryRequest): Promise<Answer> =>
  send(input).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return send(input);
    throw error;
  });

const statuses = new Map<number, number>();

function checkAnswer({ status, type, text }: Answer): void {
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  assert.ok(status >= 200 && status < 500, `status ${status}: ${text.slice(0, 300)}`);
  if (status < 400 || text === '') return;
  assert.match(type, /^application\/json/);
  const body = JSON.parse(text) as { error?: unknown; message?: unknown; code?: unknown };
  assert.equal(typeof (body.error ?? body.message), 'string');
  assert.equal(typeof body.code, 'string');
  assert.doesNotMatch(text, /node_modules|\/server\/|at \w+ \(|SELECT |INSERT /);
}

/** Sorted out of a run: what these do with a valid body takes long or goes elsewhere, and has its own tests. */
const isFuzzed = ({ path }: Route): boolean => !path.includes('(.*)');

test(`${INPUTS} arbitrary requests over every route meet no crash, no 5xx and no growth`, {
  timeout: 1_500_000,
}, async (context) => {
  const routes = server.routes.filter(isFuzzed);
  const runs = Math.ceil(INPUTS / routes.length / 2);
  const keys = [server.apiKey, server.apiKey, DEVICE_KEY];
  const heaps: number[] = [];
  // Two halves: what the first one leaves behind is caches, what the second one adds would be a leak.
  for (let half = 0; half < 2; half++) {
    await Promise.all(
      routes.map((route) =>
        fc.assert(
          fc.asyncProperty(requestsFor(route, keys), async (input) => checkAnswer(await sendOnce(input))),
          { numRuns: runs, ...(SEED === undefined ? {} : { seed: SEED }), endOnFailure: false },
        ),
      ),
    );
    heaps.push(await settledHeap());
  }
  assert.equal((await server.call('/health')).status, 200);
  const errors = server.lines.filter((line) => /"level":"(ERROR|FATAL)"/.test(line));
  assert.deepEqual(errors, []);
  const grownMiB = (heaps[1]! - heaps[0]!) / 2 ** 20;
  context.diagnostic(
    `${2 * runs * routes.length} requests, ${routes.length} routes, heap of the second half ${grownMiB.toFixed(1)} MiB`,
  );
  context.diagnostic(
    [...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  );
  assert.ok(grownMiB < 32, `the heap grew by ${grownMiB.toFixed(1)} MiB`);
});

/** After garbage has been collected; what finalisers hold goes with a second round. */
async function settledHeap(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage().heapUsed;
}

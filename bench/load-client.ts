/** A process of its own that posts one picture again and again over several connections: forked by bench/http.bench.ts. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';

export interface LoadOrder {
  readonly url: string;
  readonly picturePath: string;
  readonly connections: number;
  readonly requests: number;
  /** The name that each answer has to give. */
  readonly expectedName: string;
}

export interface LoadResult {
  readonly elapsedMs: number;
  readonly latenciesMs: readonly number[];
  readonly cpuMs: number;
  /** The first answer that was not what was expected; null where all were. */
  readonly wrong: string | null;
}

const BOUNDARY = 'facepool-bench-boundary';

process.on('message', (order: LoadOrder) => {
  void carryOut(order).then((result) => process.send!(result));
});

async function carryOut(order: LoadOrder): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.connections });
  const body = await formBody(order.picturePath);
  const latenciesMs: number[] = [];
  let wrong: string | null = null;
  let left = order.requests;
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const client = async () => {
    while (left-- > 0) {
      const sent = performance.now();
      const answer = await post(order.url, body, agent).catch(String);
      latenciesMs.push(performance.now() - sent);
      if (!isRight(answer, order.expectedName)) wrong ??= answer.slice(0, 500);
    }
  };
  await Promise.all(Array.from({ length: order.connections }, client));
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  agent.destroy();
  return { elapsedMs, latenciesMs, cpuMs: (user + system) / 1000, wrong };
}

async function formBody(path: string): Promise<Buffer> {
  return Buffer.concat([
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`,
    ),
    await readFile(path),
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
}

function post(url: string, body: Buffer, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`,
      'Content-Length': body.length,
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(`${response.statusCode} ${Buffer.concat(chunks).toString('utf8')}`));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function isRight(answer: string, expectedName: string): boolean {
  if (!answer.startsWith('200 ')) return false;
  const { recognizedAs, faces_detected: faces } = JSON.parse(answer.slice(4)) as Record<string, unknown>;
  return recognizedAs === expectedName && faces === 1;
}

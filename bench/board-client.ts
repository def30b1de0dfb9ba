/** A process of its own that is many boards: each with a connection, sending one raw frame after another. Forked by boards.bench.ts. */
import { Agent, request } from 'node:http';

export interface BoardOrder {
  readonly url: string;
  /** RGB565, high byte first, as base64: the order goes through a pipe as JSON. */
  readonly frame: string;
  readonly width: number;
  readonly height: number;
  readonly boards: number;
  readonly frames: number;
  /** Text that each answer has to hold. */
  readonly expected: string;
}

export interface BoardResult {
  readonly elapsedMs: number;
  readonly latenciesMs: readonly number[];
  readonly cpuMs: number;
  /** The first answer that was not what was expected; null where all were. */
  readonly wrong: string | null;
}

process.on('message', (order: BoardOrder) => {
  void carryOut(order).then((result) => process.send!(result));
});

async function carryOut(order: BoardOrder): Promise<BoardResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.boards });
  const frame = Buffer.from(order.frame, 'base64');
  const latenciesMs: number[] = [];
  let wrong: string | null = null;
  let left = order.frames;
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const board = async (_: unknown, number: number) => {
    while (left-- > 0) {
      const sent = performance.now();
      const answer = await post(order, `board-${number}`, frame, agent).catch(String);
      latenciesMs.push(performance.now() - sent);
      if (!answer.startsWith('200 ') || !answer.includes(order.expected)) wrong ??= answer.slice(0, 500);
    }
  };
  await Promise.all(Array.from({ length: order.boards }, board));
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  agent.destroy();
  return { elapsedMs, latenciesMs, cpuMs: (user + system) / 1000, wrong };
}

function post(order: BoardOrder, deviceId: string, frame: Buffer, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': frame.length,
      'X-Device-Id': deviceId,
      'X-Frame-Width': order.width,
      'X-Frame-Height': order.height,
      'X-Frame-Format': 'RGB565',
    };
    const sent = request(order.url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(`${response.statusCode} ${Buffer.concat(chunks).toString('utf8')}`));
    });
    sent.on('error', reject);
    sent.end(frame);
  });
}

/** A backend for callbacks and look-ups: a real HTTP server in the test's process that keeps what it was sent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedBatch {
  readonly slotId: number;
  readonly roomId: number;
  readonly batchId: string;
  readonly recognitions: readonly Record<string, unknown>[];
}

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly apiKey: string | undefined;
  readonly text: string;
}

/** A status, or what is done with the request instead; `hold` never answers. */
export type BackendAnswer = number | 'hold' | ((req: ReceivedRequest, res: ServerResponse) => void);

export interface Backend {
  readonly url: string;
  readonly port: number;
  readonly requests: ReceivedRequest[];
  /** Bodies of the callbacks that were answered 2xx. */
  readonly accepted: ReceivedBatch[];
  /** How it answers from now on. */
  answer: BackendAnswer;
  /** Ends once this is so; looked at after every request. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** @param port to come back at the same address after `close` */
export async function startBackend(port = 0): Promise<Backend> {
  const requests: ReceivedRequest[] = [];
  const accepted: ReceivedBatch[] = [];
  const waiting: { condition: () => boolean; resolve: () => void }[] = [];
  const notify = () => {
    for (const entry of [...waiting]) {
      if (!entry.condition()) continue;
      waiting.splice(waiting.indexOf(entry), 1);
      entry.resolve();
    }
  };

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const received = {
      method: req.method!,
      path: req.url!,
      apiKey: req.headers['x-api-key'] as string | undefined,
      text: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(received);
    const { answer } = backend;
    if (typeof answer === 'function') answer(received, res);
    else if (answer !== 'hold') {
      if (answer < 300 && req.method === 'POST') accepted.push(JSON.parse(received.text) as ReceivedBatch);
      res.writeHead(answer).end();
    }
    notify();
  }

  const server: Server = createServer((req, res) => {
    // A sender that is cut off in the middle is one of the things that are tested.
    handle(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const ownPort = (server.address() as AddressInfo).port;
  const backend: Backend = {
    url: `http://127.0.0.1:${ownPort}`,
    port: ownPort,
    requests,
    accepted,
    answer: 200,
    until(condition) {
      if (condition()) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ condition, resolve }));
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return backend;
}

/**
 * A process of its own that is many boards: each with a connection, sending one raw frame after another. Forked by boards.bench.ts. It
 * speaks HTTP by hand, over requests that are ready before the clock starts: what it takes of the processors is not the server's.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface BoardOrder {
  readonly port: number;
  readonly path: string;
  /** RGB565, high byte first, as base64: the order goes through a pipe as JSON. Boards send them in turn. */
  readonly frames: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly boards: number;
  /** How many frames are sent, by all boards together. */
  readonly count: number;
  /** Texts that each answer has to hold. */
  readonly expected: readonly string[];
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
  const frames = order.frames.map((frame) => Buffer.from(frame, 'base64'));
  const boards = await Promise.all(Array.from({ length: order.boards }, (_, i) => openBoard(order, i)));
  const latenciesMs: number[] = [];
  let wrong: string | null = null;
  let sent = 0;
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const sendOn = async (board: Board) => {
    while (sent < order.count) {
      const frame = frames[sent++ % frames.length]!;
      const sentMs = performance.now();
      const answer = await board.post(frame).catch(String);
      latenciesMs.push(performance.now() - sentMs);
      if (!answer.startsWith('HTTP/1.1 200 ') || !order.expected.every((text) => answer.includes(text)))
        wrong ??= answer.slice(0, 1000);
      if (wrong !== null) return;
    }
  };
  await Promise.all(boards.map(sendOn));
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const board of boards) board.close();
  return { elapsedMs, latenciesMs, cpuMs: (user + system) / 1000, wrong };
}

interface Board {
  /** @returns the answer with its head */
  post(frame: Buffer): Promise<string>;
  close(): void;
}

async function openBoard(order: BoardOrder, number: number): Promise<Board> {
  const socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const head = Buffer.from(
    [
      `POST ${order.path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Content-Type: application/octet-stream',
      `Content-Length: ${2 * order.width * order.height}`,
      `X-Device-Id: board-${number}`,
      `X-Frame-Width: ${order.width}`,
      `X-Frame-Height: ${order.height}`,
      'X-Frame-Format: RGB565',
      '\r\n',
    ].join('\r\n'),
  );
  return {
    post(frame) {
      const answer = readAnswer(socket);
      socket.cork();
      socket.write(head);
      socket.write(frame);
      socket.uncork();
      return answer;
    },
    close: () => socket.destroy(),
  };
}

function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let wholeLength = Number.POSITIVE_INFINITY;
    const settle = (error?: Error) => {
      socket.off('data', onData).off('error', settle).off('close', onClose);
      if (error) reject(error);
      else resolve(text);
    };
    const onData = (chunk: Buffer) => {
      // One byte a character, so that lengths are those of the head; what is looked for is plain ASCII.
      text += chunk.toString('latin1');
      const headLength = text.indexOf('\r\n\r\n') + 4;
      if (wholeLength === Number.POSITIVE_INFINITY && headLength >= 4)
        wholeLength = headLength + Number(/^content-length: (\d+)/im.exec(text)?.[1]);
      if (text.length >= wholeLength) settle();
    };
    const onClose = () => settle(new Error('the server hung up'));
    socket.on('data', onData).once('error', settle).once('close', onClose);
  });
}

/** HTTP by hand, for what no proper client does: bodies cut off, sent slowly, or sent on after the answer. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends these pieces, ends the sending side where `halfClose` says so, and gives what came back until the server hung up. */
export async function exchange(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  { halfClose = false } = {},
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  // A reset after the answer is told by what was received.
  socket.on('error', () => {});
  for (const piece of pieces) await send(socket, piece);
  if (halfClose) socket.end();
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const text = Buffer.concat(received).toString('utf8');
  const split = text.indexOf('\r\n\r\n');
  return { status: Number(text.slice(9, 12)), headers: text.slice(0, split), body: text.slice(split + 4) };
}

/** Opens a connection, sends a piece, and leaves it at that. */
export async function sendAndDrop(port: number, piece: string | Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await send(socket, piece);
  socket.resetAndDestroy();
}

function send(socket: Socket, piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      socket.off('close', settle).off('drain', settle);
      resolve();
    };
    socket.once('close', settle);
    socket.write(piece, settle);
  });
}

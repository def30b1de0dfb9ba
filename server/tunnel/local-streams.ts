/** Connections that came through the tunnel, each joined to one of this server's own port. */
import { connect, type Socket } from 'node:net';
import type { ClientChannel } from 'ssh2';

export interface LocalStreamsOptions {
  readonly host: string;
  readonly port: () => number;
  readonly limit: number;
  /** Told of each connection that was turned away because too many are open. */
  readonly onRefused?: () => void;
}

export class LocalStreams {
  readonly #options: LocalStreamsOptions;
  readonly #sockets = new Set<Socket>();
  /** Their addresses as the server sees them: `127.0.0.1:40404`. */
  readonly #addresses = new Set<string>();

  constructor(options: LocalStreamsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Whether this connection, as the server sees its other end, came through the tunnel. */
  has({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): boolean {
    return this.#addresses.has(keyOf(remoteAddress, remotePort));
  }

  /**
   * @param accept takes the connection at the other end of the tunnel; throws where that is gone
   * @param reject refuses it there
   */
  join(accept: () => ClientChannel, reject: () => void): void {
    if (this.#sockets.size >= this.#options.limit) {
      this.#options.onRefused?.();
      refuse(reject);
      return;
    }
    let channel: ClientChannel | null = null;
    let key = '';
    // Half open: a client that has said all it wants still gets its answer.
    const socket = connect({ host: this.#options.host, port: this.#options.port(), allowHalfOpen: true });
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once('connect', () => {
      key = keyOf(socket.localAddress, socket.localPort);
      this.#addresses.add(key);
      try {
        channel = accept();
      } catch {
        socket.destroy();
        return;
      }
      channel.on('error', () => socket.destroy());
      channel.once('close', () => socket.destroy());
      channel.pipe(socket);
      socket.pipe(channel);
    });
    // 'close' follows, and does the rest.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#addresses.delete(key);
      if (channel !== null) channel.destroy();
      else refuse(reject);
    });
  }

  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** An IPv4 client of a socket that listens on both kinds is seen as ::ffff:127.0.0.1. */
const keyOf = (address: string | undefined, port: number | undefined) =>
  `${address?.replace(/^::ffff:/i, '')}:${port}`;

/** A tunnel that is gone has nobody left to be refused. */
function refuse(reject: () => void): void {
  try {
    reject();
  } catch {}
}

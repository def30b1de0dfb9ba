/** A browser's half of ICE (RFC 8445) as far as a server notices it: STUN binding requests (RFC 8489) from one UDP socket. */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { crc32 } from 'node:zlib';

export interface IceServer {
  readonly ip: string;
  readonly port: number;
  readonly usernameFragment: string;
  readonly password: string;
}

export interface IceClient {
  /** Rejects where the server answers with an error; waits for its answer. */
  check(): Promise<void>;
  close(): void;
}

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAGIC_COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
const ATTRIBUTE_HEADER_BYTES = 4;
const HMAC_BYTES = 20;
const FINGERPRINT_BYTES = 4;
const FINGERPRINT_MASK = 0x5354554e;
const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlling: 0x802a,
} as const;

export function openIceClient({ ip, port, usernameFragment, password }: IceServer): IceClient {
  const socket = createSocket('udp4');
  const ownFragment = randomBytes(4).toString('hex');
  const tieBreaker = randomBytes(8);

  function request(): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(BINDING_REQUEST, 0);
    header.writeUInt32BE(MAGIC_COOKIE, 4);
    randomBytes(12).copy(header, 8);
    const priority = Buffer.alloc(4);
    priority.writeUInt32BE(1, 0);
    let message = Buffer.concat([
      header,
      attribute(ATTRIBUTE.username, Buffer.from(`${usernameFragment}:${ownFragment}`)),
      attribute(ATTRIBUTE.priority, priority),
      attribute(ATTRIBUTE.iceControlling, tieBreaker),
      attribute(ATTRIBUTE.useCandidate, Buffer.alloc(0)),
    ]);
    // Each of the two is made over a message whose length counts it already, but ends before it.
    const hmac = createHmac('sha1', password).update(withLength(message, HMAC_BYTES)).digest();
    message = Buffer.concat([message, attribute(ATTRIBUTE.messageIntegrity, hmac)]);
    const fingerprint = Buffer.alloc(FINGERPRINT_BYTES);
    fingerprint.writeUInt32BE((crc32(withLength(message, FINGERPRINT_BYTES)) ^ FINGERPRINT_MASK) >>> 0, 0);
    return Buffer.concat([message, attribute(ATTRIBUTE.fingerprint, fingerprint)]);
  }

  return {
    async check() {
      const answered = once(socket, 'message') as Promise<[Buffer]>;
      socket.send(request(), port, ip);
      const [answer] = await answered;
      const type = answer.readUInt16BE(0);
      if (type !== BINDING_SUCCESS) throw new Error(`STUN answered with type 0x${type.toString(16)}`);
    },
    close: () => socket.close(),
  };
}

function attribute(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(ATTRIBUTE_HEADER_BYTES);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** Writes how long the message will be with one more attribute. */
function withLength(message: Buffer, valueBytes: number): Buffer {
  message.writeUInt16BE(message.length - HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + valueBytes, 2);
  return message;
}

/**
 * A camera for tests: an RTSP server (RFC 2326) that plays an H.264 clip in a loop over TCP, interleaved, with Basic or Digest
 * access, and fails in the ways cameras fail whenever it is told to.
 */
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type H264Clip, RtpPacketizer, sdpOf } from './h264-clip.ts';

export interface RtspServerOptions {
  readonly clip: H264Clip;
  /** Told when the first packet of a frame goes out to a client; frames are counted on when the clip starts again. */
  readonly onFrame?: (frameNumber: number) => void;
  readonly access?: { readonly scheme: 'Basic' | 'Digest'; readonly user: string; readonly password: string };
}

/** What the camera does: plays; keeps the connection but sends nothing; never answers; answers with noise; sends damaged pictures. */
export type CameraFault = 'none' | 'frozen' | 'silent' | 'garbage' | 'damaged';

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
}

const REALM = 'camera';
const SESSION = '12345678';

/** Events: `connected` and `closed` for each connection, `playing` when a client gets pictures. */
export class RtspServer extends EventEmitter<{ connected: []; playing: []; closed: [] }> {
  /** How many connections were taken so far. */
  connections = 0;
  readonly #options: RtspServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #fault: CameraFault = 'none';
  #answerDelayMs = 0;

  private constructor(options: RtspServerOptions) {
    super();
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(options: RtspServerOptions): Promise<RtspServer> {
    const server = new RtspServer(options);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @param credentials `user:password`, written as it goes into the URL */
  url(credentials = ''): string {
    return `rtsp://${credentials && `${credentials}@`}127.0.0.1:${this.port}/stream`;
  }

  get openConnections(): number {
    return this.#clients.size;
  }

  get fault(): CameraFault {
    return this.#fault;
  }

  get answerDelayMs(): number {
    return this.#answerDelayMs;
  }

  /** From now on, for those connected too. */
  fail(fault: CameraFault): void {
    this.#fault = fault;
  }

  answerLate(delayMs: number): void {
    this.#answerDelayMs = delayMs;
  }

  /** As if the cable were pulled: every connection ends at once, new ones are taken. */
  cutOff(): void {
    for (const client of this.#clients) client.socket.destroy();
  }

  async close(): Promise<void> {
    this.cutOff();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    this.connections++;
    const client = new Client(socket, this, this.#options);
    this.#clients.add(client);
    socket.once('close', () => {
      client.stop();
      this.#clients.delete(client);
      this.emit('closed');
    });
    this.emit('connected');
  }
}

class Client {
  readonly socket: Socket;
  readonly #server: RtspServer;
  readonly #options: RtspServerOptions;
  readonly #packetizer: RtpPacketizer;
  readonly #nonce = randomBytes(8).toString('hex');
  #received: Buffer = Buffer.alloc(0);
  #channel = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, server: RtspServer, options: RtspServerOptions) {
    this.socket = socket;
    this.#server = server;
    this.#options = options;
    this.#packetizer = new RtpPacketizer(options.clip.codec);
    socket.setNoDelay(true);
    // A client that is killed resets its connection.
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#receive(chunk));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const bytes = this.#received;
      if (bytes[0] === 0x24) {
        // The client's RTCP, interleaved: `$`, channel, length.
        if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt16BE(2)) return;
        this.#received = bytes.subarray(4 + bytes.readUInt16BE(2));
        continue;
      }
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const request = parseRequest(bytes.toString('latin1', 0, end));
      const length = end + 4 + Number(request.headers.get('content-length') ?? 0);
      if (bytes.length < length) return;
      this.#received = bytes.subarray(length);
      this.#obey(request);
    }
  }

  #obey(request: Request): void {
    const { fault, answerDelayMs } = this.#server;
    if (fault === 'silent') return;
    if (fault === 'garbage') this.socket.write(randomBytes(4096));
    else if (answerDelayMs > 0) setTimeout(() => this.#answer(request), answerDelayMs).unref();
    else this.#answer(request);
  }

  #answer(request: Request): void {
    if (this.socket.destroyed) return;
    const { method, url, headers } = request;
    if (method === 'OPTIONS') {
      this.#respond(request, '200 OK', { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN' });
    } else if (!this.#mayEnter(request)) {
      this.#respond(request, '401 Unauthorized', { 'WWW-Authenticate': this.#challenge() });
    } else if (method === 'DESCRIBE') {
      const head = { 'Content-Base': `${url}/`, 'Content-Type': 'application/sdp' };
      this.#respond(request, '200 OK', head, sdpOf(this.#options.clip));
    } else if (method === 'SETUP') {
      this.#setUp(request, /interleaved=(\d+)-\d+/.exec(headers.get('transport') ?? '')?.[1]);
    } else {
      this.#respond(request, '200 OK', {
        Session: SESSION,
        ...(method === 'PLAY' && { Range: 'npt=0.000-' }),
      });
      if (method === 'PLAY') this.#play();
      if (method === 'TEARDOWN') this.socket.end();
    }
  }

  #setUp(request: Request, channel: string | undefined): void {
    if (channel === undefined) {
      this.#respond(request, '461 Unsupported Transport', {});
      return;
    }
    this.#channel = Number(channel);
    const transport = `RTP/AVP/TCP;unicast;interleaved=${this.#channel}-${this.#channel + 1}`;
    this.#respond(request, '200 OK', { Session: SESSION, Transport: transport });
  }

  #respond(request: Request, status: string, headers: Readonly<Record<string, string>>, body = ''): void {
    const all = {
      CSeq: request.headers.get('cseq') ?? '0',
      ...headers,
      ...(body && { 'Content-Length': String(body.length) }),
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`RTSP/1.0 ${status}\r\n${lines.join('')}\r\n${body}`);
  }

  /** From the clip's first frame on, a key frame; in time with the clock, however late a timer is. */
  #play(): void {
    const { framesPerSecond, accessUnits } = this.#options.clip;
    const start = performance.now();
    let frameNumber = 0;
    const send = () => {
      const due = ((performance.now() - start) * framesPerSecond) / 1000;
      for (; frameNumber <= due; frameNumber++) {
        if (this.#server.fault === 'frozen' || this.#server.fault === 'silent') continue;
        this.#options.onFrame?.(frameNumber);
        const unit = accessUnits[frameNumber % accessUnits.length]!;
        for (const packet of this.#packetizer.packets(unit, frameNumber, framesPerSecond)) this.#send(packet);
      }
    };
    this.#timer = setInterval(send, 1000 / framesPerSecond / 2);
    this.#server.emit('playing');
    send();
  }

  #send(packet: Buffer): void {
    if (this.socket.destroyed) return;
    if (this.#server.fault === 'garbage') {
      this.socket.write(randomBytes(packet.length));
      return;
    }
    // The middle of a slice, so that its head still reads well: that is where a decoder has to conceal.
    if (this.#server.fault === 'damaged')
      randomBytes(packet.length >> 1).copy(packet, 14 + (packet.length >> 2));
    const head = Buffer.from([0x24, this.#channel, packet.length >> 8, packet.length & 255]);
    this.socket.write(Buffer.concat([head, packet]));
  }

  #challenge(): string {
    return this.#options.access?.scheme === 'Digest'
      ? `Digest realm="${REALM}", nonce="${this.#nonce}"`
      : `Basic realm="${REALM}"`;
  }

  #mayEnter({ method, headers }: Request): boolean {
    const { access } = this.#options;
    if (!access) return true;
    const given = headers.get('authorization') ?? '';
    if (access.scheme === 'Basic')
      return given === `Basic ${Buffer.from(`${access.user}:${access.password}`).toString('base64')}`;
    const field = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(given)?.[1];
    const secret = md5(`${access.user}:${REALM}:${access.password}`);
    return (
      field('username') === access.user &&
      field('nonce') === this.#nonce &&
      field('response') === md5(`${secret}:${this.#nonce}:${md5(`${method}:${field('uri')}`)}`)
    );
  }
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

function parseRequest(text: string): Request {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', url = ''] = first.split(' ');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { method, url, headers: new Map(headers) };
}

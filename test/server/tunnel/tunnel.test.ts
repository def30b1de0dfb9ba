import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import pino from 'pino';
import { openHostKeys } from '../../../server/tunnel/host-keys.ts';
import { openTunnel, pauseAfter, type Tunnel, type TunnelOptions } from '../../../server/tunnel/tunnel.ts';
import { readTunnelSettings, type TunnelSettings } from '../../../server/tunnel/tunnel-settings.ts';
import {
  createSshd,
  freePort,
  isReachable,
  PASSPHRASE,
  type Sshd,
  WITHOUT_SSHD,
} from '../../support/sshd.ts';
import { until } from '../../support/until.ts';

let sshd: Sshd;
let web: Server;
let folder: string;
let ports: number[];
/** Whether each request came through the tunnel, as the server could tell. */
let marks: boolean[] = [];
const tunnels: Tunnel[] = [];

const localPort = () => (web.address() as AddressInfo).port;
const isMarked = (socket: Socket) => tunnels.some((tunnel) => tunnel.isTunnelled(socket));

describe('a tunnel through a real sshd', { skip: WITHOUT_SSHD, timeout: 60_000 }, () => {
  before(async () => {
    sshd = await createSshd();
    await sshd.start();
    web = createServer((req, res) => {
      marks.push(isMarked(req.socket));
      // Echoes, so that bodies of both directions are looked at.
      req.pipe(res);
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    web.closeAllConnections();
    web.close();
    await sshd.dispose();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-test-tunnel-'));
    ports = [await freePort(), await freePort()];
    marks = [];
  });
  afterEach(async () => {
    for (const tunnel of tunnels.splice(0)) await tunnel.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function settings(changes: Partial<TunnelSettings> = {}): Promise<TunnelSettings> {
    const read = await readTunnelSettings({
      PUBLIC_VPS_IP: '127.0.0.1',
      SSH_SERVER_PORT: sshd.port,
      SSH_USER: sshd.user,
      SSH_PRIVATE_KEY_PATH: sshd.clientKey,
      SSH_PASSPHRASE: PASSPHRASE,
      PUBLIC_PORT: ports.map(String),
    });
    return { ...read!, ...changes };
  }

  async function open(
    changes: Partial<TunnelSettings> = {},
    options: Partial<TunnelOptions> = {},
  ): Promise<Tunnel> {
    const tunnel = openTunnel({
      settings: await settings(changes),
      hostKeys: openHostKeys(join(folder, 'ssh-host-keys.json')),
      localHost: '127.0.0.1',
      localPort,
      log: pino({ level: 'silent' }),
      timing: { firstPauseMs: 20, longestPauseMs: 100, keepAliveMs: 200, readyMs: 5000 },
      ...options,
    });
    tunnels.push(tunnel);
    return tunnel;
  }

  const post = async (port: number, body: Buffer) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: new Uint8Array(body) });
    return Buffer.from(await response.arrayBuffer());
  };
  const isUp = (tunnel: Tunnel) => () => tunnel.status().ports.length === ports.length;

  test('every public port leads to the server, and the server can tell', async () => {
    const told: boolean[] = [];
    const tunnel = await open({}, { onChange: (isActive) => told.push(isActive) });
    await until(isUp(tunnel));
    const body = Buffer.alloc(3_000_000, 'frame');
    for (const port of ports) assert.ok((await post(port, body)).equals(body));
    await post(localPort(), Buffer.from('direct'));
    assert.deepEqual(marks, [true, true, false]);
    assert.equal(tunnel.status().state, 'connected');
    await tunnel.close();
    assert.deepEqual(told, [true, false]);
    assert.equal(tunnel.status().state, 'closed');
    for (const port of ports) assert.equal(await isReachable(port), false);
  });

  test('many connections at a time are kept apart', async () => {
    await until(isUp(await open()));
    const bodies = Array.from({ length: 40 }, (_, i) => Buffer.alloc(50_000, `board ${i} `));
    const answers = await Promise.all(bodies.map((body, i) => post(ports[i % 2]!, body)));
    for (const [i, answer] of answers.entries()) assert.ok(answer.equals(bodies[i]!));
  });

  test('a host that shows another key than the pinned one gets no password and no tunnel', async () => {
    const tunnel = await open({ hostKey: `SHA256:${'A'.repeat(43)}` });
    await until(() => tunnel.status().state === 'waiting');
    assert.match(tunnel.status().lastError!, /shows another key \(SHA256:.*than expected/);
    assert.deepEqual(tunnel.status().ports, []);
  });

  test('the pinned key, as ssh-keygen shows it, is taken', async () => {
    await until(isUp(await open({ hostKey: await sshd.fingerprint() })));
  });

  test('the first key seen is remembered, and another one later is refused', async () => {
    const first = await open();
    await until(isUp(first));
    await first.close();
    const file = join(folder, 'ssh-host-keys.json');
    await until(() => readFile(file).then(Boolean, () => false));
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
      [`127.0.0.1:${sshd.port}`]: await sshd.fingerprint(),
    });
    await until(isUp(await open()));
    await tunnels.pop()!.close();
    await sshd.kill();
    await sshd.makeNewHostKey();
    await sshd.start();
    const refused = await open();
    await until(() => refused.status().state === 'waiting');
    assert.match(refused.status().lastError!, /shows another key/);
  });

  test('after the host was gone the tunnel comes up again by itself', async () => {
    const tunnel = await open();
    await until(isUp(tunnel));
    await sshd.kill();
    await until(() => tunnel.status().state === 'waiting');
    assert.deepEqual(tunnel.status().ports, []);
    await sshd.start();
    await until(isUp(tunnel));
    assert.equal((await post(ports[0]!, Buffer.from('again'))).toString(), 'again');
  });

  test('a connection on which nothing moves any more is given up', async () => {
    const lines = new Set<Socket>();
    let isFrozen = false;
    const wire = createTcpServer((socket) => {
      const onward = connect(sshd.port, '127.0.0.1');
      lines.add(socket).add(onward);
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        from.on('data', (chunk) => {
          if (!isFrozen) to.write(chunk);
        });
        from.on('error', () => {}).on('close', () => to.destroy());
      }
    });
    await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
    try {
      const tunnel = await open({ port: (wire.address() as AddressInfo).port });
      await until(isUp(tunnel));
      isFrozen = true;
      await until(() => tunnel.status().state !== 'connected');
      for (const line of lines) line.destroy();
      isFrozen = false;
      await until(isUp(tunnel));
    } finally {
      await tunnels.pop()?.close();
      for (const line of lines) line.destroy();
      wire.close();
    }
  });

  test('a port that the host does not give is asked for again, while the other one works', async () => {
    // On every address: sshd is content with one of its two loopback addresses.
    const holder = createTcpServer();
    await new Promise<void>((resolve) => holder.listen(ports[0], resolve));
    const tunnel = await open();
    await until(() => tunnel.status().ports.length === 1);
    await until(() => tunnel.status().lastError !== null);
    assert.match(tunnel.status().lastError!, new RegExp(`does not forward its port ${ports[0]}`));
    assert.equal((await post(ports[1]!, Buffer.from('works'))).toString(), 'works');
    await new Promise((resolve) => holder.close(resolve));
    await until(isUp(tunnel));
  });

  test('connections that the server does not take are refused at the public host, and the tunnel stays', async () => {
    const tunnel = await open({}, { localPort: () => 1 });
    await until(isUp(tunnel));
    await assert.rejects(post(ports[0]!, Buffer.from('x')));
    assert.equal(tunnel.status().connections, 0);
    assert.equal(tunnel.status().state, 'connected');
  });

  test('a user that the host does not know is told so', async () => {
    const tunnel = await open({ user: 'nobody-of-that-name' });
    await until(() => tunnel.status().state === 'waiting');
    assert.match(tunnel.status().lastError!, /refuses SSH_USER/);
  });
});

test('pauses grow, are never longer than the longest, and differ', () => {
  const timing = { firstPauseMs: 1000, longestPauseMs: 60_000 };
  const pauses = (random: number) => [0, 1, 2, 5, 6, 1000].map((n) => pauseAfter(n, timing, () => random));
  assert.deepEqual(pauses(1), [1000, 2000, 4000, 32_000, 60_000, 60_000]);
  assert.deepEqual(pauses(0), [500, 1000, 2000, 16_000, 30_000, 30_000]);
});

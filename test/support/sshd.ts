/** A real OpenSSH server on a loopback port, with keys of its own, for this user. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

const SSHD = '/usr/sbin/sshd';
export const WITHOUT_SSHD = existsSync(SSHD) ? false : 'openssh-server is not installed';
export const PASSPHRASE = 'open sesame';

export interface Sshd {
  readonly port: number;
  readonly user: string;
  /** Path of the client's key, encrypted with PASSPHRASE. */
  readonly clientKey: string;
  /** As `ssh-keygen -l` shows it. */
  fingerprint(): Promise<string>;
  start(): Promise<void>;
  /** The server and every connection of it, without a good-bye. */
  kill(): Promise<void>;
  makeNewHostKey(): Promise<void>;
  dispose(): Promise<void>;
}

export async function createSshd(): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-sshd-'));
  const port = await freePort();
  const path = (name: string) => join(folder, name);
  const makeKey = (name: string, passphrase: string) =>
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'test', '-f', path(name)]);
  makeKey('host', '');
  makeKey('client', PASSPHRASE);
  await writeFile(path('authorized_keys'), await readFile(path('client.pub')), { mode: 0o600 });
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${path('host')}`,
    'PidFile none',
    `AuthorizedKeysFile ${path('authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
  ];
  await writeFile(path('sshd_config'), config.join('\n'));
  // Debian makes this folder when it starts the service.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });

  let child: ChildProcess | null = null;
  const kill = async () => {
    const running = child;
    if (running === null) return;
    child = null;
    const ended = new Promise((resolve) => running.once('close', resolve));
    // Its own process group: the processes of its connections are in it.
    for (const pid of descendants(running.pid!)) process.kill(pid, 'SIGKILL');
    await ended;
  };
  return {
    port,
    user: userInfo().username,
    clientKey: path('client'),
    async fingerprint() {
      return execFileSync('ssh-keygen', ['-l', '-f', path('host.pub')], { encoding: 'utf8' }).split(' ')[1]!;
    },
    async start() {
      child = spawn(SSHD, ['-D', '-e', '-f', path('sshd_config')], { stdio: 'ignore' });
      await until(() => isReachable(port));
    },
    kill,
    async makeNewHostKey() {
      await rm(path('host'));
      await rm(path('host.pub'));
      makeKey('host', '');
    },
    async dispose() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A process and all that it started, the youngest first. */
function descendants(pid: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [pid];
  for (let i = 0; i < found.length; i++)
    for (const [child, parent] of table) if (parent === found[i]) found.push(child);
  return found.reverse();
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function isReachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

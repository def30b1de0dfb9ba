/** A server that is started anew whenever it ends, as systemd or Docker would, in one folder and at one port. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { residentMB } from '../processes.ts';
import { findYunet } from '../selections.ts';

const PROGRAM = fileURLToPath(new URL('./faulty-server.ts', import.meta.url));
export const LOAD_KEY = 'mixed-load-key-0123456789';

export class ServerProcess {
  readonly url: string;
  restarts = 0;
  /** Frames that it said to have removed because the disk was full. */
  readonly framesRemoved = new Set<string>();
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #stopping = false;

  private constructor(port: number, folder: string, settings: Readonly<Record<string, string>>) {
    this.url = `http://127.0.0.1:${port}`;
    this.#environment = {
      PATH: process.env.PATH ?? '',
      MEDIASOUP_WORKER_BIN: process.env.MEDIASOUP_WORKER_BIN ?? '',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: folder,
      API_KEY: LOAD_KEY,
      MODEL_DOWNLOAD: 'never',
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'json',
      // As npm start has it (server/node.sh).
      MALLOC_ARENA_MAX: '2',
      ...settings,
    };
  }

  static async start(folder: string, settings: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const yunet = await findYunet();
    if (yunet !== null) {
      const { path } = yunet.detector;
      await mkdir(join(folder, 'models'), { recursive: true });
      await copyFile(path!, join(folder, 'models', basename(path!)));
    }
    const server = new ServerProcess(await freePort(), folder, settings);
    await server.#launch();
    return server;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get residentMB(): number {
    return residentMB(this.pid);
  }

  call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('X-API-Key', LOAD_KEY);
    return fetch(this.url + path, { signal: AbortSignal.timeout(60_000), ...init, headers });
  }

  /** Whether work can be sent. */
  async isReady(): Promise<boolean> {
    return this.call('/health/ready', { signal: AbortSignal.timeout(5000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** @returns whether there was something to kill, like the others below */
  kill(): boolean {
    return this.#child!.kill('SIGKILL');
  }

  endThread(): boolean {
    return this.#child!.send('end a thread');
  }

  /** The thread of the embedded database. */
  endDatabase(): boolean {
    return this.#child!.send('end the database');
  }

  /** Has the thread of the embedded database busy for ever; ends when it is noticed. */
  async wedgeDatabase(): Promise<boolean> {
    const folder = await readFile(join(this.#environment.DATA_DIR!, 'database', 'socket-folder'), 'utf8');
    const client = new pg.Client({ host: folder, port: 5432, user: 'postgres', database: 'postgres' });
    client.on('error', () => {});
    await client.connect();
    client.query('DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$').catch(() => {});
    while (await this.isReady()) await pause(50);
    return true;
  }

  /** Processes that the server started, of this name. */
  killChildren(name: string): boolean {
    const rows = execFileSync('ps', ['--ppid', String(this.pid), '-o', 'pid=,comm='], { encoding: 'utf8' });
    const found = rows.split('\n').flatMap((row) => {
      const [pid, command = ''] = row.trim().split(/\s+/);
      return command.startsWith(name.slice(0, 15)) ? [Number(pid)] : [];
    });
    for (const pid of found) process.kill(pid, 'SIGKILL');
    return found.length > 0;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child!;
    const ended = once(child, 'exit');
    child.send('stop');
    await ended;
  }

  async #launch(): Promise<void> {
    const child = fork(PROGRAM, { env: this.#environment, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child = child;
    child.once('exit', () => {
      if (this.#stopping) return;
      this.restarts++;
      void this.#launch();
    });
    child.on('message', (message: 'ready' | { readonly removed: string }) => {
      if (typeof message === 'object') this.framesRemoved.add(message.removed);
    });
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

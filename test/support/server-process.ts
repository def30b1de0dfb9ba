/** The server as `npm start` runs it, in a process of its own: it can be killed, and its memory and its CPU are nobody else's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ServerProcess {
  readonly pid: number;
  /** POSTs JSON with the key, or GETs without a body. @throws Error where the answer is no success */
  ask<T>(path: string, body?: object): Promise<T>;
  /** SIGKILL; ends when it is gone. The folder stays. */
  kill(): Promise<void>;
  /** Ends it in order, and removes its folder unless that was given. */
  dispose(): Promise<void>;
}

export interface ServerProcessOptions {
  /** DATA_DIR; one of its own unless given. */
  readonly folder?: string;
  /** Model files that its folder has from the beginning. */
  readonly modelPaths?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

export const PROCESS_KEY = 'process-key-0123456789abcdef';
const serverFile = (name: string) => fileURLToPath(new URL(`../../server/${name}`, import.meta.url));

export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'facepool-server-process-')));
  await mkdir(join(folder, 'models'), { recursive: true });
  for (const path of options.modelPaths ?? []) await copyFile(path, join(folder, 'models', basename(path)));
  const child = spawn('sh', [serverFile('node.sh'), serverFile('main.ts')], {
    // Where no .env of anybody lies.
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: folder,
      API_KEY: PROCESS_KEY,
      MODEL_DOWNLOAD: 'never',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'info',
      ...options.settings,
    },
  });
  const endWithUs = () => child.kill('SIGKILL');
  process.on('exit', endWithUs);
  const end = async (signal: NodeJS.Signals) => {
    process.off('exit', endWithUs);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  const dispose = async () => {
    await end('SIGTERM');
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // Read on to the end, since a full pipe would stop the server, and kept no longer than of use.
      said = (said + text).slice(-100_000);
      if (!said.includes('"message":"ready')) return;
      const address = /"urls":\["([^"]+)"/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said.slice(-2000)}`)));
  }).catch(async (error: unknown) => {
    await dispose();
    throw error;
  });

  return {
    pid: child.pid!,
    async ask<T>(path: string, body?: object): Promise<T> {
      const answer = await fetch(url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'X-API-Key': PROCESS_KEY, 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: status ${answer.status}: ${text.slice(0, 500)}`);
      return JSON.parse(text) as T;
    },
    kill: () => end('SIGKILL'),
    dispose,
  };
}

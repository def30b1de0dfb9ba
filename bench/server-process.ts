/** The server as `npm start` runs it, in a process and a folder of its own: its memory and its CPU are nobody else's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { verify } from './harness.ts';
import { PROJECT_FOLDER } from './selections.ts';

export interface ServerProcess {
  readonly pid: number;
  /** POSTs JSON with the key, or GETs without a body. @throws Error where the answer is no success */
  ask<T>(path: string, body?: object): Promise<T>;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

const API_KEY = 'bench-key-0123456789abcdef';

/** @param modelPaths model files that its folder has from the beginning */
export async function startServerProcess(
  modelPaths: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-bench-server-'));
  await mkdir(join(folder, 'models'));
  for (const path of modelPaths) await copyFile(path, join(folder, 'models', basename(path)));
  const child = spawn(process.execPath, [join(PROJECT_FOLDER, 'server/main.ts')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: folder,
      DATABASE_URL: '',
      API_KEY,
      MODEL_DOWNLOAD: 'never',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'info',
      ...settings,
    },
  });
  const endWithUs = () => child.kill('SIGKILL');
  process.on('exit', endWithUs);
  const dispose = async () => {
    process.off('exit', endWithUs);
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // Read on to the end: a full pipe would stop the server.
      if (said.includes('"message":"ready')) return;
      said += text;
      const line = said.split('\n').find((each) => each.includes('"message":"listening"'));
      if (line && said.includes('"message":"ready'))
        resolve((JSON.parse(line) as { urls: string[] }).urls[0]!);
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
        headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body),
      });
      const text = await answer.text();
      verify(answer.ok, `${path}: status ${answer.status}: ${text.slice(0, 500)}`);
      return JSON.parse(text) as T;
    },
    dispose,
  };
}

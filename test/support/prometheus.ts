/** A real Prometheus that scrapes a server of the tests once a second, where Debian's `prometheus` is installed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const OPERATIONS = fileURLToPath(new URL('../../server/operations/', import.meta.url));

export interface QueryAnswer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: [number, string];
    }[];
  };
}

export interface Prometheus {
  query(expr: string): Promise<QueryAnswer>;
  /** Names of metrics that it has at least one sample of. */
  names(): Promise<Set<string>>;
  /** The state of each target. */
  targets(): Promise<{ health: string; lastError: string }[]>;
  stop(): Promise<void>;
}

/** Null where there is none. */
export function findPrometheus(): string | null {
  try {
    return execFileSync('sh', ['-c', 'command -v prometheus'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** With the configuration that the project ships; only the target, the key and the pace are the test's. */
export async function startPrometheus(target: string, key: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'facepool-test-prometheus-'));
  const shipped = readFileSync(join(OPERATIONS, 'prometheus.yml'), 'utf8');
  writeFileSync(
    join(folder, 'prometheus.yml'),
    shipped.replaceAll('15s', '1s').replace('facepool:8000', target),
  );
  cpSync(join(OPERATIONS, 'alerts.yml'), join(folder, 'alerts.yml'));
  writeFileSync(join(folder, 'facepool-key'), key, { mode: 0o600 });
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const url = `http://127.0.0.1:${port}/api/v1`;
  const ask = async <T>(path: string): Promise<T> => (await (await fetch(url + path)).json()) as T;
  await untilReady(child, `http://127.0.0.1:${port}/-/ready`);
  return {
    query: (expr) => ask(`/query?query=${encodeURIComponent(expr)}`),
    names: async () => new Set((await ask<{ data: string[] }>('/label/__name__/values')).data),
    targets: async () =>
      (await ask<{ data: { activeTargets: { health: string; lastError: string }[] } }>('/targets')).data
        .activeTargets,
    async stop() {
      child.kill();
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
    const ready = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('prometheus was not ready within 30 s');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

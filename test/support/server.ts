/** The whole server for a test: the real composition, in this process, on a free port, in a folder of its own. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { parseConfig } from '../../server/config.ts';
import { type RunningServer, startServer } from '../../server/start.ts';
import { createServerDatabase, usualKind } from './database.ts';
import { describedAnswers } from './described-answers.ts';

export const API_KEY = 'test-key-0123456789abcdef';
export const DEVICE_KEY = 'board-key-0123456789';

export interface TestServer extends RunningServer {
  readonly url: string;
  readonly dataDir: string;
  /** Every line of the log so far. */
  readonly lines: string[];
  /** fetch against this server, with the API key unless `key` says otherwise; the answer has to be as the route describes it. */
  call(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  /** Stops the server and removes its folder. */
  dispose(): Promise<void>;
}

export type TestSettings = Readonly<Record<string, string>>;

export async function startTestServer(settings: TestSettings = {}, folder?: string): Promise<TestServer> {
  const dataDir = folder ?? (await mkdtemp(join(tmpdir(), 'facepool-test-server-')));
  const lines: string[] = [];
  const output = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  // The same folder finds the same database again, as it does where the database lies in it.
  const onServer =
    usualKind === 'server'
      ? await createServerDatabase(createHash('sha256').update(dataDir).digest('hex').slice(0, 12))
      : null;
  const { config } = parseConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    API_KEY,
    DEVICE_KEY,
    WORKER_THREADS: '1',
    MODEL_DOWNLOAD: 'never',
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'json',
    ...(onServer === null ? {} : { DATABASE_URL: onServer.url }),
    ...settings,
  });
  const programPath = process.env.PATH ?? '';
  const server = await startServer(config, { output, programPath }).catch(async (error: unknown) => {
    if (folder === undefined) await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  const url = `http://127.0.0.1:${server.port}`;
  const described = describedAnswers(server.routes);
  return {
    ...server,
    url,
    dataDir,
    lines,
    async call(path, { key = server.apiKey, headers, ...init } = {}) {
      const withKey = new Headers(headers);
      if (key !== null) withKey.set('X-API-Key', key);
      const answer = await fetch(url + path, { ...init, headers: withKey });
      return described.check(init.method ?? 'GET', path, answer);
    },
    async dispose() {
      await server.stop();
      await onServer?.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The sample photographs that come with the npm package; each shows several people but for the first ones. */
export function samplePhoto(number: 1 | 2 | 3 | 4 | 5 | 6): string {
  const entry = createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json');
  return join(dirname(entry), 'demo', `sample${number}.jpg`);
}

export function formWith(
  field: string,
  bytes: Uint8Array,
  fields: Readonly<Record<string, string>> = {},
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set(field, new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }), 'photo.jpg');
  return form;
}

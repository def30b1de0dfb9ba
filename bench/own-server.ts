/** The real server in this process, as `npm start` composes it, on a free port of this machine and in a folder that goes away. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { parseConfig } from '../server/config.ts';
import { type RunningServer, startServer } from '../server/start.ts';

export interface OwnServer extends RunningServer {
  readonly url: string;
  readonly folder: string;
  /** Stops it and removes its folder. */
  dispose(): Promise<void>;
}

export interface OwnServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Model files that the folder has from the beginning. */
  readonly modelPaths?: readonly string[];
}

/** Warnings and errors go to standard error, everything else nowhere. */
export async function startOwnServer({
  settings = {},
  modelPaths = [],
}: OwnServerOptions = {}): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-bench-'));
  let server: RunningServer | null = null;
  let interrupted = false;
  const dispose = async () => {
    process.off('SIGINT', leave).off('SIGTERM', leave);
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  /** Threads finish what they do first: leaving in the middle of a run of the networks aborts the process. */
  const leave = () => {
    interrupted = true;
    // A start under way is waited for: its parts can be closed only once they are open.
    if (server !== null) void dispose().finally(() => process.exit(130));
  };
  process.on('SIGINT', leave).on('SIGTERM', leave);
  try {
    await mkdir(join(folder, 'models'));
    for (const path of modelPaths) await copyFile(path, join(folder, 'models', basename(path)));
    const { config } = parseConfig({
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: folder,
      MODEL_DOWNLOAD: 'never',
      LOG_FORMAT: 'json',
      ...settings,
    });
    server = await startServer(config, { output: onlyTroubles() });
  } catch (error) {
    await dispose();
    throw error;
  }
  if (interrupted) {
    await dispose();
    process.exit(130);
  }
  return { ...server, url: `http://127.0.0.1:${server.port}`, folder, dispose };
}

const WARNING_LEVEL = 40;

function onlyTroubles(): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      for (const line of String(chunk).split('\n')) if (isTrouble(line)) process.stderr.write(`${line}\n`);
      done();
    },
  });
}

function isTrouble(line: string): boolean {
  if (!line.startsWith('{')) return false;
  const { level } = JSON.parse(line) as { level: number | string };
  return typeof level === 'number' ? level >= WARNING_LEVEL : ['warn', 'error', 'fatal'].includes(level);
}

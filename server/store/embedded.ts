import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StartError } from '../errors.ts';
import type { EmbeddedThreadData, EmbeddedThreadMessage } from './embedded-thread.ts';

/** PostgreSQL (PGlite) with pgvector inside this process. */
export interface EmbeddedDatabase {
  /** Folder of the Unix socket, mode 0700: whoever may open it may use the database. */
  readonly socketFolder: string;
  readonly port: number;
  /** Settles, with the reason, when the database stops without having been asked to. It cannot be restarted within the process. */
  readonly broken: Promise<Error>;
  /** Closes the database and ends its thread. Close the pool first. Safe to call twice. */
  stop(): Promise<void>;
}

/** Major version of PostgreSQL whose files the pinned PGlite reads and writes. */
const CLUSTER_VERSION = '18';
const STOP_LIMIT_MS = 10_000;
const SOCKET_PORT = 5432;
const SOCKET_FOLDER_PREFIX = 'facepool-db-';
/** Linux allows 108 bytes with the closing zero, macOS 104. */
const SOCKET_PATH_LIMIT_BYTES = 103;

/**
 * Starts the database whose files are in `folder`, making it at the first start. The caller holds the lock on the data folder:
 * PGlite itself lets two processes open one folder and loses rows.
 *
 * @throws StartError where the folder cannot be written to or holds a database of another version, or the database cannot start.
 */
export async function startEmbedded(folder: string): Promise<EmbeddedDatabase> {
  if (process.platform === 'win32')
    throw new StartError(
      'the embedded database is spoken to through a Unix socket, which Windows lacks: set DATABASE_URL',
    );
  const clusterFolder = join(folder, 'cluster');
  const halfMadeMarker = join(folder, 'cluster.being-made');
  const socketNote = join(folder, 'socket-folder');
  await prepareFolder(folder, clusterFolder, halfMadeMarker);
  await removeLeftSocketFolder(socketNote);
  const isNew = !existsSync(clusterFolder);
  if (isNew) await writeFile(halfMadeMarker, '');
  const socketFolder = await makeSocketFolder();
  await writeFile(socketNote, socketFolder);

  const socketPath = join(socketFolder, `.s.PGSQL.${SOCKET_PORT}`);
  const worker = new Worker(new URL('./embedded-thread.ts', import.meta.url), {
    name: 'database',
    workerData: { clusterFolder, socketPath } satisfies EmbeddedThreadData,
  });
  const removeSocketFolder = async () => {
    await rm(socketFolder, { recursive: true, force: true });
    await rm(socketNote, { force: true });
  };
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const ready = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<Error>();
  let stopping = false;
  const failed = (message: string) => {
    const error = new StartError(`the embedded database in ${folder} has failed: ${message}`);
    ready.reject(error);
    if (!stopping) broken.resolve(error);
  };
  worker.on('message', (message: EmbeddedThreadMessage) => {
    if (message.kind === 'ready') ready.resolve();
    else if (message.kind === 'failed') failed(message.message);
  });
  worker.once('error', (error) => failed(error instanceof Error ? error.message : String(error)));
  worker.once('exit', (code) => failed(`its thread ended with code ${code}`));

  try {
    await ready.promise;
    if (isNew) {
      await syncTree(clusterFolder);
      await rm(halfMadeMarker);
      await syncFolder(folder);
    }
  } catch (error) {
    stopping = true;
    await worker.terminate();
    await removeSocketFolder();
    throw error;
  }
  let stopped: Promise<void> | null = null;
  const stop = async () => {
    stopping = true;
    worker.postMessage('stop');
    // A database that broke down may never answer; what was committed is in its log either way.
    const limit = setTimeout(() => void worker.terminate(), STOP_LIMIT_MS);
    await exited;
    clearTimeout(limit);
    await removeSocketFolder();
  };
  return {
    socketFolder,
    port: SOCKET_PORT,
    broken: broken.promise,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

async function prepareFolder(folder: string, clusterFolder: string, halfMadeMarker: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // A start that died while it made the cluster: nothing has been stored in it yet.
    if (existsSync(halfMadeMarker)) await rm(clusterFolder, { recursive: true, force: true });
    const probe = join(folder, '.writable');
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    throw new StartError(
      `the database folder ${folder} cannot be written to: ${(error as Error).message} (DATA_DIR)`,
    );
  }
  if (!existsSync(clusterFolder)) return;
  const version = await readFile(join(clusterFolder, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
  if (version === CLUSTER_VERSION) return;
  throw new StartError(
    version === null
      ? `${clusterFolder} is there but holds no database (no PG_VERSION): move it away, or restore it from a copy`
      : `the database in ${clusterFolder} was made by PostgreSQL ${version}, this program needs ${CLUSTER_VERSION}: start the program version that made it, or move the folder away`,
  );
}

/** A killed server leaves its socket folder behind; the note in the database folder says which it was. */
async function removeLeftSocketFolder(socketNote: string): Promise<void> {
  const left = await readFile(socketNote, 'utf8').catch(() => '');
  if (basename(left).startsWith(SOCKET_FOLDER_PREFIX)) await rm(left, { recursive: true, force: true });
}

async function makeSocketFolder(): Promise<string> {
  const reserveBytes = Buffer.byteLength(`/${SOCKET_FOLDER_PREFIX}XXXXXX/.s.PGSQL.${SOCKET_PORT}`);
  const parent = [tmpdir(), '/tmp'].find(
    (folder) => Buffer.byteLength(folder) + reserveBytes <= SOCKET_PATH_LIMIT_BYTES,
  );
  const made = await mkdtemp(join(parent ?? '/tmp', SOCKET_FOLDER_PREFIX)).catch((error: Error) => {
    throw new StartError(
      `no folder for the database's socket can be made in ${parent}: ${error.message} (TMPDIR)`,
    );
  });
  await chmod(made, 0o700);
  return made;
}

/** A new cluster is some thousand files that nobody has flushed: a power cut minutes later would spoil what was committed since. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFolder(path);
  }
  await syncFolder(folder);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

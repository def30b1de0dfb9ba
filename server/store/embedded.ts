import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StartError } from '../errors.ts';
import { type DatabaseThread, startDatabaseThread } from './database-thread.ts';

/** PostgreSQL (PGlite) with pgvector inside this process. */
export interface EmbeddedDatabase {
  /** Folder of the Unix socket, mode 0700: whoever may open it may use the database. */
  readonly socketFolder: string;
  readonly port: number;
  /** Settles, with the reason, when the database has stopped unasked and does not come back within this process. */
  readonly broken: Promise<Error>;
  /** For whoever notices that it does not work: its thread is ended, and another one recovers what was committed. */
  replace(reason: string): void;
  /** Closes the database and ends its thread. Close the pool first. Safe to call twice. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Told that the database has stopped, each time before it is started anew. */
  readonly onLost?: (reason: string) => void;
  /** Told that it works again. */
  readonly onRecovered?: (awaySeconds: number) => void;
  /** In a row, before it is given up. */
  readonly mostRestarts?: number;
}

/** Major version of PostgreSQL whose files the pinned PGlite reads and writes. */
const CLUSTER_VERSION = '18';
/** A database that worked for so long stopped for a new reason. */
const FORGIVEN_AFTER_MS = 60_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const SOCKET_PORT = 5432;
const SOCKET_FOLDER_PREFIX = 'facepool-db-';
/** Linux allows 108 bytes with the closing zero, macOS 104. */
const SOCKET_PATH_LIMIT_BYTES = 103;

/**
 * Starts the database whose files are in `folder`, making it at the first start. The caller holds the lock on the data folder:
 * PGlite itself lets two processes open one folder and loses rows. A thread that ends or gives up is replaced, at the same socket;
 * to callers that is a database server which was restarted.
 *
 * @throws StartError where the folder cannot be written to or holds a database of another version, or the database cannot start.
 */
export async function startEmbedded(
  folder: string,
  // Ten are two and a half minutes with the pauses between them: what is left to try after that is a new process.
  { onLost = () => {}, onRecovered = () => {}, mostRestarts = 10 }: EmbeddedOptions = {},
): Promise<EmbeddedDatabase> {
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
  const removeSocketFolder = async () => {
    await rm(socketFolder, { recursive: true, force: true });
    await rm(socketNote, { force: true });
  };
  const broken = Promise.withResolvers<Error>();
  const hasFailed = (message: string) =>
    new StartError(`the embedded database in ${folder} has failed: ${message}`);
  const ending = new AbortController();
  let thread: DatabaseThread | null = null;

  /** Keeps a thread running until `stop`. */
  async function supervise(first: DatabaseThread): Promise<void> {
    thread = first;
    let restarts = 0;
    while (!ending.signal.aborted) {
      const startedMs = performance.now();
      let reason = await thread.failed;
      const lostMs = performance.now();
      if (lostMs - startedMs > FORGIVEN_AFTER_MS) restarts = 0;
      const failed = thread;
      thread = null;
      if (!ending.signal.aborted) onLost(reason);
      if (!(await failed.end())) return broken.resolve(hasFailed(`${reason}, and its thread does not end`));
      if (ending.signal.aborted) return;
      while (thread === null) {
        if (restarts >= mostRestarts)
          return broken.resolve(hasFailed(`${reason}, after ${restarts} restarts`));
        const pauseMs = restarts === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (restarts - 1), LONGEST_PAUSE_MS);
        restarts++;
        await pause(pauseMs, undefined, { signal: ending.signal }).catch(() => {});
        if (ending.signal.aborted) return;
        // The thread that ended has left it behind.
        await rm(socketPath, { force: true });
        thread = await startDatabaseThread({ clusterFolder, socketPath }).catch((error: Error) => {
          reason = error.message;
          onLost(reason);
          return null;
        });
      }
      if (!ending.signal.aborted) onRecovered((performance.now() - lostMs) / 1000);
    }
  }

  let first: DatabaseThread | null = null;
  try {
    first = await startDatabaseThread({ clusterFolder, socketPath });
    if (isNew) {
      await syncTree(clusterFolder);
      await rm(halfMadeMarker);
      await syncFolder(folder);
    }
  } catch (error) {
    await first?.end();
    await removeSocketFolder();
    throw hasFailed((error as Error).message);
  }
  const supervised = supervise(first);
  let stopped: Promise<void> | null = null;
  const stop = async () => {
    ending.abort();
    await thread?.stop();
    await supervised;
    // One that was being started in the place of another.
    await thread?.stop();
    await removeSocketFolder();
  };
  return {
    socketFolder,
    port: SOCKET_PORT,
    broken: broken.promise,
    replace: (reason) => thread?.fail(reason),
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

/**
 * The thread of the embedded database: PGlite blocks the thread it runs in, so it gets one of its own and is spoken to through a
 * Unix socket, with the same driver as a PostgreSQL server.
 */
import { fsyncSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

export interface EmbeddedThreadData {
  readonly clusterFolder: string;
  readonly socketPath: string;
}

export type EmbeddedThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly message: string };

interface NodeFileStream {
  readonly nfd: number;
}

interface EmscriptenFileSystem {
  readonly filesystems: {
    readonly NODEFS: { readonly stream_ops: { fsync?: (stream: NodeFileStream) => number } };
  };
}

/**
 * What PGlite starts PostgreSQL with, except for its -F: with that flag, and with fdatasync, which its C library ignores, a
 * commit would survive the end of the process but not a power cut.
 */
const START_PARAMETERS = [
  '--single',
  '-O',
  '-j',
  ...[
    'search_path=public',
    'exit_on_error=false',
    'log_checkpoints=false',
    'max_worker_processes=0',
    'max_parallel_workers=0',
    'max_parallel_workers_per_gather=0',
    'max_parallel_maintenance_workers=0',
    'io_method=sync',
    'fsync=on',
    'wal_sync_method=fsync',
    // A log that a checkpoint has made superfluous is deleted, not kept for reuse: embeddings of deleted people stand in it too.
    'wal_recycle=off',
    'min_wal_size=2MB',
    // Half of the database's memory was page cache that the operating system keeps anyway.
    'shared_buffers=32MB',
    'maintenance_work_mem=64MB',
  ].flatMap((setting) => ['-c', setting]),
];

async function main({ clusterFolder, socketPath }: EmbeddedThreadData): Promise<void> {
  const port = parentPort!;
  const post = (message: EmbeddedThreadMessage) => port.postMessage(message);
  try {
    const database = await PGlite.create({
      dataDir: clusterFolder,
      extensions: { vector },
      relaxedDurability: false,
      startParams: START_PARAMETERS,
      // Write-ahead log in segments of 1 MB: a new cluster is 15 MB smaller and made sooner.
      initDbStartParams: ['--wal-segsize=1', '--no-sync'],
    });
    makeSyncReal(database);
    const server = new PGLiteSocketServer({
      db: reportBreakdown(database, post),
      path: socketPath,
      // One connection works at a time (pool.ts says why); the second place is for a new one while the old one is being closed.
      maxConnections: 2,
    });
    await server.start();
    port.on('message', async () => {
      await server.stop();
      await database.close();
      post({ kind: 'stopped' });
      port.close();
    });
    post({ kind: 'ready' });
  } catch (error) {
    post({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    port.close();
  }
}

/** Emscripten's NODEFS has no fsync of its own: without one, PostgreSQL's call succeeds and does nothing. */
function makeSyncReal(database: PGlite): void {
  const { NODEFS } = (database.Module.FS as unknown as EmscriptenFileSystem).filesystems;
  NODEFS.stream_ops.fsync = ({ nfd }) => {
    fsyncSync(nfd);
    return 0;
  };
}

/**
 * An SQL error is an answer like any other; only a database that broke down rejects. The socket server would then wait for ever, so
 * the main thread is told, which starts another thread: what was committed is in the log, and that one recovers it.
 */
function reportBreakdown(database: PGlite, post: (message: EmbeddedThreadMessage) => void): PGlite {
  const execute = database.execProtocolRawStream.bind(database);
  database.execProtocolRawStream = async (message, options) => {
    try {
      await execute(message, options);
    } catch (error) {
      post({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };
  return database;
}

await main(workerData as EmbeddedThreadData);

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../errors.ts';

/** The right to use a data folder, held until `release` or the end of the process, however it ends. */
export interface FolderLock {
  release(): void;
}

const LOCK_FILE = 'facepool.lock';
const HOLDER_FILE = 'facepool.lock.json';
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

/** A lock that nobody refers to any more would be collected as garbage, and with it released. */
const held = new Set<DatabaseSync>();

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/**
 * Takes the exclusive lock on `folder` (made with mode 0700 where it is missing), at once or not at all.
 *
 * Node has no flock of its own, so the lock is the one that SQLite takes on an empty file: a byte-range lock of the operating
 * system (fcntl on Linux, macOS and the BSDs; LockFileEx on Windows). The kernel drops it when the process dies, kill -9 included,
 * so a stale lock cannot exist; it holds between containers that share the folder, and children do not inherit it. A second call in
 * the same process is refused too. On a network folder it is as good as that folder's own locks (NFS 4: good; some FUSE: none at all).
 *
 * @throws StartError naming the folder and the holder's process, or why the folder cannot be locked.
 */
export function lockFolder(folder: string): FolderLock {
  const holderFile = join(folder, HOLDER_FILE);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
    // Nothing is ever written into the file: BEGIN EXCLUSIVE alone takes the lock.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    const code = (error as { errcode?: number }).errcode;
    if (code === SQLITE_BUSY || code === SQLITE_LOCKED) throw heldByAnother(folder, readHolder(holderFile));
    throw new StartError(
      `the data folder ${folder} cannot be used: ${(error as Error).message}. It has to be a folder that this user may write to, on a file system with locks (DATA_DIR)`,
    );
  }
  const kept = database;
  held.add(kept);
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  // Only for the message to whoever comes second; the lock does not depend on it.
  writeFileSync(holderFile, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      rmSync(holderFile, { force: true });
      held.delete(kept);
      kept.close();
    },
  };
}

function heldByAnother(folder: string, holder: Holder | null): StartError {
  const who =
    holder === null
      ? 'another process'
      : `process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`} (since ${holder.since})`;
  return new StartError(
    `the data folder ${folder} is in use by ${who}. Stop that server, or give this one a DATA_DIR of its own`,
  );
}

function readHolder(file: string): Holder | null {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>;
    return typeof value.pid === 'number' && typeof value.host === 'string' && typeof value.since === 'string'
      ? { pid: value.pid, host: value.host, since: value.since }
      : null;
  } catch {
    return null;
  }
}

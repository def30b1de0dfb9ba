/** The API key that the server makes for itself where none is set. */
import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from './errors.ts';
import type { Log } from './log.ts';

export interface KeptKey {
  readonly key: string;
  readonly path: string;
  readonly created: boolean;
  /** The file could be read by others; its mode was put right. */
  readonly wasReadableByOthers: boolean;
}

const OWNER_ONLY = 0o600;

/**
 * Reads `<folder>/api-key`, or makes it: 32 random bytes in base64url, mode 0600.
 * @throws {StartError} where the file cannot be read or written, or holds no key
 */
export async function readOrCreateApiKey(folder: string): Promise<KeptKey> {
  const path = join(folder, 'api-key');
  try {
    return (await readKey(path)) ?? (await createKey(path));
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`the API key in ${path} cannot be read or written: ${(error as Error).message}`);
  }
}

/** The key of this folder; says it to people where it was made just now. */
export async function ownApiKey(folder: string, log: Log, output: NodeJS.WritableStream): Promise<string> {
  const kept = await readOrCreateApiKey(folder);
  // For people, and only this once: the log never shows a key.
  if (kept.created)
    output.write(`API key (made now, shown only this once, kept in ${kept.path}): ${kept.key}\n`);
  if (kept.wasReadableByOthers)
    log.warn(
      { path: kept.path },
      'the API key could be read by other users of this machine; its mode is 0600 now',
    );
  return kept.key;
}

async function readKey(path: string): Promise<KeptKey | null> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (status === null) return null;
  const key = (await readFile(path, 'utf8')).trim();
  if (!/^[\x21-\x7e]{16,}$/.test(key))
    throw new StartError(
      `${path}: expected a key of at least 16 printable characters; delete the file and a new key is made`,
    );
  // Windows has no such modes: stat shows 0666 there, and chmod cannot change it.
  const wasReadableByOthers = process.platform !== 'win32' && (status.mode & 0o077) !== 0;
  if (wasReadableByOthers) await chmod(path, OWNER_ONLY);
  return { key, path, created: false, wasReadableByOthers };
}

async function createKey(path: string): Promise<KeptKey> {
  const key = randomBytes(32).toString('base64url');
  const file = await open(path, 'wx', OWNER_ONLY);
  try {
    await file.writeFile(`${key}\n`);
    await file.sync();
  } catch (error) {
    // Half a key must not be taken for the key at the next start.
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return { key, path, created: true, wasReadableByOthers: false };
}

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { download } from './download.ts';
import { ModelFetchError, sourceError, targetError } from './fetch-error.ts';
import type { ModelFile } from './manifest.ts';
import { modelPath, modelsFolder, verifyModel } from './place.ts';

export interface FetchProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface FetchOptions {
  /** A folder that holds the file under its own name; nothing is downloaded then. */
  readonly from?: string;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Aborting leaves nothing behind. */
  readonly signal?: AbortSignal;
  /** The longest pause between two pieces of a download. */
  readonly idleTimeoutMs?: number;
  /** The longest a whole download may take. */
  readonly totalTimeoutMs?: number;
  /** Allows plain http, for servers on this machine in tests. */
  readonly allowInsecure?: boolean;
}

export interface FetchedModel {
  readonly path: string;
  /** The address or path it came from; null where a verified file was there already. */
  readonly origin: string | null;
}

const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
const DEFAULT_TOTAL_TIMEOUT_MS = 600_000;

/** A piece that no process has touched for so long was left by one that was killed. */
const ABANDONED_AFTER_MS = 3_600_000;

/** The path of a file that is there and verified, else null. */
export async function installedModel(dataDir: string, file: ModelFile): Promise<string | null> {
  const path = modelPath(dataDir, file);
  const { state } = await verifyModel(path, file);
  return state === 'verified' ? path : null;
}

/**
 * Brings a model's file to `<dataDir>/models`, from a folder or from its addresses in turn.
 *
 * It is written under a name of its own, flushed to the disk, compared with its SHA-256 and only then given its real name: whoever opens
 * that name sees the old file or the whole new one, two processes may do this at once, and after any error everything is as before.
 *
 * @throws ModelFetchError, its message with what to do about it
 */
export async function fetchModel(
  file: ModelFile,
  dataDir: string,
  options: FetchOptions = {},
): Promise<FetchedModel> {
  const path = modelPath(dataDir, file);
  if ((await verifyModel(path, file)).state === 'verified') return { path, origin: null };

  const origins = options.from === undefined ? file.urls : [join(options.from, file.fileName)];
  if (origins.length === 0) {
    throw new ModelFetchError(
      'NO_SOURCE',
      `${file.fileName} has no address to fetch it from: copy it with --from <folder>`,
    );
  }
  const folder = modelsFolder(dataDir);
  try {
    await mkdir(dataDir, { recursive: true });
    // Not recursive: that would call a read-only disk "no such file".
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await removeAbandoned(folder, file);
  } catch (error) {
    throw targetError(error, folder);
  }
  const failures: ModelFetchError[] = [];
  for (const origin of origins) {
    try {
      await placeFrom(origin, file, folder, options);
      return { path, origin };
    } catch (error) {
      if (!(error instanceof ModelFetchError) || error.isFinal) throw error;
      failures.push(error);
    }
  }
  const [only] = failures;
  if (only !== undefined && failures.length === 1) throw only;
  const reasons = failures.map((failure) => failure.message).join('; ');
  throw new ModelFetchError(
    failures.at(-1)!.code,
    `none of the ${failures.length} addresses gave the file: ${reasons}`,
  );
}

async function placeFrom(
  origin: string,
  file: ModelFile,
  folder: string,
  options: FetchOptions,
): Promise<void> {
  const partPath = join(folder, `${partPrefix(file)}${process.pid}-${randomUUID()}.part`);
  let handle: FileHandle | undefined;
  try {
    try {
      handle = await open(partPath, 'wx', 0o644);
    } catch (error) {
      throw targetError(error, folder);
    }
    await receive(origin, file, handle, folder, options);
    try {
      await handle.sync();
      await handle.close();
      handle = undefined;
      await rename(partPath, join(folder, file.fileName));
      await syncFolder(folder);
    } catch (error) {
      throw targetError(error, folder);
    }
  } finally {
    await handle?.close().catch(() => {});
    await rm(partPath, { force: true }).catch(() => {});
  }
}

/** Writes what comes from the origin, and checks size and hash of what came. */
async function receive(
  origin: string,
  file: ModelFile,
  handle: FileHandle,
  folder: string,
  options: FetchOptions,
): Promise<void> {
  const hash = createHash('sha256');
  let receivedBytes = 0;
  for await (const chunk of readOrigin(origin, options)) {
    receivedBytes += chunk.length;
    if (receivedBytes > file.sizeBytes) {
      throw new ModelFetchError(
        'WRONG_SIZE',
        `${origin}: expected ${file.sizeBytes} bytes, more are coming; it is another file`,
      );
    }
    hash.update(chunk);
    try {
      await handle.writeFile(chunk);
    } catch (error) {
      throw targetError(error, folder);
    }
    options.onProgress?.({ receivedBytes, totalBytes: file.sizeBytes });
  }
  if (receivedBytes < file.sizeBytes) {
    throw new ModelFetchError(
      'CUT_OFF',
      `${origin}: ended after ${receivedBytes} of ${file.sizeBytes} bytes; try again`,
    );
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== file.sha256) {
    throw new ModelFetchError(
      'WRONG_HASH',
      `${origin}: expected SHA-256 ${file.sha256}, received ${sha256}; it is another file and was thrown away`,
    );
  }
}

async function* readOrigin(origin: string, options: FetchOptions): AsyncGenerator<Uint8Array> {
  if (options.from === undefined) {
    yield* download(origin, {
      signal: options.signal ?? null,
      idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
      totalTimeoutMs: options.totalTimeoutMs ?? DEFAULT_TOTAL_TIMEOUT_MS,
      allowInsecure: options.allowInsecure ?? false,
    });
    return;
  }
  const stream = createReadStream(origin)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      const piece = await stream.next().catch((error: unknown) => {
        throw sourceError(error, origin);
      });
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    await stream.return?.();
  }
}

async function removeAbandoned(folder: string, file: ModelFile): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!(name.startsWith(partPrefix(file)) && name.endsWith('.part'))) continue;
    const path = join(folder, name);
    const status = await stat(path).catch(() => null);
    if (status !== null && Date.now() - status.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

function partPrefix(file: ModelFile): string {
  return `.${file.fileName}.`;
}

/** Makes the new name itself survive a power cut; Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

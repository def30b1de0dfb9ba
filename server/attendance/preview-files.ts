/** Pictures of cameras that were asked for as files: kept for an hour, and never many of them. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';

export interface PreviewFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

export interface PreviewFiles {
  /** @returns the file's name and its whole path */
  add(jpeg: Uint8Array, at: Date): Promise<{ readonly name: string; readonly path: string }>;
  /** Null where there is no such file (any more). */
  open(name: string): Promise<PreviewFile | null>;
  close(): void;
}

const LIFETIME_MS = 3_600_000;
const SWEEP_EVERY_MS = 60_000;
const MAX_FILES = 1000;
/** Seconds since 1970, as the contract has it, and enough chance that no name can be guessed or occurs twice. */
const NAME = /^camera_preview_\d{1,12}_[0-9a-f]{12}\.jpg$/;

/** @param folder may hold other files: only ours, known by their names, are ever removed */
export async function openPreviewFiles(folder: string, log: Log): Promise<PreviewFiles> {
  async function sweep(): Promise<void> {
    const names = (await readdir(folder)).filter((name) => NAME.test(name));
    const files: { path: string; modifiedMs: number }[] = [];
    for (const name of names) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (found !== null) files.push({ path, modifiedMs: found.mtimeMs });
    }
    files.sort((a, b) => b.modifiedMs - a.modifiedMs);
    for (const [place, { path, modifiedMs }] of files.entries())
      if (place >= MAX_FILES || Date.now() - modifiedMs >= LIFETIME_MS) await rm(path, { force: true });
  }

  const sweepOrTell = () =>
    sweep().catch((error: unknown) => log.warn({ err: error }, 'old camera pictures could not be removed'));
  await sweepOrTell();
  const timer = setInterval(sweepOrTell, SWEEP_EVERY_MS);
  timer.unref();

  return {
    async add(jpeg, at) {
      const name = `camera_preview_${Math.floor(at.getTime() / 1000)}_${randomBytes(6).toString('hex')}.jpg`;
      const path = join(folder, name);
      await writeFile(path, jpeg, { flag: 'wx', mode: 0o600 });
      return { name, path };
    },

    async open(name) {
      if (!NAME.test(name)) return null;
      const handle = await open(join(folder, name), 'r').catch(() => null);
      if (handle === null) return null;
      const { size, mtime, mtimeMs } = await handle.stat();
      if (Date.now() - mtimeMs < LIFETIME_MS) return { handle, sizeBytes: size, modifiedAt: mtime };
      await handle.close();
      return null;
    },

    close: () => clearInterval(timer),
  };
}

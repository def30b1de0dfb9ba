/** Pictures that lie in PERMITTED_FACES_DIR at the start, enrolled under their files' names as the older recogniser did. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, parse } from 'node:path';
import { forEachPicture, withPatience } from './background-pictures.ts';

export interface ImportReport {
  readonly enrolled: number;
  /** Enrolled at an earlier start, whether the person is still there or has been deleted since. */
  readonly known: number;
  readonly failed: readonly { readonly file: string; readonly reason: string }[];
}

export interface ImportOptions {
  readonly folder: string;
  readonly maxPictureBytes: number;
  readonly wasImported: (sha256: string) => Promise<boolean>;
  readonly enrol: (name: string, bytes: Uint8Array) => Promise<unknown>;
  readonly signal: AbortSignal;
}

const PICTURE_EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif']);

/**
 * Enrols each picture once: what it hashes to is remembered, so a person who is deleted through the API does not come back at the
 * next start although the file still lies there. A picture that is refused is tried again at every start, and named with the
 * reason. A missing folder is an empty one.
 */
export async function importPermittedFolder(options: ImportOptions): Promise<ImportReport> {
  const { folder, signal } = options;
  const failed: { file: string; reason: string }[] = [];
  let enrolled = 0;
  let known = 0;
  await forEachPicture(await pictureFiles(folder), signal, async (file) => {
    try {
      const path = join(folder, file);
      const target = await stat(path);
      if (!target.isFile()) throw new Error('expected a file');
      if (target.size > options.maxPictureBytes)
        throw new Error(
          `the file has ${target.size} bytes, at most ${options.maxPictureBytes} are read (MAX_UPLOAD_BYTES)`,
        );
      const bytes = await readFile(path);
      if (await options.wasImported(sha256Of(bytes))) {
        known++;
        return;
      }
      await withPatience(signal, () => options.enrol(parse(file).name, bytes));
      enrolled++;
    } catch (error) {
      failed.push({ file, reason: (error as Error).message });
    }
  });
  return { enrolled, known, failed };
}

/** Names of the picture files directly in the folder, sorted. */
export async function pictureFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter(
      (entry) =>
        (entry.isFile() || entry.isSymbolicLink()) &&
        PICTURE_EXTENSIONS.has(extname(entry.name).toLowerCase()),
    )
    .map((entry) => entry.name)
    .sort();
}

/** Lower-case hexadecimal. */
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

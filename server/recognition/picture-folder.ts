import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ServerError } from '../errors.ts';

/** The enrolment pictures on the disk, as they were posted; names are random and say nothing about who is on them. */
export interface PictureFolder {
  /** Writes a picture so that it survives a power cut from here on, and returns its plain file name. */
  write(bytes: Uint8Array): Promise<string>;
  read(fileName: string): Promise<Uint8Array>;
  /** Removes pictures for good; those that are gone already count as removed. @throws ServerError naming how many are left. */
  remove(fileNames: readonly string[]): Promise<void>;
  /** Removes everything that is not in `known`: what a crash left between writing and committing, or between deleting and removing. */
  sweep(known: ReadonlySet<string>): Promise<number>;
}

const UNFINISHED = '.part';

export async function openPictureFolder(folder: string): Promise<PictureFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });

  async function remove(fileNames: readonly string[]): Promise<void> {
    const left: unknown[] = [];
    for (const fileName of fileNames)
      await rm(join(folder, fileName), { force: true }).catch((error) => left.push(error));
    await syncFolder(folder);
    if (left.length > 0)
      throw new ServerError(
        500,
        'PICTURES_LEFT',
        `${left.length} of ${fileNames.length} pictures could not be removed from the disk; the next start tries again`,
        { cause: left[0] },
      );
  }

  return {
    async write(bytes) {
      const fileName = `${randomBytes(16).toString('hex')}.${extensionOf(bytes)}`;
      const unfinished = join(folder, `${fileName}${UNFINISHED}`);
      try {
        const handle = await open(unfinished, 'wx', 0o600);
        try {
          await handle.writeFile(bytes);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(unfinished, join(folder, fileName));
        await syncFolder(folder);
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => {});
        throw writeFailed(error);
      }
      return fileName;
    },
    read: (fileName) => readFile(join(folder, fileName)),
    remove,
    async sweep(known) {
      const entries = await readdir(folder, { withFileTypes: true });
      const orphans = entries.filter((entry) => entry.isFile() && !known.has(entry.name));
      await remove(orphans.map((entry) => entry.name));
      return orphans.length;
    },
  };
}

/** From the first bytes; the pipeline reads nothing but these formats. */
function extensionOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 12)).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'jpg';
  if (text.startsWith('\x89PNG')) return 'png';
  if (text.startsWith('RIFF') && text.slice(8) === 'WEBP') return 'webp';
  if (text.slice(4, 8) === 'ftyp') return 'avif';
  return 'bin';
}

function writeFailed(error: unknown): unknown {
  const code = (error as { code?: string }).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ServerError(
      507,
      'DISK_FULL',
      'the picture cannot be stored: the disk is full; make room in DATA_DIR',
      {
        cause: error,
      },
    );
  return error;
}

/** A rename or a removal is on the disk once its folder is. Windows cannot open a folder, and does this by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

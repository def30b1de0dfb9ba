/**
 * The files of frames: a picture, and where one is kept the untouched frame beside it. A frame is there whole or not at all, and never
 * changes while somebody reads it.
 */
import type { EventEmitter } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';

/** The untouched frame, kept beside the stored picture: the bytes, and the headers that describe them. */
export interface RawFrameFile {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OpenedFrame {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Headers to answer with; they carry the type. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface FrameOnDisk {
  /** Plain file name, `<device>_<ms>.jpg`. */
  readonly name: string;
  /** An untouched frame is kept beside it. */
  readonly hasRaw: boolean;
}

export interface FoundFrame extends FrameOnDisk {
  readonly createdAt: Date;
  /** Of the picture. */
  readonly sizeBytes: number;
  /** Of the untouched frame. */
  readonly rawBytes: number;
}

/** Names are joined to the folder's path as they are: whoever calls has checked them. */
export interface FrameFiles {
  /**
   * Writes the picture, and the raw frame where one is given; readers see it only once it is whole. Nothing is forced to the disk: what
   * was written in the last half minute before a power cut may be empty afterwards, or what the file held before.
   * @param over a frame whose time is over: its files become those of the new one. It is gone afterwards, whatever happens
   * @throws what the file system says; nothing is left of either frame then
   */
  write(name: string, jpeg: Uint8Array, raw: RawFrameFile | null, over: FrameOnDisk | null): Promise<void>;
  /** Readers that have it open read it to its end. */
  remove(frame: FrameOnDisk): Promise<void>;
  /** Somebody has it open, or is about to: it must not be given to `write` as `over`. */
  isRead(name: string): boolean;
  /** Null where there is no such file. Whoever opens closes the handle. */
  open(name: string): Promise<OpenedFrame | null>;
  openRaw(name: string): Promise<OpenedFrame | null>;
  read(name: string): Promise<Uint8Array | null>;
}

const JPEG_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*_(\d{1,16})\.jpg$/;
const RAW = '.raw';
const RAW_HEADERS = '.raw.json';
const UNFINISHED = '.part';
/** Windows has no such flag. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

export function createFrameFiles(folder: string, log: Log): FrameFiles {
  /** How many have opened files of this name, or are about to. */
  const readers = new Map<string, number>();
  const path = (file: string) => join(folder, file);

  function countReader(name: string, change: 1 | -1): void {
    const count = (readers.get(name) ?? 0) + change;
    if (count === 0) readers.delete(name);
    else readers.set(name, count);
  }

  /** Counts as a reader from the call on, not only once the file is open. */
  async function openFile(name: string, suffix: string): Promise<FileHandle | null> {
    countReader(name, 1);
    const leave = () => countReader(name, -1);
    try {
      const handle = await open(path(name + suffix), constants.O_RDONLY | NO_FOLLOW);
      // Told when closing begins; a read that is still under way ends before the promise does. The types leave out that it tells.
      (handle as FileHandle & EventEmitter).once('close', () => void handle.close().then(leave, leave));
      return handle;
    } catch (error) {
      leave();
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async function openWith(
    name: string,
    suffix: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<OpenedFrame | null> {
    const handle = await openFile(name, suffix);
    if (handle === null) return null;
    try {
      const { size, mtime } = await handle.stat();
      return { handle, sizeBytes: size, modifiedAt: mtime, headers };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async function remove(file: string): Promise<void> {
    try {
      await unlink(path(file));
    } catch (error) {
      if (!isMissing(error)) log.warn({ err: error, file }, 'a file of a frame could not be removed');
    }
  }

  /** The file `over` under another name, to be written over. Null where that fails: it is removed then. */
  async function takeOver(over: string, file: string): Promise<FileHandle | null> {
    try {
      await rename(path(over), path(file));
      return await open(path(file), constants.O_WRONLY | NO_FOLLOW);
    } catch {
      await remove(over);
      await remove(file);
      return null;
    }
  }

  async function writeFile(file: string, bytes: Uint8Array, over: string | null): Promise<void> {
    const taken = over === null ? null : await takeOver(over, file);
    const handle = taken ?? (await open(path(file), 'w', 0o600));
    try {
      await handle.writeFile(bytes);
      if (taken !== null) await handle.truncate(bytes.length);
    } finally {
      await handle.close();
    }
  }

  return {
    async write(name, jpeg, raw, over) {
      const contents = contentsOf(jpeg, raw);
      const left = new Set(over === null ? [] : suffixesOf(over));
      try {
        // The old picture goes first and the new one comes last: whatever end comes in between, the next start finds nothing but
        // unfinished files and raw frames without a picture, and removes both.
        for (const [suffix, bytes] of contents) {
          await writeFile(name + suffix + UNFINISHED, bytes, left.has(suffix) ? over!.name + suffix : null);
          left.delete(suffix);
        }
        for (const suffix of left) await remove(over!.name + suffix);
        for (const [suffix] of contents.toReversed())
          await rename(path(name + suffix + UNFINISHED), path(name + suffix));
      } catch (error) {
        for (const [suffix] of contents) {
          await remove(name + suffix);
          await remove(name + suffix + UNFINISHED);
        }
        for (const suffix of left) await remove(over!.name + suffix);
        throw error;
      }
    },
    async remove(frame) {
      // Only what is there: some hundred frames a second come, and as many go.
      for (const suffix of suffixesOf(frame)) await remove(frame.name + suffix);
    },
    isRead: (name) => readers.has(name),
    open: (name) => openWith(name, '', { 'Content-Type': 'image/jpeg' }),
    async openRaw(name) {
      const headersFile = await openFile(name, RAW_HEADERS);
      if (headersFile === null) return null;
      try {
        const headers = JSON.parse(await headersFile.readFile('utf8')) as Record<string, string>;
        return await openWith(name, RAW, headers);
      } finally {
        await headersFile.close();
      }
    },
    async read(name) {
      const handle = await openFile(name, '');
      if (handle === null) return null;
      try {
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    },
  };
}

/** What an earlier run left in the folder, oldest first; what it left unfinished is removed. */
export async function findFrames(folder: string): Promise<FoundFrame[]> {
  const names = new Set(await readdir(folder));
  const found: FoundFrame[] = [];
  for (const name of names) {
    // Left by a run that ended in the middle of writing, or whose picture is gone.
    const picture = name.replace(/(\.raw(\.json)?)$/, '');
    if (name.endsWith(UNFINISHED) || (picture !== name && !names.has(picture))) {
      await unlink(join(folder, name));
      continue;
    }
    const match = JPEG_NAME.exec(name);
    if (match === null) continue;
    found.push({
      name,
      hasRaw: names.has(name + RAW) || names.has(name + RAW_HEADERS),
      createdAt: new Date(Number(match[1])),
      sizeBytes: (await lstat(join(folder, name))).size,
      rawBytes: names.has(name + RAW) ? (await lstat(join(folder, name + RAW))).size : 0,
    });
  }
  return found.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
}

/** The picture first. */
function contentsOf(jpeg: Uint8Array, raw: RawFrameFile | null): (readonly [string, Uint8Array])[] {
  if (raw === null) return [['', jpeg]];
  return [
    ['', jpeg],
    [RAW, raw.bytes],
    [RAW_HEADERS, Buffer.from(JSON.stringify(raw.headers))],
  ];
}

const suffixesOf = ({ hasRaw }: FrameOnDisk) => (hasRaw ? ['', RAW, RAW_HEADERS] : ['']);

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Videos of what boards sent lately: made one at a time, seen only once they are whole, kept until somebody deletes them. */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { overloaded, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { OpenedFrame } from './frame-files.ts';
import { fileNamePart } from './frame-names.ts';
import {
  type ChosenFrame,
  canvasSize,
  chooseFrames,
  type FrameSource,
  timedPictures,
} from './recorded-frames.ts';
import { encodeVideo, type FrameTiming, ffmpegMissing, frameTimingOption } from './video-encoder.ts';

export interface RecordingsOptions {
  readonly folder: string;
  readonly frames: FrameSource;
  /** Null where there is none: recordings are then answered 503. */
  readonly ffmpegPath: string | null;
  /** Where recordings take more bytes than this, no more are made. */
  readonly storageBytes: number;
  readonly log: Log;
  /** Told of each recording that was refused because too many wait. */
  readonly onRefused?: () => void;
}

export interface StoredRecording {
  /** Plain file name. */
  readonly name: string;
  readonly createdAt: Date;
  readonly sizeBytes: number;
}

export interface NewRecording extends StoredRecording {
  readonly frameCount: number;
}

export type Recordings = Awaited<ReturnType<typeof openRecordings>>;

const MAX_WAITING = 8;
const ENCODE_TIMEOUT_MS = 120_000;
const RETRY_AFTER_S = 10;
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,250}\.mp4$/;
const UNFINISHED = '.part';

/** The plain name of an .mp4, as files here are called. */
export const isRecordingName = (name: string): boolean => NAME.test(name);

/** Opens the folder, takes in what lies there, and removes what an earlier run did not finish. */
export async function openRecordings(options: RecordingsOptions) {
  const { folder, frames, ffmpegPath, log } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const entries = await readFolder(folder);
  const closing = new AbortController();
  let frameTiming: Promise<FrameTiming> | null = null;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  const path = (name: string) => join(folder, name);
  const storedBytes = () => [...entries.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

  function reserve(prefix: string): { name: string; createdAt: Date } {
    for (let ms = Date.now(); ; ms++) {
      const name = `${prefix}_${ms}.mp4`;
      if (!entries.has(name)) return { name, createdAt: new Date(ms) };
    }
  }

  async function make(chosen: readonly ChosenFrame[], prefix: string): Promise<NewRecording | null> {
    if (ffmpegPath === null) throw ffmpegMissing();
    const size = await canvasSize(frames, chosen);
    // The frames were removed while others were recorded.
    if (size === null) return null;
    frameTiming ??= frameTimingOption(ffmpegPath);
    // An ffmpeg that was missing may have been installed by the next time.
    frameTiming.catch(() => {
      frameTiming = null;
    });
    const { name, createdAt } = reserve(prefix);
    const unfinished = path(name + UNFINISHED);
    const counted = { frames: 0 };
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(ENCODE_TIMEOUT_MS)]);
    try {
      const pictures = timedPictures(frames, chosen, counted);
      await encodeVideo(pictures, {
        ffmpegPath,
        frameTiming: await frameTiming,
        output: unfinished,
        size,
        signal,
      });
      const sizeBytes = await settleFile(unfinished);
      await rename(unfinished, path(name));
      const entry = { name, createdAt, sizeBytes };
      entries.set(name, entry);
      return { ...entry, frameCount: counted.frames };
    } catch (error) {
      await rm(unfinished, { force: true });
      log.warn({ err: (error as Error).cause ?? error }, 'a recording failed');
      throw error;
    }
  }

  return {
    /**
     * Makes a video of the frames that are there at this moment.
     * @param deviceId null for those of all devices
     * @returns null where there is no frame
     * @throws {ServerError} 429 where too many wait, 507 where the space for recordings or the disk is full, 503 without ffmpeg
     */
    async record(deviceId: string | null): Promise<NewRecording | null> {
      if (closing.signal.aborted) throw stopping();
      if (waiting >= MAX_WAITING) {
        options.onRefused?.();
        throw overloaded(RETRY_AFTER_S);
      }
      if (storedBytes() >= options.storageBytes) throw spaceTaken(options.storageBytes);
      const chosen = chooseFrames(frames, deviceId);
      if (chosen.length === 0) return null;
      waiting++;
      const made = last.then(() => make(chosen, deviceId === null ? 'all_devices' : fileNamePart(deviceId)));
      last = made.catch(() => {});
      return made.finally(() => waiting--);
    },

    /** Newest first. */
    list(): StoredRecording[] {
      return [...entries.values()].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
    },

    /** Null where there is no such recording. Whoever opens closes the handle. */
    async open(name: string): Promise<OpenedFrame | null> {
      // Only names that are in the index are ever joined to the folder's path.
      if (!entries.has(name)) return null;
      try {
        const handle = await open(path(name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
        const { size, mtime } = await handle.stat();
        return { handle, sizeBytes: size, modifiedAt: mtime, headers: { 'Content-Type': 'video/mp4' } };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        entries.delete(name);
        return null;
      }
    },

    /** False where there is no such recording. */
    async remove(name: string): Promise<boolean> {
      if (!entries.has(name)) return false;
      await rm(path(name), { force: true });
      return entries.delete(name);
    },

    /** Stops what is being recorded; it leaves nothing. */
    async close(): Promise<void> {
      closing.abort();
      await last;
    },
  };
}

/** Has the file written to the disk. @returns its size */
async function settleFile(path: string): Promise<number> {
  const handle = await open(path, 'r+');
  try {
    await handle.chmod(0o600);
    await handle.sync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

async function readFolder(folder: string): Promise<Map<string, StoredRecording>> {
  const entries = new Map<string, StoredRecording>();
  for (const name of await readdir(folder)) {
    if (name.endsWith(UNFINISHED)) await rm(join(folder, name), { force: true });
    if (!isRecordingName(name)) continue;
    const { size, mtime } = await stat(join(folder, name));
    const ms = /_(\d{12,14})\.mp4$/.exec(name)?.[1];
    entries.set(name, { name, createdAt: ms === undefined ? mtime : new Date(Number(ms)), sizeBytes: size });
  }
  return entries;
}

const spaceTaken = (storageBytes: number) =>
  new ServerError(
    507,
    'RECORDINGS_FULL',
    `the recordings take the ${storageBytes} bytes that they may: delete some first`,
  );

const stopping = () =>
  new ServerError(503, 'SHUTTING_DOWN', 'the server is shutting down', { retryAfterS: RETRY_AFTER_S });

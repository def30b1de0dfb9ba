/** The pictures of boards on the disk: stored under names that never collide, listed, and removed when their time is over. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type Clocks, systemClocks } from './device.ts';
import { fileNamePart, namesOf } from './frame-names.ts';

export interface FramesOptions {
  readonly folder: string;
  readonly retentionS: number;
  /** The oldest frames go where more bytes than this are stored. */
  readonly storageBytes: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clocks?: Clocks;
}

/** The untouched frame, kept beside the stored picture: the bytes, and the headers that describe them. */
export interface RawFrameFile {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export interface StoredFrame {
  /** Plain file name, `<device>_<ms>.jpg`. */
  readonly name: string;
  readonly createdAt: Date;
  readonly sizeBytes: number;
}

export interface OpenedFrame {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Headers to answer with; they carry the type. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface FrameStore {
  /** Writes the picture, and the raw frame where one is given; readers see it only once it is whole. */
  store(deviceId: string, jpeg: Uint8Array, raw: RawFrameFile | null): Promise<StoredFrame>;
  /** Newest first; of one device, or of all without it. */
  list(limit: number, deviceId?: string | null): StoredFrame[];
  /** Those of the last `windowMs`, oldest first, with their times by a clock that cannot jump. */
  recent(windowMs: number): { readonly name: string; readonly storedMs: number }[];
  /** Null where there is no such frame. Whoever opens closes the handle. */
  open(name: string): Promise<OpenedFrame | null>;
  openRaw(name: string): Promise<OpenedFrame | null>;
  /** The whole picture; null where there is no such frame. */
  read(name: string): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

interface Entry extends StoredFrame {
  /** With the raw frame. */
  readonly storedBytes: number;
  readonly hasRaw: boolean;
  /** By the monotonic clock: the clock that names are made of may be set back, and a frame must not stay the longer for it. */
  readonly storedMs: number;
}

const JPEG_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*_(\d{1,16})\.jpg$/;
const RAW = '.raw';
const RAW_HEADERS = '.raw.json';
const UNFINISHED = '.part';
/** No space, over quota. */
const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);
/** Room for several frames at once: others are being written at the same moment. */
const MAKE_ROOM_FACTOR = 8;
const SAY_FULL_EVERY_MS = 10_000;

/** Opens the folder and takes in what an earlier run left there. */
export async function openFrames(options: FramesOptions): Promise<FrameStore> {
  const { folder, log, metrics, clocks = systemClocks } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // In the order in which they were stored: a Map keeps the order of insertion.
  const entries = await readFolder(folder, clocks);
  const reserved = new Set<string>();
  let storedBytes = 0;
  for (const entry of entries.values()) storedBytes += entry.storedBytes;

  const path = (name: string) => join(folder, name);
  let saidFullMs = Number.NEGATIVE_INFINITY;
  let removing: Promise<void> = removeDue();
  const timer = setInterval(
    () => {
      removing = removing.then(removeDue);
    },
    Math.min(10_000, Math.max(250, options.retentionS * 250)),
  );
  timer.unref();

  async function removeDue(): Promise<void> {
    const oldestMs = clocks.monotonicMs() - options.retentionS * 1000;
    for (const entry of entries.values()) {
      const isOld = entry.storedMs < oldestMs;
      if (!isOld && storedBytes <= options.storageBytes) break;
      await remove(entry, isOld ? 'age' : 'space');
    }
    metrics.storedFrameBytes.set(storedBytes);
  }

  async function remove(entry: Entry, reason: 'age' | 'space' | 'disk_full'): Promise<void> {
    entries.delete(entry.name);
    storedBytes -= entry.storedBytes;
    metrics.framesRemoved.inc({ reason });
    log.debug({ frame: entry.name, reason }, 'a stored frame is removed');
    try {
      // Only what is there: some hundred frames a second come, and as many go.
      for (const suffix of entry.hasRaw ? ['', RAW, RAW_HEADERS] : [''])
        await rm(path(entry.name + suffix), { force: true });
    } catch (error) {
      log.warn({ err: error, frame: entry.name }, 'a frame could not be removed');
    }
  }

  /** False where no frame is left that could go. */
  async function makeRoom(neededBytes: number): Promise<boolean> {
    let freedBytes = 0;
    let removed = 0;
    for (const entry of entries.values()) {
      if (freedBytes >= neededBytes) break;
      freedBytes += entry.storedBytes;
      removed++;
      await remove(entry, 'disk_full');
    }
    metrics.storedFrameBytes.set(storedBytes);
    if (performance.now() - saidFullMs >= SAY_FULL_EVERY_MS) {
      saidFullMs = performance.now();
      log.error(
        { removed, freedBytes, storedBytes },
        'the disk is full: the oldest frames go before their time',
      );
    }
    return removed > 0;
  }

  /** A name that no other frame has, now or in the making: a millisecond that is taken gives way to the next. */
  function reserve(deviceId: string): { name: string; createdAt: Date } {
    const device = fileNamePart(deviceId);
    for (let ms = clocks.wallMs(); ; ms++) {
      const name = `${device}_${ms}.jpg`;
      if (entries.has(name) || reserved.has(name)) continue;
      reserved.add(name);
      return { name, createdAt: new Date(ms) };
    }
  }

  async function writeWhole(name: string, data: Uint8Array | string): Promise<void> {
    await writeFile(path(name + UNFINISHED), data, { mode: 0o600 });
    await rename(path(name + UNFINISHED), path(name));
  }

  /** False where the disk is full; nothing is left of it then. */
  async function written(name: string, jpeg: Uint8Array, raw: RawFrameFile | null): Promise<boolean> {
    try {
      if (raw !== null) {
        await writeWhole(name + RAW_HEADERS, JSON.stringify(raw.headers));
        await writeWhole(name + RAW, raw.bytes);
      }
      await writeWhole(name, jpeg);
      return true;
    } catch (error) {
      for (const suffix of ['', RAW, RAW_HEADERS]) {
        await rm(path(name + suffix), { force: true });
        await rm(path(name + suffix + UNFINISHED), { force: true });
      }
      if (DISK_FULL.has((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  }

  async function openFile(name: string): Promise<FileHandle | null> {
    try {
      return await open(path(name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  async function openWith(
    name: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<OpenedFrame | null> {
    const handle = await openFile(name);
    if (handle === null) return null;
    const { size, mtime } = await handle.stat();
    return { handle, sizeBytes: size, modifiedAt: mtime, headers };
  }

  return {
    async store(deviceId, jpeg, raw) {
      const { name, createdAt } = reserve(deviceId);
      const neededBytes = MAKE_ROOM_FACTOR * (jpeg.length + (raw?.bytes.length ?? 0));
      try {
        while (!(await written(name, jpeg, raw))) if (!(await makeRoom(neededBytes))) throw diskFull();
      } finally {
        reserved.delete(name);
      }
      const entry = {
        name,
        createdAt,
        sizeBytes: jpeg.length,
        storedBytes: jpeg.length + (raw?.bytes.length ?? 0),
        hasRaw: raw !== null,
        storedMs: clocks.monotonicMs(),
      };
      entries.set(name, entry);
      storedBytes += entry.storedBytes;
      metrics.storedFrameBytes.set(storedBytes);
      if (storedBytes > options.storageBytes) removing = removing.then(removeDue);
      return entry;
    },
    list(limit, deviceId = null) {
      const all = [...entries.values()];
      const isOfDevice = deviceId === null ? null : namesOf(deviceId);
      const chosen = isOfDevice === null ? all : all.filter(({ name }) => isOfDevice(name));
      return chosen
        .slice(-limit)
        .reverse()
        .map(({ name, createdAt, sizeBytes }) => ({ name, createdAt, sizeBytes }));
    },
    recent(windowMs) {
      const oldestMs = clocks.monotonicMs() - windowMs;
      return [...entries.values()].filter(({ storedMs }) => storedMs >= oldestMs);
    },
    // Only names that are in the index are ever joined to the folder's path: nothing outside it can be asked for.
    async open(name) {
      return entries.has(name) ? openWith(name, { 'Content-Type': 'image/jpeg' }) : null;
    },
    async openRaw(name) {
      if (!entries.has(name)) return null;
      const headersFile = await openFile(name + RAW_HEADERS);
      if (headersFile === null) return null;
      try {
        return await openWith(
          name + RAW,
          JSON.parse(await headersFile.readFile('utf8')) as Record<string, string>,
        );
      } finally {
        await headersFile.close();
      }
    },
    async read(name) {
      const handle = entries.has(name) ? await openFile(name) : null;
      if (handle === null) return null;
      try {
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    },
    async close() {
      clearInterval(timer);
      await removing;
    },
  };
}

async function readFolder(folder: string, clocks: Clocks): Promise<Map<string, Entry>> {
  const nowMs = { wall: clocks.wallMs(), monotonic: clocks.monotonicMs() };
  const names = new Set(await readdir(folder));
  const found: Entry[] = [];
  for (const name of names) {
    // Left by a run that ended in the middle of writing, or whose picture is gone.
    const picture = name.replace(/(\.raw(\.json)?)$/, '');
    if (name.endsWith(UNFINISHED) || (picture !== name && !names.has(picture))) {
      await rm(join(folder, name), { force: true });
      continue;
    }
    const match = JPEG_NAME.exec(name);
    if (match === null) continue;
    const { size } = await stat(join(folder, name));
    const rawBytes = names.has(name + RAW) ? (await stat(join(folder, name + RAW))).size : 0;
    const createdAt = new Date(Number(match[1]));
    found.push({
      name,
      createdAt,
      sizeBytes: size,
      storedBytes: size + rawBytes,
      hasRaw: names.has(name + RAW) || names.has(name + RAW_HEADERS),
      // One of the future was stored before the clock was set back.
      storedMs: nowMs.monotonic - Math.max(0, nowMs.wall - createdAt.getTime()),
    });
  }
  found.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  return new Map(found.map((entry) => [entry.name, entry]));
}

const diskFull = () =>
  new ServerError(507, 'STORAGE_FULL', 'the disk is full, and there is no older frame to remove', {
    retryAfterS: 60,
  });

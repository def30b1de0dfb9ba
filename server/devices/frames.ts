/**
 * The pictures of boards on the disk: stored under names that never collide, listed, and removed when their time is over. Where frames come
 * while others go, the new are written over the old, and no file is made or removed: ext4 passes by each inode that was freed within the
 * last minutes before it makes a file, which with some hundred files a second costs several times the writing.
 */
import { mkdir } from 'node:fs/promises';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type Clocks, systemClocks } from './device.ts';
import { createFrameFiles, findFrames, type OpenedFrame, type RawFrameFile } from './frame-files.ts';
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

export interface StoredFrame {
  /** Plain file name, `<device>_<ms>.jpg`. */
  readonly name: string;
  readonly createdAt: Date;
  readonly sizeBytes: number;
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
  /** Written by this run. Of other files nobody knows whose they are, who may read them, and what links to them. */
  readonly isOwn: boolean;
}

type Reason = 'age' | 'space' | 'disk_full';

/** No space, over quota. */
const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);
/** Room for several frames at once: others are being written at the same moment. */
const MAKE_ROOM_FACTOR = 8;
const SAY_FULL_EVERY_MS = 10_000;

/** Opens the folder and takes in what an earlier run left there. */
export async function openFrames(options: FramesOptions): Promise<FrameStore> {
  const { folder, log, metrics, clocks = systemClocks } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = createFrameFiles(folder, log);
  // In the order in which they were stored: a Map keeps the order of insertion.
  const entries = await readFolder(folder, clocks);
  /** Of frames in the making, and of those whose files are not gone yet. */
  const reserved = new Set<string>();
  /** With those in the making: of several at once each makes room for itself. */
  let storedBytes = 0;
  for (const entry of entries.values()) storedBytes += entry.storedBytes;

  let saidFullMs = Number.NEGATIVE_INFINITY;
  let removing: Promise<void> = removeDue();
  const timer = setInterval(
    () => {
      removing = removing.then(removeDue);
    },
    Math.min(10_000, Math.max(250, options.retentionS * 250)),
  );
  timer.unref();

  /** Null for a frame that may stay. */
  function whyDue(entry: Entry): 'age' | 'space' | null {
    if (entry.storedMs < clocks.monotonicMs() - options.retentionS * 1000) return 'age';
    return storedBytes > options.storageBytes ? 'space' : null;
  }

  async function removeDue(): Promise<void> {
    for (const entry of entries.values()) {
      const reason = whyDue(entry);
      if (reason === null) break;
      await remove(entry, reason);
    }
    metrics.storedFrameBytes.set(storedBytes);
  }

  function remove(entry: Entry, reason: Reason): Promise<void> {
    takeOut(entry, reason);
    return removeFiles(entry);
  }

  /** From here on nobody opens it, and no other frame gets its name until its files are gone. */
  function takeOut(entry: Entry, reason: Reason): void {
    entries.delete(entry.name);
    reserved.add(entry.name);
    storedBytes -= entry.storedBytes;
    metrics.framesRemoved.inc({ reason });
    log.debug({ frame: entry.name, reason }, 'a stored frame is removed');
  }

  async function removeFiles(entry: Entry): Promise<void> {
    await files.remove(entry);
    reserved.delete(entry.name);
  }

  /** Takes out the oldest frame that has to go anyway and that nobody reads, for the next one to be written over it. */
  function takeDue(): Entry | null {
    for (const entry of entries.values()) {
      const reason = whyDue(entry);
      if (reason === null) return null;
      takeOut(entry, reason);
      if (entry.isOwn && !files.isRead(entry.name)) return entry;
      removing = removing.then(() => removeFiles(entry));
    }
    return null;
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

  /** False where the disk is full; nothing is left of it then, nor of the frame whose files it was to get. */
  async function written(
    name: string,
    jpeg: Uint8Array,
    raw: RawFrameFile | null,
    over: Entry | null,
  ): Promise<boolean> {
    try {
      await files.write(name, jpeg, raw, over);
      return true;
    } catch (error) {
      if (DISK_FULL.has((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    } finally {
      if (over !== null) reserved.delete(over.name);
    }
  }

  return {
    async store(deviceId, jpeg, raw) {
      const { name, createdAt } = reserve(deviceId);
      const bytes = jpeg.length + (raw?.bytes.length ?? 0);
      storedBytes += bytes;
      try {
        for (let over = takeDue(); !(await written(name, jpeg, raw, over)); over = null)
          // One that was to be written over is gone, which may be room enough.
          if (over === null && !(await makeRoom(MAKE_ROOM_FACTOR * bytes))) throw diskFull();
      } catch (error) {
        storedBytes -= bytes;
        throw error;
      } finally {
        reserved.delete(name);
      }
      const entry = {
        name,
        createdAt,
        sizeBytes: jpeg.length,
        storedBytes: bytes,
        hasRaw: raw !== null,
        storedMs: clocks.monotonicMs(),
        isOwn: true,
      };
      entries.set(name, entry);
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
    open: async (name) => (entries.has(name) ? files.open(name) : null),
    openRaw: async (name) => (entries.has(name) ? files.openRaw(name) : null),
    read: async (name) => (entries.has(name) ? files.read(name) : null),
    async close() {
      clearInterval(timer);
      await removing;
    },
  };
}

async function readFolder(folder: string, clocks: Clocks): Promise<Map<string, Entry>> {
  const nowMs = { wall: clocks.wallMs(), monotonic: clocks.monotonicMs() };
  const entries = (await findFrames(folder)).map(({ rawBytes, ...frame }) => ({
    ...frame,
    storedBytes: frame.sizeBytes + rawBytes,
    // One of the future was stored before the clock was set back.
    storedMs: nowMs.monotonic - Math.max(0, nowMs.wall - frame.createdAt.getTime()),
    isOwn: false,
  }));
  return new Map(entries.map((entry) => [entry.name, entry]));
}

const diskFull = () =>
  new ServerError(507, 'STORAGE_FULL', 'the disk is full, and there is no older frame to remove', {
    retryAfterS: 60,
  });

/**
 * What is remembered of one still camera: the picture merged so far, how many frames each cell of it is made of, and what its noise
 * looks like. It lies in shared memory, so that a device's frames may be enhanced on any thread, one at a time.
 */

/** Frames that are merged at most: later ones replace a sixteenth of what is there. */
export const maxMergedFrames = 16;

const headerBytes = 64;
const field = { width: 0, height: 0, lock: 2, frames: 3 } as const;
/** Per plane: 64 sums of the spectrum, then their weight, the passing share and two spare ones. */
const statisticsFloats = 68;

/** Bytes of a history of frames of that size. */
export function historyBytes(width: number, height: number): number {
  const [w, h] = rounded(width, height);
  const planes = 2 * (w * h + 2 * (w / 2) * (h / 2)) + 32 * h + 2 * 32 * (h / 2);
  return headerBytes + 3 * statisticsFloats * 4 + Math.ceil((w * h) / 64 / 16) * 16 + planes;
}

const rounded = (width: number, height: number): [number, number] => [
  (width + 15) & ~15,
  (height + 15) & ~15,
];

export class FrameHistory {
  readonly buffer: SharedArrayBuffer;
  readonly width: number;
  readonly height: number;
  /** Frames merged into each cell of 8x8 pixels, 0 before the first. */
  readonly counts: Uint8Array;
  /** The merged planes S, D and E (x 32), rows with the workspace's padding. */
  readonly planes: readonly [Uint8Array, Uint8Array, Uint8Array];
  readonly #header: Int32Array;
  readonly #statistics: Float32Array;

  /** An empty history, or a view of one that another thread made. */
  constructor(width: number, height: number, buffer = new SharedArrayBuffer(historyBytes(width, height))) {
    if (buffer.byteLength !== historyBytes(width, height)) {
      throw new RangeError(
        `buffer: expected ${historyBytes(width, height)} bytes, received ${buffer.byteLength}`,
      );
    }
    this.buffer = buffer;
    this.width = width;
    this.height = height;
    const [w, h] = rounded(width, height);
    this.#header = new Int32Array(buffer, 0, headerBytes / 4);
    this.#header[field.width] = width;
    this.#header[field.height] = height;
    this.#statistics = new Float32Array(buffer, headerBytes, 3 * statisticsFloats);
    const countsStart = headerBytes + 3 * statisticsFloats * 4;
    this.counts = new Uint8Array(buffer, countsStart, (w * h) / 64);
    let start = countsStart + Math.ceil((w * h) / 64 / 16) * 16;
    const take = (bytes: number) => {
      start += bytes;
      return new Uint8Array(buffer, start - bytes, bytes);
    };
    this.planes = [take((w + 16) * 2 * h), take((w / 2 + 16) * h), take((w / 2 + 16) * h)];
  }

  /** What was learnt of the noise of all three planes. */
  get learntNoise(): Float32Array {
    return this.#statistics;
  }

  /** Sums of the spectrum [64], weight at 64, passing share at 65: of one plane. */
  statistics(plane: number): Float32Array {
    return this.#statistics.subarray(plane * statisticsFloats, (plane + 1) * statisticsFloats);
  }

  get frames(): number {
    return this.#header[field.frames]!;
  }

  set frames(count: number) {
    this.#header[field.frames] = count;
  }

  /** False where another thread is at work on it: that frame then goes without. */
  tryLock(): boolean {
    return Atomics.compareExchange(this.#header, field.lock, 0, 1) === 0;
  }

  unlock(): void {
    Atomics.store(this.#header, field.lock, 0);
  }
}

interface LearntNoise {
  readonly width: number;
  readonly height: number;
  readonly statistics: Float32Array;
}

/**
 * Histories of many devices: bounded in number and bytes, each dropped after a pause. The longest unused one goes first. What was
 * learnt of a device's noise outlives its history: the scene may have changed, the sensor has not.
 */
export class FrameHistories {
  readonly #limits: { readonly maxDevices: number; readonly maxBytes: number; readonly maxPauseMs: number };
  readonly #byDevice = new Map<string, { history: FrameHistory; lastUsedMs: number }>();
  /** Under a kilobyte each, as many as there may be histories. */
  readonly #learntByDevice = new Map<string, LearntNoise>();
  #bytes = 0;
  #dropped = 0;

  constructor(limits: {
    readonly maxDevices: number;
    readonly maxBytes: number;
    readonly maxPauseMs: number;
  }) {
    this.#limits = limits;
  }

  get devices(): number {
    return this.#byDevice.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Histories that had to go because of a limit, a pause or a change of size. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The history of a device's frames of that size, or null where one alone would be over the limit. */
  get(deviceId: string, width: number, height: number, nowMs: number): FrameHistory | null {
    // In the order of their last use: behind the first that is fresh, all are.
    for (const [id, { lastUsedMs }] of this.#byDevice) {
      if (nowMs - lastUsedMs <= this.#limits.maxPauseMs) break;
      this.#drop(id);
    }
    const known = this.#byDevice.get(deviceId);
    if (known && (known.history.width !== width || known.history.height !== height)) this.#drop(deviceId);
    const history = this.#byDevice.get(deviceId)?.history ?? this.#make(deviceId, width, height);
    if (!history) return null;
    // Last in the map's order: used last.
    this.#byDevice.delete(deviceId);
    this.#byDevice.set(deviceId, { history, lastUsedMs: nowMs });
    return history;
  }

  #make(deviceId: string, width: number, height: number): FrameHistory | null {
    const bytes = historyBytes(width, height);
    if (bytes > this.#limits.maxBytes || this.#limits.maxDevices < 1) return null;
    while (this.#byDevice.size >= this.#limits.maxDevices || this.#bytes + bytes > this.#limits.maxBytes) {
      this.#drop(this.#byDevice.keys().next().value!);
    }
    this.#bytes += bytes;
    const history = new FrameHistory(width, height);
    const learnt = this.#learntByDevice.get(deviceId);
    // Another size is another way of reading the sensor, with another spectrum.
    if (learnt?.width === width && learnt.height === height) history.learntNoise.set(learnt.statistics);
    return history;
  }

  #drop(deviceId: string): void {
    const { history } = this.#byDevice.get(deviceId)!;
    const { width, height } = history;
    this.#learntByDevice.delete(deviceId);
    this.#learntByDevice.set(deviceId, { width, height, statistics: history.learntNoise.slice() });
    if (this.#learntByDevice.size > this.#limits.maxDevices)
      this.#learntByDevice.delete(this.#learntByDevice.keys().next().value!);
    this.#bytes -= history.buffer.byteLength;
    this.#byDevice.delete(deviceId);
    this.#dropped++;
  }
}

/** What sensors of boards measure: stored before it is acknowledged, read back, removed when its time is over. */
import { type Clocks, systemClocks } from './device.ts';
import type {
  AverageFilter,
  AverageReading,
  ReadingFilter,
  SensorDataStore,
  StoredReading,
} from './device-store.ts';
import { GroupCommit } from './group-commit.ts';

export interface SensorDataOptions {
  readonly store: SensorDataStore;
  readonly retentionDays: number;
  /** Readings kept at most; the oldest go first. */
  readonly maxRows: number;
  readonly clocks?: Pick<Clocks, 'wallMs'>;
  readonly onRefused?: () => void;
  readonly onRemoved?: (reason: 'age' | 'space', rows: number) => void;
  readonly onFailure?: (error: unknown) => void;
}

export type SensorData = ReturnType<typeof openSensorData>;

const DAY_MS = 24 * 3600 * 1000;
const REMOVE_EVERY_MS = 10 * 60 * 1000;
const MAX_WAITING = 10_000;

/** Close it before the database. */
export function openSensorData(options: SensorDataOptions) {
  const { store, clocks = systemClocks } = options;
  const writes = new GroupCommit<{ deviceId: string; receivedMs: number; data: unknown }>({
    write: (readings) => store.add(readings),
    limit: MAX_WAITING,
    onRefused: options.onRefused,
  });
  let removing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    removing = removing.then(removeDue).catch((error: unknown) => options.onFailure?.(error));
  }, REMOVE_EVERY_MS);
  timer.unref();

  async function removeDue(): Promise<void> {
    const old = await store.removeOlder(clocks.wallMs() - options.retentionDays * DAY_MS);
    if (old > 0) options.onRemoved?.('age', old);
    const beyond = await store.removeBeyond(options.maxRows);
    if (beyond > 0) options.onRemoved?.('space', beyond);
  }

  return {
    /**
     * Ends when the reading is in the database.
     * @throws {ServerError} 429 where too many wait for the database
     */
    add: (deviceId: string, data: unknown): Promise<void> =>
      writes.add({ deviceId, receivedMs: clocks.wallMs(), data }),

    /** Newest first. */
    list: (filter: ReadingFilter): Promise<StoredReading[]> => store.list(filter),

    /** Newest first; parts of the time in which nothing came are left out. Strings, switches, and what lies deeper than 4 levels are too. */
    averages: (filter: Omit<AverageFilter, 'untilMs'>): Promise<AverageReading[]> =>
      store.averages({ ...filter, untilMs: Math.max(clocks.wallMs(), filter.sinceMs + 1) }),

    /** Runs by itself; here for the start and for tests. */
    removeDue,

    async close(): Promise<void> {
      clearInterval(timer);
      await writes.settle();
      await removing;
    },
  };
}

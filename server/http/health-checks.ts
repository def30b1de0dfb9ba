/** What is wrong, in sentences for anybody: nothing of the inside is in them. */
import type { Recognizer } from '../recognition/recognizer.ts';

export interface HealthChecks {
  /** Null where the database answers. */
  databaseTrouble(): Promise<string | null>;
  /** Without these no work can be done. */
  troubles(): Promise<string[]>;
  /** Work is done, but not as it should be. */
  degradations(): Promise<string[]>;
}

export interface HealthSources {
  readonly recognizer: Pick<Recognizer, 'status'>;
  /** Rejects where the database does not answer. */
  readonly checkDatabase: () => Promise<unknown>;
  readonly queueLimit: number;
  readonly hasFfmpeg: boolean;
  /** Cameras that should give frames. */
  readonly cameras: () => { readonly total: number; readonly active: number };
  /** Age of the oldest batch that waits for a backend; null where none waits. */
  readonly oldestCallbackAgeS: () => Promise<number | null>;
  /** Whether a tunnel is wanted, and is not there. */
  readonly isTunnelDown: () => boolean;
  /** Share of the disk of DATA_DIR that is free; null where that cannot be told. */
  readonly freeDiskShare: () => Promise<number | null>;
}

/** A health check that hangs is as bad as one that fails. */
const ANSWER_TIMEOUT_MS = 3000;
/** Many monitors may ask at the same time; the database is asked once a second at most. */
const CHECK_LIFETIME_MS = 1000;
const FULL_QUEUE_SHARE = 0.8;
const OLD_CALLBACK_S = 300;
const LEAST_FREE_DISK_SHARE = 0.05;

export function createHealthChecks(sources: HealthSources): HealthChecks {
  const { recognizer } = sources;
  const databaseTrouble = remembered(async () =>
    (await answers(sources.checkDatabase)) ? null : 'Database connection failed',
  );
  const slowDegradations = remembered(async () => {
    const found: string[] = [];
    const oldestS = await withinLimit(sources.oldestCallbackAgeS).catch(() => null);
    if (oldestS !== null && oldestS > OLD_CALLBACK_S)
      found.push(`Results have waited for the backend for ${Math.round(oldestS / 60)} minutes`);
    const free = await withinLimit(sources.freeDiskShare).catch(() => null);
    if (free !== null && free < LEAST_FREE_DISK_SHARE)
      found.push(`The disk of DATA_DIR is nearly full: ${(100 * free).toFixed(1)} % is free`);
    return found;
  });

  function quickDegradations(): string[] {
    const found: string[] = [];
    const { threads, readyThreads, queueDepth, provider } = recognizer.status;
    if (readyThreads > 0 && readyThreads < threads)
      found.push(`${threads - readyThreads} of ${threads} recognition threads are not ready`);
    if (queueDepth > FULL_QUEUE_SHARE * sources.queueLimit)
      found.push(`The recognition is behind: ${queueDepth} pictures wait`);
    const failed = provider.refused.filter(({ why }) => why.startsWith('failed at a run'));
    if (failed.length > 0)
      found.push(
        `${failed.map(({ provider: name }) => name).join(', ')} failed; the networks run on ${provider.inUse}`,
      );
    if (!sources.hasFfmpeg) found.push('There is no ffmpeg: no cameras, no face videos, no recordings');
    const { total, active } = sources.cameras();
    if (active < total) found.push(`${total - active} of ${total} cameras give no frames`);
    if (sources.isTunnelDown()) found.push('The SSH tunnel is down');
    return found;
  }

  return {
    databaseTrouble,
    async troubles() {
      const database = await databaseTrouble();
      return [
        ...(database === null ? [] : [database]),
        ...(recognizer.status.readyThreads === 0 ? ['Recognition threads are gone'] : []),
      ];
    },
    async degradations() {
      return [...quickDegradations(), ...(await slowDegradations())];
    },
  };
}

/** One check at a time, good for a second. */
function remembered<T>(check: () => Promise<T>): () => Promise<T> {
  let last: { readonly atMs: number; readonly result: Promise<T> } | null = null;
  return () => {
    const nowMs = performance.now();
    if (last === null || nowMs - last.atMs > CHECK_LIFETIME_MS) last = { atMs: nowMs, result: check() };
    return last.result;
  };
}

const answers = (check: () => Promise<unknown>): Promise<boolean> =>
  withinLimit(check).then(
    () => true,
    () => false,
  );

async function withinLimit<T>(work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ANSWER_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

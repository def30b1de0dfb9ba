/** The only door to the worker threads: pictures in, faces out. It never touches a pixel itself. */
import type {
  AnalyseResult,
  AnalyseTask,
  AnnotateResult,
  AnnotateTask,
  CropResult,
  CropTask,
  ModelSelection,
  PictureLimits,
  ProviderName,
  UnpackResult,
  UnpackTask,
  WorkerAnswer,
  WorkerTask,
} from '../../workers/protocol.ts';
import { pictureTooLarge, pictureUnreadable, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { currentRequestId } from '../request-context.ts';
import { Backlog, type DropReason } from './backlog.ts';
import { type RankedProviders, type RefusedProvider, rankProviders } from './providers.ts';
import { SharedBytes } from './shared-bytes.ts';
import { startThreadPool, type ThreadPool } from './thread-pool.ts';

export interface RecognizerOptions {
  readonly models: ModelSelection;
  readonly providers: readonly ProviderName[];
  readonly threads: number;
  readonly limits: PictureLimits;
  /** How many pictures may wait for a thread. */
  readonly queueLimit: number;
  readonly log: Log;
  readonly onDrop?: (reason: DropReason) => void;
  readonly onWait?: (waitedMs: number) => void;
  readonly onAnalysed?: (result: AnalyseResult) => void;
}

export interface RecognizerStatus {
  readonly detector: string;
  readonly embedder: string;
  readonly provider: {
    readonly inUse: ProviderName;
    /** From the start of its threads to the first answer. */
    readonly warmUpMs: number;
    /** The others, and why each is not in use. */
    readonly refused: readonly RefusedProvider[];
  };
  readonly threads: number;
  readonly readyThreads: number;
  readonly queueDepth: number;
  readonly running: number;
}

export interface Recognizer {
  /**
   * @param source who sends it; a newer picture of the same source takes the place of one that still waits
   * @throws ServerError 413 or 422 for a picture that cannot be used, 429 where too many wait or a newer one came, 503 where no
   *   provider works any more
   */
  analyse(task: Omit<AnalyseTask, 'kind' | 'requestId'>, source?: string): Promise<AnalyseResult>;
  /** Draws into a picture; errors as in `analyse`. */
  annotate(task: Omit<AnnotateTask, 'kind'>): Promise<AnnotateResult>;
  /** Cuts a rectangle out of a picture; errors as in `analyse`. */
  crop(task: Omit<CropTask, 'kind'>): Promise<CropResult>;
  /** Makes a JPEG of a frame, as it is, and looks for nobody; errors as in `analyse`. */
  unpack(task: Omit<UnpackTask, 'kind'>): Promise<UnpackResult>;
  readonly status: RecognizerStatus;
  /**
   * Takes other models into use: their threads are started and proven first, then the old ones are drained.
   * @throws Error where the new ones do not work; the old ones work on
   */
  useModels(selection: ModelSelection): Promise<void>;
  /** Takes no new work, finishes what is there, ends the threads. */
  close(): Promise<void>;
}

type StartPool = typeof startThreadPool;

/** Frames up to 1600x1200 at two bytes a pixel. */
const MAX_LENT_BYTES = 4 * 2 ** 20;

/**
 * @param startPool how threads are started
 * @throws Error where no provider of the list works, with the reason of each
 */
export async function startRecognizer(
  options: RecognizerOptions,
  startPool: StartPool = startThreadPool,
): Promise<Recognizer> {
  const ranked = await rankProviders(options.providers);
  let pool = await startFirstUsable(options.models, ranked, options, startPool);
  /** One change of the pool at a time: a fetched model and a failing provider may come together. */
  let changing: Promise<void> = Promise.resolve();

  const lending = new SharedBytes(options.threads);
  const backlog = new Backlog<WorkerTask, WorkerAnswer>({
    limit: options.queueLimit,
    concurrency: options.threads,
    run: (task) => runWithFallback(task),
    onDrop: options.onDrop,
    onStart: options.onWait,
  });

  async function runWithFallback(task: WorkerTask): Promise<WorkerAnswer> {
    for (;;) {
      const used = pool;
      const answer = await runOnceMore(used, task);
      if (answer.kind !== 'failed' || answer.reason !== 'provider_failed') return answer;
      options.log.error(
        { provider: used.setup.provider, reason: answer.message },
        'the provider failed at a run',
      );
      await change(async () => {
        if (pool === used) await replacePool(used.setup.models, answer.message);
      });
    }
  }

  /** A thread that ends takes its picture along: another one tries it once, lest a picture that ends threads ends them all. */
  async function runOnceMore(used: ThreadPool, task: WorkerTask): Promise<WorkerAnswer> {
    try {
      return await runOn(used, task);
    } catch (error) {
      options.log.error({ err: error }, 'a thread has ended; its picture is tried once more');
      return runOn(used, task);
    }
  }

  async function runOn(used: ThreadPool, task: WorkerTask): Promise<WorkerAnswer> {
    if (!isEnhanced(task) || task.input.bytes.length > MAX_LENT_BYTES) return used.run(withOwnBytes(task));
    const lent = lending.lend(task.input.bytes);
    const answer = await used.run({ ...task, input: { ...task.input, bytes: lent.bytes } } as WorkerTask);
    // Not where the thread has ended: nobody knows then what still looks at them.
    lent.giveBack();
    return answer;
  }

  function change(work: () => Promise<void>): Promise<void> {
    const mine = changing.then(work);
    changing = mine.catch(() => {});
    return mine;
  }

  async function replacePool(models: ModelSelection, why: string): Promise<void> {
    const failed = pool;
    ranked.usable.splice(ranked.usable.indexOf(failed.setup.provider), 1);
    ranked.refused.push({ provider: failed.setup.provider, why: `failed at a run: ${why}` });
    try {
      pool = await startFirstUsable(models, ranked, options, startPool);
    } catch (error) {
      throw new ServerError(503, 'NO_PROVIDER', 'no provider can run the models any more', { cause: error });
    }
    void failed.close();
  }

  async function submit(task: WorkerTask, source: string | null): Promise<WorkerAnswer> {
    const answer = await backlog.submit(task, source);
    if (answer.kind !== 'failed') return answer;
    throw answer.reason === 'too_large' ? pictureTooLarge(answer.message) : pictureUnreadable(answer.message);
  }

  return {
    async analyse(task, source) {
      const answer = (await submit(
        { kind: 'analyse', requestId: currentRequestId(), ...task },
        source ?? null,
      )) as AnalyseResult;
      options.onAnalysed?.(answer);
      return answer;
    },
    async annotate(task) {
      return (await submit({ kind: 'annotate', ...task }, null)) as AnnotateResult;
    },
    async crop(task) {
      return (await submit({ kind: 'crop', ...task }, null)) as CropResult;
    },
    async unpack(task) {
      return (await submit({ kind: 'unpack', ...task }, null)) as UnpackResult;
    },
    get status() {
      return {
        detector: pool.setup.models.detector.id,
        embedder: pool.setup.models.embedder.id,
        provider: {
          inUse: pool.setup.provider,
          warmUpMs: Math.round(pool.startMs),
          refused: [...ranked.refused, ...notNeeded(ranked, pool.setup.provider)],
        },
        threads: pool.threads,
        readyThreads: pool.readyThreads(),
        queueDepth: backlog.depth,
        running: backlog.running,
      };
    },
    useModels: (selection) =>
      change(async () => {
        const old = pool;
        const setup = { models: selection, provider: old.setup.provider, limits: options.limits };
        pool = await startPool(setup, options.threads);
        void old.close();
      }),
    async close() {
      await backlog.close();
      await changing;
      await pool.close();
    },
  };
}

const notNeeded = ({ usable }: RankedProviders, inUse: ProviderName): RefusedProvider[] =>
  usable
    .filter((provider) => provider !== inUse)
    .map((provider) => ({ provider, why: `not tried: ${inUse} comes before it and works` }));

/** Starts threads on the first provider of the list that proves itself; what does not goes to the refused ones. */
async function startFirstUsable(
  models: ModelSelection,
  ranked: RankedProviders,
  options: RecognizerOptions,
  startPool: StartPool,
): Promise<ThreadPool> {
  while (ranked.usable.length > 0) {
    const provider = ranked.usable[0]!;
    try {
      return await startPool({ models, provider, limits: options.limits }, options.threads);
    } catch (error) {
      ranked.usable.shift();
      ranked.refused.push({ provider, why: error instanceof Error ? error.message : String(error) });
    }
  }
  const reasons = ranked.refused.map(({ provider, why }) => `${provider}: ${why}`).join('; ');
  throw new Error(`no provider can run the models (${reasons})`);
}

/** A raw frame that is enhanced is read once, into the thread's own memory, before anything else. */
const isEnhanced = ({ input }: WorkerTask): boolean => input.kind === 'raw' && input.enhancement !== null;

/**
 * A task whose bytes fill a buffer of their own, which is moved to the thread. The caller's bytes stay as they are, for storing and
 * for a second try; a view into a larger buffer would take all of that along.
 */
function withOwnBytes(task: WorkerTask): WorkerTask {
  const bytes = new Uint8Array(task.input.bytes);
  return { ...task, input: { ...task.input, bytes } } as WorkerTask;
}

/** One life of the embedded database's thread, seen from the main thread. */
import { Worker } from 'node:worker_threads';
import type { EmbeddedThreadData, EmbeddedThreadMessage } from './embedded-thread.ts';

export interface DatabaseThread {
  /** Settles, with the reason, when the database gives up, its thread ends unasked, or `fail` was called. */
  readonly failed: Promise<string>;
  /** For whoever notices from outside that the database does not work. */
  fail(reason: string): void;
  /** Closes the database and ends the thread. */
  stop(): Promise<void>;
  /**
   * Ends the thread where it stands, as a crash would: what was committed is in the log.
   * @returns false where it does not end, as in a call to the operating system that hangs: it may still write, so nobody else may
   */
  end(): Promise<boolean>;
}

const STOP_LIMIT_MS = 10_000;

/**
 * Resolves when the database answers at its socket.
 * @throws Error where it does not start; its thread has ended then
 */
export async function startDatabaseThread(data: EmbeddedThreadData): Promise<DatabaseThread> {
  const worker = new Worker(new URL('./embedded-thread.ts', import.meta.url), {
    name: 'database',
    workerData: data,
  });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const ready = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<string>();
  const fail = (reason: string) => {
    ready.reject(new Error(reason));
    failed.resolve(reason);
  };
  worker.on('message', (message: EmbeddedThreadMessage) => {
    if (message.kind === 'ready') ready.resolve();
    else if (message.kind === 'failed') fail(message.message);
  });
  worker.once('error', (error) => fail(error instanceof Error ? error.message : String(error)));
  worker.once('exit', (code) => fail(`its thread ended with code ${code}`));

  async function end(): Promise<boolean> {
    void worker.terminate();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, STOP_LIMIT_MS, false);
    });
    const ended = await Promise.race([exited.then(() => true), limit]);
    clearTimeout(timer);
    return ended;
  }

  try {
    await ready.promise;
  } catch (error) {
    await end();
    throw error;
  }
  return {
    failed: failed.promise,
    fail,
    end,
    async stop() {
      worker.postMessage('stop');
      // A database that broke down may never answer; what was committed is in its log either way.
      const limit = setTimeout(() => void worker.terminate(), STOP_LIMIT_MS);
      await exited;
      clearTimeout(limit);
    },
  };
}

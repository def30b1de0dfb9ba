/** The entry: reads the settings, starts the server, and ends it in order. */
import { keepOnnxRuntimeSilent, loadConfig } from './config.ts';
import { StartError } from './errors.ts';
import type { RunningServer } from './start.ts';
import { startServer } from './start.ts';

/** Beyond the time that running work gets: threads, database and files close after it. */
const CLOSING_TIMEOUT_MS = 15_000;

/** What threads get to finish their pictures after a fatal error. */
const DRAINING_TIMEOUT_MS = 5000;

/** Ctrl-C reaches the whole process group, and npm passes it on as well: one wish to stop comes as two signals. */
const SAME_WISH_MS = 1000;

let stoppingSinceMs: number | null = null;
let dying = false;
let running: RunningServer | null = null;

keepOnnxRuntimeSilent();
const started = start();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
process.on('uncaughtException', (error) => void die('uncaught exception', error));
process.on('unhandledRejection', (error) => void die('unhandled rejection', error));
await started;

async function start(): Promise<void> {
  try {
    const { config, ...found } = loadConfig();
    running = await startServer(config, found);
    // Whoever watches the process starts it anew: what was acknowledged is on the disk.
    void running.broken.then((error) => die('the embedded database does not come back', error));
  } catch (error) {
    const text = error instanceof StartError ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(`facepool cannot start: ${text}\n`);
    process.exit(1);
  }
}

async function stop(signal: string): Promise<void> {
  if (stoppingSinceMs !== null) {
    if (performance.now() - stoppingSinceMs < SAME_WISH_MS) return;
    process.stderr.write(`${signal} again: ending at once, work under way is lost\n`);
    // Not process.exit: leaving in the middle of a run of the networks aborts with a core dump.
    process.kill(process.pid, 'SIGKILL');
  }
  stoppingSinceMs = performance.now();
  // A start under way is finished first: its parts know how to close only once they are open.
  await started;
  if (running === null) return;
  const { log, config } = running;
  log.info({ signal }, 'stopping: no new work is taken, what runs is finished');
  const timer = setTimeout(() => {
    log.fatal('the parts of the server did not close in time');
    process.kill(process.pid, 'SIGKILL');
  }, config.SHUTDOWN_TIMEOUT_MS + CLOSING_TIMEOUT_MS);
  timer.unref();
  await running.stop();
  process.exit(0);
}

/** The state of the program is unknown from here on; only the threads are drained, as leaving in the middle of a run aborts. */
async function die(what: string, error: unknown): Promise<void> {
  if (dying) return;
  dying = true;
  if (running) running.log.fatal({ err: error }, what);
  else process.stderr.write(`${what}: ${(error as Error | null)?.stack ?? error}\n`);
  setTimeout(() => process.exit(1), DRAINING_TIMEOUT_MS);
  await running?.recognizer.close().catch(() => {});
  process.exit(1);
}

/** Ends with 0 where the server that these settings belong to answers that it is well: for containers. */
import { loadConfig } from './config.ts';

const TIMEOUT_MS = 4000;

const { HOST, PORT } = loadConfig().config;
const host = HOST === '0.0.0.0' ? '127.0.0.1' : HOST === '::' ? '[::1]' : HOST;
try {
  const answer = await fetch(`http://${host}:${PORT}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  process.stdout.write(`${answer.status} ${await answer.text()}\n`);
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`no answer: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

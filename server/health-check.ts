/** `node server/health-check.ts`: ends with 0 where the server that these settings belong to answers that it is well. For containers. */
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import { loadConfig } from './config.ts';

export interface HealthAnswer {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 4000;

/**
 * Asks over HTTP, and over HTTPS where the port does not speak that.
 * @param host the address that the server listens on; 0.0.0.0 and :: are reached through the loopback
 * @throws {Error} where there is no answer within 4 s
 */
export async function askHealth(host: string, port: number): Promise<HealthAnswer> {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const place = { host: reached, port, path: '/health', timeout: TIMEOUT_MS, agent: false };
  try {
    return await answerOf((take) => getPlain(place, take));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    // This very server is asked, under an address that its certificate does not name: no secret goes there.
    return answerOf((take) => getSecure({ ...place, rejectUnauthorized: false }, take));
  }
}

function answerOf(
  send: (take: (answer: IncomingMessage) => void) => ReturnType<typeof getPlain>,
): Promise<HealthAnswer> {
  return new Promise((resolve, reject) => {
    const request = send((answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
      });
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    request.once('error', reject);
    request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
  });
}

if (import.meta.main) {
  const { HOST, PORT } = loadConfig().config;
  try {
    const { status, text } = await askHealth(HOST, PORT);
    process.stdout.write(`${status} ${text}\n`);
    process.exitCode = status === 200 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`no answer: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

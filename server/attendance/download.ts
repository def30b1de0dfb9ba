/** Fetches a file by http(s) into a local file, within bounds of size, time and place. */
import { createWriteStream } from 'node:fs';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  ForbiddenAddressError,
  guardedLookup,
  httpUrl,
  isHostAllowed,
  type UrlPolicy,
} from './url-policy.ts';

export type DownloadFault = 'forbidden' | 'not found' | 'too large' | 'unreachable';

/** The message may be shown: it holds no more than the client has sent. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  readonly fault: DownloadFault;

  constructor(fault: DownloadFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

export interface DownloadOptions {
  readonly policy: UrlPolicy;
  readonly path: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

const MAX_REDIRECTS = 3;
const REDIRECTS = [301, 302, 303, 307, 308];

/** Every step of a redirect is checked as the first address is. @throws DownloadError */
export async function download(url: URL, options: DownloadOptions): Promise<void> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    let current = url;
    for (let redirects = 0; ; redirects++) {
      const answer = await request(current, options.policy, signal);
      const { statusCode = 0, headers } = answer;
      if (!REDIRECTS.includes(statusCode)) return await save(answer, options, signal);
      answer.destroy();
      if (redirects === MAX_REDIRECTS) throw new DownloadError('unreachable', 'too many redirects');
      const next = httpUrl(
        URL.canParse(headers.location ?? '', current) ? new URL(headers.location!, current).href : '',
      );
      if (next === null)
        throw new DownloadError('forbidden', 'redirected to something that is no http address');
      current = next;
    }
  } catch (error) {
    if (error instanceof DownloadError) throw error;
    if (error instanceof ForbiddenAddressError) throw new DownloadError('forbidden', error.message);
    if (signal.aborted)
      throw new DownloadError('unreachable', `not fetched within ${options.timeoutMs / 1000} s`);
    throw new DownloadError(
      'unreachable',
      `cannot be fetched (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
    );
  }
}

function request(url: URL, policy: UrlPolicy, signal: AbortSignal): Promise<IncomingMessage> {
  if (!isHostAllowed(policy, url)) throw new DownloadError('forbidden', 'the host is not an allowed one');
  const lookup = guardedLookup(policy, url);
  const get = url.protocol === 'https:' ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    // A connection of its own: one that is kept alive would have been checked for somebody else.
    get(url, { agent: false, signal, ...(lookup ? { lookup } : {}) }, resolve).on('error', reject);
  });
}

async function save(
  answer: IncomingMessage,
  { path, maxBytes }: DownloadOptions,
  signal: AbortSignal,
): Promise<void> {
  const { statusCode = 0 } = answer;
  if (statusCode !== 200) {
    answer.destroy();
    if (statusCode === 404 || statusCode === 410) throw new DownloadError('not found', 'not found');
    throw new DownloadError('unreachable', `the server answered with status ${statusCode}`);
  }
  let receivedBytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      receivedBytes += chunk.length;
      if (receivedBytes > maxBytes) done(new DownloadError('too large', `larger than ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
  await pipeline(answer, limit, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
}

import { ModelFetchError } from './fetch-error.ts';

export interface DownloadOptions {
  readonly signal: AbortSignal | null;
  readonly idleTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly allowInsecure: boolean;
}

const MAX_REDIRECTS = 5;

/**
 * The body of an address, piece by piece. Follows redirects to https only. The caller bounds how much it takes; leaving the loop closes
 * the connection.
 *
 * @throws ModelFetchError; or the reason of `signal` where that was aborted
 */
export async function* download(address: string, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const patience = new AbortController();
  const giveUp = (what: string) => () =>
    patience.abort(new ModelFetchError('TIMEOUT', `${address}: ${what}; try again later`));
  const idle = setTimeout(
    giveUp(`nothing came for ${options.idleTimeoutMs / 1000} s`),
    options.idleTimeoutMs,
  );
  const total = setTimeout(
    giveUp(`not complete after ${options.totalTimeoutMs / 1000} s`),
    options.totalTimeoutMs,
  );
  const signal =
    options.signal === null ? patience.signal : AbortSignal.any([patience.signal, options.signal]);
  let receivedBytes = 0;
  try {
    const response = await request(address, signal, options.allowInsecure);
    if (response.body === null) return;
    const reader = response.body.getReader();
    try {
      for (;;) {
        idle.refresh();
        const piece = await reader.read().catch((error: unknown) => {
          signal.throwIfAborted();
          throw new ModelFetchError(
            'CUT_OFF',
            `${address}: the connection broke after ${receivedBytes} bytes (${reasonOf(error)}); try again`,
            error,
          );
        });
        if (piece.done) return;
        receivedBytes += piece.value.length;
        yield piece.value;
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  } finally {
    clearTimeout(idle);
    clearTimeout(total);
  }
}

async function request(address: string, signal: AbortSignal, allowInsecure: boolean): Promise<Response> {
  let url = new URL(address);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (url.protocol !== 'https:' && !(allowInsecure && url.protocol === 'http:')) {
      throw new ModelFetchError('INSECURE', `${address}: expected https, was led to ${url.protocol}//`);
    }
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      // Compressed, the size on the way would not be the file's.
      headers: { 'accept-encoding': 'identity' },
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new ModelFetchError(
        'UNREACHABLE',
        `${address}: no answer (${reasonOf(error)}); without internet use --from <folder>`,
        error,
      );
    });
    if (response.ok) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) {
      throw new ModelFetchError(
        'HTTP_STATUS',
        `${address}: the server answered ${response.status}; use --from <folder> with a copy of the file`,
      );
    }
    if (!URL.canParse(location, url)) {
      throw new ModelFetchError('HTTP_STATUS', `${address}: redirected to what is no address`);
    }
    url = new URL(location, url);
  }
  throw new ModelFetchError('HTTP_STATUS', `${address}: more than ${MAX_REDIRECTS} redirects`);
}

/** fetch says only "fetch failed"; what happened is in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message;
  return message;
}

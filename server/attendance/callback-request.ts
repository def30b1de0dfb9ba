/** One attempt to hand a batch to the backend. */

export type AttemptOutcome =
  | { readonly kind: 'delivered' }
  /** The backend does not want it, however often it comes. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** `away`: the backend as a whole is not there, rather than this batch being the trouble. */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly away: boolean;
      readonly retryAfterMs: number | null;
    };

export interface CallbackRequest {
  readonly url: string;
  readonly body: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
  /** Ends the attempt early. */
  readonly signal: AbortSignal;
}

/** Statuses of a gateway whose server is not there, and of a server that has no time. */
const AWAY_STATUSES = [408, 429, 502, 503, 504];
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;

/** Never throws. Redirects are not followed: they would carry the key to another place. */
export async function postBatch(request: CallbackRequest): Promise<AttemptOutcome> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  try {
    const answer = await fetch(request.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': request.apiKey },
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.any([timeout, request.signal]),
    });
    // What the backend says beyond its status is of no use, and may be endless.
    await answer.body?.cancel();
    return outcomeOf(answer);
  } catch (error) {
    if (timeout.aborted) return failed(`no answer within ${request.timeoutMs / 1000} s`, true);
    return failed(networkReason(error), true);
  }
}

function outcomeOf({ status, headers }: Response): AttemptOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `status ${status}`;
  if (AWAY_STATUSES.includes(status)) return failed(reason, true, retryAfterMs(headers.get('Retry-After')));
  return status < 500 ? { kind: 'refused', reason } : failed(reason, false);
}

function failed(reason: string, away: boolean, retryAfter: number | null = null): AttemptOutcome {
  return { kind: 'failed', reason, away, retryAfterMs: retryAfter };
}

/** Seconds, or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) ? Math.min(Math.max(0, waitMs), LONGEST_RETRY_AFTER_MS) : null;
}

/** fetch hides what happened in the cause. */
function networkReason(error: unknown): string {
  const cause = (error as { cause?: { code?: string } }).cause;
  return cause?.code ?? (error as Error).name;
}

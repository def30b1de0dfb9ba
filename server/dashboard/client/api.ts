/** Calls to the server: JSON in and out, errors as sentences, and the header that shows that our own page is asking. */

export class ApiError extends Error {
  readonly status: number;
  /** Stable, such as `FACE_TOO_SMALL`; empty where the answer had none. */
  readonly code: string;
  readonly retryAfterS: number | null;

  constructor(status: number, code: string, message: string, retryAfterS: number | null = null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is: a form with files, a picture. */
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const signedOutListeners = new Set<() => void>();

/** Calls where the server says that this browser is not signed in any more. @returns how to stop listening */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

/**
 * The answer's body.
 * @throws {ApiError} with a sentence for the operator; status 0 where the server did not answer at all
 */
export async function call<Answer = unknown>(path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await send(path, options);
  const body = await bodyOf(response);
  if (!response.ok) throw errorOf(response, body);
  return body as Answer;
}

/** @throws {ApiError} as `call` */
export async function callForBytes(path: string, options: CallOptions = {}): Promise<Blob> {
  const response = await send(path, options);
  if (!response.ok) throw errorOf(response, await bodyOf(response));
  return response.blob();
}

/**
 * For bytes that are looked at here: a `Blob` lies with another process of the browser, and has to be fetched back from there.
 * @throws {ApiError} as `call`
 */
export async function callForBuffer(path: string, options: CallOptions = {}): Promise<ArrayBuffer> {
  const response = await send(path, options);
  if (!response.ok) throw errorOf(response, await bodyOf(response));
  return response.arrayBuffer();
}

async function send(path: string, { method = 'GET', json, body, headers, signal }: CallOptions) {
  const all = new Headers(headers);
  all.set('X-Requested-With', 'facepool');
  all.set('Accept', all.get('Accept') ?? 'application/json');
  if (json !== undefined) all.set('Content-Type', 'application/json');
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: all,
      body: json === undefined ? body : JSON.stringify(json),
      credentials: 'same-origin',
      signal,
    });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError(
      0,
      'UNREACHABLE',
      'The server does not answer. Check that it runs and that this device is on its network.',
    );
  }
  if (response.status === 401 && !path.startsWith('/api/v1/sign-in'))
    for (const listener of [...signedOutListeners]) listener();
  return response;
}

async function bodyOf(response: Response): Promise<unknown> {
  if (!/\bjson\b/.test(response.headers.get('Content-Type') ?? '')) return null;
  return response.json().catch(() => null);
}

function errorOf(response: Response, body: unknown): ApiError {
  const { error, message, errors, code } = (body ?? {}) as Partial<
    Record<'error' | 'message' | 'code', string>
  > & { readonly errors?: readonly string[] };
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiError(
    response.status,
    code ?? '',
    sentence(
      error ?? message ?? errors?.join('. ') ?? `The server answered ${response.status} without saying why.`,
    ),
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}

/** A capital letter in front, a full stop behind. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const closed = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return closed.charAt(0).toUpperCase() + closed.slice(1);
}

/** What to tell the operator of anything that was thrown. */
export const words = (error: unknown): string =>
  error instanceof ApiError ? error.message : sentence((error as Error | null)?.message ?? String(error));

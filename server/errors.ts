/** Every error that the server raises on purpose: a stable code, an HTTP status, and a message that may be shown. */
export class ServerError extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds after which trying again makes sense; becomes the Retry-After header. */
  readonly retryAfterS: number | null;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { retryAfterS?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServerError';
    this.status = status;
    this.code = code;
    this.retryAfterS = options.retryAfterS ?? null;
  }
}

/** A field of a request that is not what was expected: says which, what was expected, and what came. */
export function invalidField(field: string, expected: string, received: unknown): ServerError {
  return new ServerError(
    400,
    'INVALID_FIELD',
    `${field}: expected ${expected}, received ${describe(received)}`,
  );
}

export const invalidApiKey = () => new ServerError(401, 'INVALID_API_KEY', 'Invalid or missing API key');

export const notOurPage = () =>
  new ServerError(
    403,
    'NOT_OUR_PAGE',
    'the session cookie is only good for what the page of this server sends: Origin of this host, and X-Requested-With: facepool',
  );

export const notFound = (what: string) => new ServerError(404, 'NOT_FOUND', `${what} not found`);

export const bodyTooLarge = (limitBytes: number) =>
  new ServerError(413, 'BODY_TOO_LARGE', `the body is larger than the limit of ${limitBytes} bytes`);

export const bodyIncomplete = (receivedBytes: number, expectedBytes: number | undefined) =>
  new ServerError(
    400,
    'BODY_INCOMPLETE',
    `the body was cut off: expected ${expectedBytes === undefined ? 'a final chunk' : `${expectedBytes} bytes`}, received ${receivedBytes} bytes`,
  );

export const unsupportedMediaType = (expected: string, received: string | undefined) =>
  new ServerError(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    `Content-Type: expected ${expected}, received ${describe(received || undefined)}`,
  );

export const malformedMultipart = (why: string) =>
  new ServerError(400, 'MALFORMED_MULTIPART', `the multipart body cannot be read: ${why}`);

/** What is wrong with a request as a whole, where no single field is to blame. */
export const badRequest = (code: string, message: string) => new ServerError(400, code, message);

export const rateLimited = (retryAfterS: number) =>
  new ServerError(429, 'RATE_LIMITED', `too many calls; try again in ${retryAfterS} s`, { retryAfterS });

export const methodNotAllowed = (method: string, allowed: string) =>
  new ServerError(405, 'METHOD_NOT_ALLOWED', `${method} is not answered here, only ${allowed}`);

export const rangeNotSatisfiable = (sizeBytes: number) =>
  new ServerError(
    416,
    'RANGE_NOT_SATISFIABLE',
    `Range: expected bytes within the ${sizeBytes} bytes of the file`,
  );

export const pictureUnreadable = (why: string) =>
  new ServerError(422, 'PICTURE_UNREADABLE', `the picture cannot be read: ${why}`);

export const pictureTooLarge = (why: string) =>
  new ServerError(413, 'PICTURE_TOO_LARGE', `the picture is too large: ${why}`);

export const overloaded = (retryAfterS: number) =>
  new ServerError(429, 'OVERLOADED', 'too much work is waiting already; try again later', { retryAfterS });

/** The start was stopped by something that a person has to mend; printed without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string')
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

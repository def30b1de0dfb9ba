/** The errors of a route: those that it names, and those that every route of its kind may raise. */
import Type from 'typebox';
import type { Route } from '../route.ts';
import type { Components, JsonSchema } from './json-schema.ts';

const message = Type.String({ description: 'For a person: what was expected, and what came' });
const code = Type.String({ description: 'For a program: stable' });

export const ERROR_ENVELOPES = {
  device: Type.Object(
    { success: Type.Literal(false), error: message, detail: Type.String({ description: 'The same' }), code },
    { title: 'DeviceError', description: 'An error of the device API' },
  ),
  attendance: Type.Object(
    { status: Type.Integer({ description: 'The HTTP status' }), message, code },
    { title: 'AttendanceError', description: 'An error of the attendance API' },
  ),
} as const;

const WORDS: Readonly<Record<number, string>> = {
  400: 'Something in the request is not what it has to be.',
  401: 'The key is missing or wrong.',
  404: 'There is no such thing.',
  409: 'It is at odds with what is there.',
  413: 'It is too large.',
  415: 'The media type is none that is taken here.',
  416: 'The range lies outside of the file.',
  422: 'It was understood, and is of no use.',
  429: 'Too much at a time; Retry-After says when to try again.',
  500: 'It failed here; the log has the reason.',
  503: 'It cannot be done now; Retry-After says when to try again.',
  507: 'There is no room left.',
};

/** Codes by status, its own first. */
export function errorCodes({ access, path, description }: Route): Map<number, string[]> {
  const codes = new Map<number, string[]>();
  const add = (status: number, ...added: readonly string[]) =>
    codes.set(status, [...new Set([...(codes.get(status) ?? []), ...added])]);
  for (const [status, own] of Object.entries(description.errors ?? {})) add(Number(status), ...own);
  add(400, 'BAD_REQUEST');
  const { path: pathSchema, query, headers, body } = description;
  if (pathSchema ?? query ?? headers ?? body) add(400, 'INVALID_FIELD');
  if (access !== 'public') add(401, 'INVALID_API_KEY');
  if (body !== undefined) {
    const types = Object.keys(body.content);
    add(400, 'BODY_INCOMPLETE');
    if (types.includes('multipart/form-data')) add(400, 'MALFORMED_MULTIPART');
    if (types.includes('application/json')) add(400, 'MALFORMED_JSON', 'JSON_TOO_DEEP', 'NOT_UTF8');
    add(413, 'BODY_TOO_LARGE');
    add(415, 'UNSUPPORTED_MEDIA_TYPE');
  }
  if (path.startsWith('/api/')) add(429, 'RATE_LIMITED');
  if (access !== 'public') {
    add(429, 'OVERLOADED');
    add(503, 'DATABASE_UNAVAILABLE', 'DATABASE_TIMEOUT', 'SHUTTING_DOWN');
  }
  add(500, 'INTERNAL_ERROR');
  return codes;
}

/** Responses by status; `taken` are statuses that an answer without the envelope has. */
export function errorResponses(
  route: Route,
  components: Components,
  taken: readonly number[],
): Record<string, JsonSchema> {
  const envelope = components.add(ERROR_ENVELOPES[route.envelope ?? 'device']);
  const responses: Record<string, JsonSchema> = {};
  for (const [status, codes] of [...errorCodes(route)].sort(([a], [b]) => a - b)) {
    if (taken.includes(status)) continue;
    responses[status] = {
      description: WORDS[status] ?? 'It was refused.',
      ...(status === 429 || status === 503
        ? { headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'string' } } } }
        : {}),
      content: {
        'application/json': {
          schema: { allOf: [envelope, { type: 'object', properties: { code: { enum: codes } } }] },
        },
      },
    };
  }
  return responses;
}

/** Requests as fast-check makes them: from nearly right to nonsense, with the words of the route's own description. */
import fc from 'fast-check';
import type { Route } from '../../server/http/route.ts';

export interface ArbitraryRequest {
  readonly method: string;
  /** Already escaped where it has to be for a request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
}

/** What breaks things: paths, SQL, markup, prototypes, numbers at their ends, broken UTF-8 in a URL, formats of printf. */
const NASTY = [
  '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%ff%fe',
  '%',
  '__proto__',
  'constructor',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '{{7*7}}',
  '%s%s%s%n',
  'NaN',
  '-1',
  '0',
  '1e309',
  '9007199254740993',
  '-0',
  '\u202e\u0000\ud800',
  'file:///etc/passwd',
  'http://169.254.169.254/',
  'concat:a|b',
  '-i',
  'a'.repeat(5000),
];

const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const numberText = fc
  .oneof(fc.integer(), fc.double(), fc.constantFrom(0, 1, 160, 320, 240, 65_536, 1e9))
  .map(String);
/** Addresses that a camera or a fetch would really go to stay out: the fuzzer is to reach this server alone. */
const harmless = (value: string) =>
  !/^\s*(rtsps?|https?):/i.test(value) || value.startsWith('http://169.254');

export function requestsFor(route: Route, keys: readonly string[]): fc.Arbitrary<ArbitraryRequest> {
  const { description } = route;
  const query = namesOf(description?.query);
  const headers = namesOf(description?.headers);
  const bodies = description?.body?.content ?? {};
  return fc
    .record({
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant(route.method as string) },
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'),
      ),
      path: fc.array(text, { minLength: 4, maxLength: 4 }).map((values) => pathOf(route.path, values)),
      query: fc.dictionary(fc.oneof(nameFrom(query), text), fc.oneof(text, numberText), { maxKeys: 4 }),
      headers: fc.dictionary(
        nameFrom([
          ...headers,
          'Range',
          'If-Modified-Since',
          'Accept',
          'X-Request-Id',
          'Origin',
          'Content-Encoding',
        ]),
        fc.oneof(numberText, text),
        {
          maxKeys: 5,
        },
      ),
      key: fc.constantFrom(...keys, '', 'wrong'),
      content: contentFor(bodies as Readonly<Record<string, Schema>>),
    })
    .map(({ method, path, query: given, headers: extra, key, content }) => ({
      method,
      target: path + queryOf(given),
      headers: cleanHeaders({
        ...extra,
        ...(key === '' ? {} : { 'X-API-Key': key }),
        ...(content.type === '' ? {} : { 'Content-Type': content.type }),
      }),
      body: method === 'GET' || method === 'HEAD' ? new Uint8Array(0) : content.bytes,
    }));
}

const namesOf = (schema: unknown): string[] => Object.keys((schema as Schema | undefined)?.properties ?? {});

const nameFrom = (names: readonly string[]) =>
  names.length === 0 ? fc.constantFrom('x', '__proto__') : fc.constantFrom(...names, '__proto__', 'x');

function pathOf(pattern: string, values: readonly string[]): string {
  let next = 0;
  return pattern.replaceAll(/:\w+/g, () => {
    const value = values[next++ % values.length]!;
    // Half of them as they are: a path may be malformed too.
    const escaped = /^[\x21-\x7e]+$/.test(value) && !/[#?\s]/.test(value) ? value : safeEscape(value);
    return escaped === '' ? 'x' : escaped;
  });
}

function queryOf(given: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(given).filter(([, value]) => harmless(value));
  return pairs.length === 0
    ? ''
    : `?${pairs.map(([name, value]) => `${safeEscape(name)}=${safeEscape(value)}`).join('&')}`;
}

const safeEscape = (value: string): string => encodeURIComponent(value.toWellFormed());

/** Node refuses to send what is not a header; the raw ones are tested elsewhere. */
function cleanHeaders(given: Readonly<Record<string, string>>): Record<string, string> {
  const clean = Object.entries(given).map(
    ([name, value]) => [name, value.replaceAll(/[^\x20-\x7e\x80-\xff]/g, '').slice(0, 2000)] as const,
  );
  return Object.fromEntries(clean.filter(([name]) => /^[A-Za-z0-9_-]+$/.test(name) && name !== '__proto__'));
}

interface ArbitraryContent {
  readonly type: string;
  readonly bytes: Uint8Array;
}

function contentFor(bodies: Readonly<Record<string, Schema>>): fc.Arbitrary<ArbitraryContent> {
  const types = [
    ...Object.keys(bodies),
    'application/json',
    'application/octet-stream',
    'multipart/form-data; boundary=b',
    'text/plain',
    'image/jpeg',
    '',
  ];
  const schema = Object.values(bodies).find(({ properties }) => properties !== undefined);
  const fields = namesOf(schema);
  const json = fc
    .dictionary(
      nameFrom(fields),
      fc.oneof(
        text,
        fc.integer(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(fc.integer(), { maxLength: 3 }),
        fc.dictionary(text, text, { maxKeys: 2 }),
      ),
      { maxKeys: 6 },
    )
    .map((value) => ({ type: 'application/json', bytes: utf8(JSON.stringify(keepHarmless(value))) }));
  const multipart = fc
    .array(
      fc.record({
        name: nameFrom([...fields, 'image', 'file', 'name']),
        file: fc.boolean(),
        value: fc.uint8Array({ maxLength: 60 }),
      }),
      { maxLength: 4 },
    )
    .map((parts) => ({ type: 'multipart/form-data; boundary=b', bytes: multipartOf(parts) }));
  const noise = fc
    .record({ type: fc.constantFrom(...types), bytes: fc.uint8Array({ maxLength: 300 }) })
    .map(({ type, bytes }) => ({
      type: type === 'multipart/form-data' ? 'multipart/form-data; boundary=b' : type,
      bytes,
    }));
  return fc.oneof(json, json, multipart, noise, fc.constant({ type: '', bytes: new Uint8Array(0) }));
}

const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);

const keepHarmless = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).filter(([, field]) => typeof field !== 'string' || harmless(field)),
  );

function multipartOf(parts: readonly { name: string; file: boolean; value: Uint8Array }[]): Uint8Array {
  const pieces = parts.flatMap(({ name, file, value }) => [
    utf8(`--b\r\nContent-Disposition: form-data; name="${name}"${file ? '; filename="a.jpg"' : ''}\r\n\r\n`),
    value,
    utf8('\r\n'),
  ]);
  return new Uint8Array(Buffer.concat([...pieces, utf8('--b--\r\n')]));
}

/** The address of a camera: an `rtsp:` or `rtsps:` URL taken apart, checked, and written so that ffmpeg reads what was meant. */
import { isIPv4, isIPv6 } from 'node:net';
import { ServerError } from '../errors.ts';

export interface CameraAddress {
  readonly scheme: 'rtsp' | 'rtsps';
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number | null;
  /** Null where the URL names nobody. Decoded. */
  readonly user: string | null;
  readonly password: string | null;
  /** For ffmpeg alone: with the credentials, percent-encoded. */
  readonly secretUrl: string;
  /** For logs and errors: neither credentials nor passwords hidden in the path or the query. */
  readonly redactedUrl: string;
}

const MAX_URL_LENGTH = 1024;
/** libavformat/rtsp.c keeps the encoded `user:password` in 128 bytes and cuts off the rest without a word. */
const MAX_ENCODED_CREDENTIALS_LENGTH = 127;

/**
 * Takes credentials either percent-encoded or as they are, also with `@ : / % # ? [ ]` and spaces in them.
 *
 * - They count as encoded where every `%` starts an escape and nothing is left that would have to be escaped; else every character
 *   stands for itself. So only a raw password that holds a `%` before two hex digits has to be encoded by the caller.
 * - They end where RFC 3986 says, at the last `@` before the first `/ ? #`. Where that leaves no host, or a bare name, while a later
 *   `@` is followed by an IP address or by a name with a port, they end there: the password holds the `/`, `?` or `#`.
 *
 * @param field the name of the request's field, for the error
 * @throws ServerError 400 INVALID_FIELD, which never repeats the URL
 */
export function parseCameraUrl(url: string, field = 'rtspUrl'): CameraAddress {
  const refuse = (expected: string, received: string) =>
    new ServerError(400, 'INVALID_FIELD', `${field}: expected ${expected}, received ${received}`);
  if (typeof url !== 'string' || url.length === 0) throw refuse('an rtsp:// or rtsps:// URL', 'nothing');
  if (url.length > MAX_URL_LENGTH)
    throw refuse(`a URL of at most ${MAX_URL_LENGTH} characters`, `${url.length} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(url))
    throw refuse('a URL without control characters', 'a URL with control characters');
  const scheme = /^(rtsps?):\/\//i.exec(url)?.[1]?.toLowerCase() as 'rtsp' | 'rtsps' | undefined;
  if (!scheme) throw refuse('an rtsp:// or rtsps:// URL', 'a URL of another scheme');

  const rest = url.slice(scheme.length + 3);
  const hostStart = findHost(rest);
  if (hostStart === null) throw refuse('a URL with a host name or an IP address', 'a URL without one');
  const { host, port, length } = readHost(rest.slice(hostStart))!;
  const credentials = hostStart === 0 ? null : readCredentials(rest.slice(0, hostStart - 1));
  const encoded = credentials === null ? '' : encodeCredentials(credentials);
  if (encoded.length > MAX_ENCODED_CREDENTIALS_LENGTH)
    throw refuse(
      `a user and password of at most ${MAX_ENCODED_CREDENTIALS_LENGTH} characters when percent-encoded`,
      `${encoded.length} characters`,
    );
  if (credentials?.user.includes(':'))
    throw refuse('a user name without a colon', 'a user name with a colon');

  const path = encodePath(rest.slice(hostStart + length));
  const authority = `${isIPv6(host) ? `[${host}]` : host}${port === null ? '' : `:${port}`}`;
  return {
    scheme,
    host,
    port,
    user: credentials?.user ?? null,
    password: credentials?.password ?? null,
    secretUrl: `${scheme}://${credentials === null ? '' : `${encoded}@`}${authority}${path}`,
    redactedUrl: `${scheme}://${credentials === null ? '' : '***@'}${authority}${redactParameters(path)}`,
  };
}

/** A camera's URL without its secrets; for whatever cannot be read as one, its scheme alone. */
export function redactUrl(url: string): string {
  try {
    return parseCameraUrl(url).redactedUrl;
  } catch {
    return `${/^[a-z][a-z0-9+.-]{0,15}:/i.exec(url)?.[0] ?? ''}***`;
  }
}

interface Host {
  readonly host: string;
  readonly port: number | null;
  /** Characters it takes up. */
  readonly length: number;
}

const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

/** Reads `host[:port]` up to the path. */
function readHost(text: string): Host | null {
  const match = /^(?:\[([^\]]*)\]|([^:/?#@[\]]*))(?::(\d{1,5}))?(?=[/?#]|$)/.exec(text);
  if (!match) return null;
  const [all, ipv6, name, digits] = match;
  const host = ipv6 ?? name!;
  // A zone (`fe80::1%eth0`) is one of this machine's own interfaces, and ffmpeg reads none.
  const isHost =
    ipv6 === undefined ? isIPv4(host) || DNS_NAME.test(host) : isIPv6(host) && !host.includes('%');
  if (!isHost) return null;
  const port = digits === undefined ? null : Number(digits);
  return port === 0 || (port ?? 0) > 65535 ? null : { host, port, length: all.length };
}

/** Where the host starts: 0 where there are no credentials, else after their `@`. */
function findHost(rest: string): number | null {
  const authority = rest.slice(0, rest.search(/[/?#]|$/));
  const standardStart = authority.lastIndexOf('@') + 1;
  const standard = readHost(rest.slice(standardStart));
  if (standard && (isIPv6(standard.host) || standard.host.includes('.'))) return standardStart;
  const later: { start: number; host: Host }[] = [];
  for (let at = rest.indexOf('@', standardStart); at >= 0; at = rest.indexOf('@', at + 1)) {
    const host = readHost(rest.slice(at + 1));
    if (host) later.push({ start: at + 1, host });
  }
  if (!standard) return later.at(-1)?.start ?? null;
  const certain = later.filter(({ host: { host, port } }) => isIPv4(host) || isIPv6(host) || port !== null);
  return certain.at(-1)?.start ?? standardStart;
}

interface Credentials {
  readonly user: string;
  readonly password: string | null;
}

function readCredentials(text: string): Credentials {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const password = colon < 0 ? null : text.slice(colon + 1);
  const decode = looksEncoded(text) ? decodeURIComponent : (raw: string) => raw;
  return { user: decode(user), password: password === null ? null : decode(password) };
}

function looksEncoded(text: string): boolean {
  if (!/^(?:[a-z0-9\-._~!$&'()*+,;=:]|%[0-9a-f]{2})*$/i.test(text)) return false;
  try {
    decodeURIComponent(text);
    // A control character cannot have been meant.
    return !/%(?:[01][0-9a-f]|7f)/i.test(text);
  } catch {
    // Escapes that are no UTF-8.
    return false;
  }
}

function encodeCredentials({ user, password }: Credentials): string {
  return password === null ? encodePart(user) : `${encodePart(user)}:${encodePart(password)}`;
}

/** All but RFC 3986's unreserved characters; a `+` too, which old ffmpeg reads as a space. Lone surrogates become U+FFFD. */
const encodePart = (part: string) =>
  encodeURIComponent(part.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** A request line ends at a space: what may not stand in a URL is escaped, what is escaped already stays. */
const encodePath = (path: string) =>
  path
    .toWellFormed()
    .replace(/[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]/gu, (character) =>
      encodeURIComponent(character),
    );

/** `password=...` and its like, also the `/user=admin_password=x_channel=1` of some cameras. */
const redactParameters = (path: string) =>
  path.replace(
    /(pass(?:word|wd)?|pwd|psw|token|secret|auth|key|user(?:name)?)=.*?(?=&|\/|$|_(?:pass(?:word|wd)?|channel|stream)=)/gi,
    '$1=***',
  );

/**
 * The page's sign-in: a signed cookie that stands for the API key. A cookie travels with whatever a browser sends, so it counts only
 * where the request shows that a page of this very server made it.
 */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from './route.ts';

export interface SessionCookiesOptions {
  readonly apiKey: string;
  readonly lifetimeS: number;
  readonly now?: () => number;
}

export interface SessionCookies {
  /** Signs the browser in. */
  begin(ctx: Context): void;
  /** `foreign`: the cookie is good, but nothing shows that our own page sent the request. */
  check(ctx: Context): 'none' | 'foreign' | 'good';
  /** Makes the cookie of a request anew where half of its time is over. */
  renew(ctx: Context): void;
  /** Signs the browser out: the cookie is worthless from here on, whoever has a copy of it. */
  end(ctx: Context): void;
  /** A secret for a link that signs in once, within minutes. The one made before is void. */
  makeOnce(): string;
  /** Whether it is the secret of the link; it is used up then. */
  redeem(once: string): boolean;
}

export const SESSION_COOKIE = 'facepool_session';
/** Forms and pictures cannot send it, and a script of another origin would have to ask first. */
export const REQUESTED_WITH = 'facepool';
const ONCE_LIFETIME_MS = 15 * 60_000;
const MAX_ENDED = 10_000;
const SHAPE = /^([A-Za-z0-9_-]{22})\.([0-9a-z]{1,12})\.([A-Za-z0-9_-]{43})$/;

export function createSessionCookies(options: SessionCookiesOptions): SessionCookies {
  const { lifetimeS, now = Date.now } = options;
  // A key of its own: a cookie says nothing about the API key, and no other signature is ever a cookie.
  const signingKey = Buffer.from(hkdfSync('sha256', options.apiKey, '', 'facepool session cookie', 32));
  const sign = (text: string) => createHmac('sha256', signingKey).update(text).digest();
  /** Sessions that were signed out, with the time until which their cookies would be good. */
  const ended = new Map<string, number>();
  let once: { readonly digest: Buffer; readonly untilMs: number } | null = null;

  function read(ctx: Context): { id: string; untilMs: number } | null {
    const match = SHAPE.exec(cookieOf(ctx.get('Cookie')));
    if (match === null) return null;
    const [, id, expiry, signature] = match as unknown as [string, string, string, string];
    if (!timingSafeEqual(sign(`${id}.${expiry}`), Buffer.from(signature, 'base64url'))) return null;
    const untilMs = Number.parseInt(expiry, 36);
    return untilMs > now() && !ended.has(id) ? { id, untilMs } : null;
  }

  function send(ctx: Context, id: string): void {
    const signed = `${id}.${(now() + lifetimeS * 1000).toString(36)}`;
    setCookie(ctx, `${signed}.${sign(signed).toString('base64url')}`, lifetimeS);
  }

  return {
    begin: (ctx) => send(ctx, randomBytes(16).toString('base64url')),

    check(ctx) {
      if (read(ctx) === null) return 'none';
      return isOfOwnPage(ctx) ? 'good' : 'foreign';
    },

    renew(ctx) {
      const session = read(ctx);
      if (session !== null && session.untilMs - now() < lifetimeS * 500) send(ctx, session.id);
    },

    end(ctx) {
      const session = read(ctx);
      if (session !== null) {
        for (const [id, untilMs] of ended) if (untilMs <= now()) ended.delete(id);
        if (ended.size >= MAX_ENDED) ended.delete(ended.keys().next().value as string);
        // Its cookie may have been renewed in the meantime.
        ended.set(session.id, now() + lifetimeS * 1000);
      }
      setCookie(ctx, '', 0);
    },

    makeOnce() {
      const secret = randomBytes(32).toString('base64url');
      once = { digest: digest(secret), untilMs: now() + ONCE_LIFETIME_MS };
      return secret;
    },

    redeem(secret) {
      if (once === null || once.untilMs <= now() || !timingSafeEqual(once.digest, digest(secret)))
        return false;
      once = null;
      return true;
    },
  };
}

/**
 * Whether a page of this server made the request. Browsers tell by `Sec-Fetch-Site` where the page is secure, by `Origin` wherever
 * something is changed or a WebSocket is opened; the header of our own is one that another site cannot add without being asked.
 */
function isOfOwnPage(ctx: Context): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '' && site !== 'same-origin' && site !== 'none') return false;
  const isWebSocket = ctx.get('Upgrade') !== '';
  const isReading = ctx.method === 'GET' || ctx.method === 'HEAD';
  if (isReading && !isWebSocket) return true;
  const origin = ctx.get('Origin');
  const isSameOrigin = origin === '' ? site === 'same-origin' : isOwnOrigin(ctx, origin);
  return isSameOrigin && (isWebSocket || ctx.get('X-Requested-With') === REQUESTED_WITH);
}

const isOwnOrigin = (ctx: Context, origin: string) => ctx.host !== '' && URL.parse(origin)?.host === ctx.host;

function cookieOf(header: string): string {
  for (const part of header.split(';')) {
    const [name, value] = part.split('=', 2);
    if (name!.trim() === SESSION_COOKIE) return value?.trim() ?? '';
  }
  return '';
}

function setCookie(ctx: Context, value: string, maxAgeS: number): void {
  const secure = ctx.secure ? '; Secure' : '';
  ctx.append(
    'Set-Cookie',
    `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${secure}`,
  );
}

const digest = (text: string) => createHash('sha256').update(text).digest();

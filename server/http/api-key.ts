/** Who may call what: keys compared in constant time, read tokens, the page's cookie, and the three modes of ACCESS. */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { invalidApiKey, notOurPage } from '../errors.ts';
import type { Config } from '../settings.ts';
import type { Access, Context } from './route.ts';
import type { SessionCookies } from './session-cookie.ts';

export interface ReadToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface AccessControl {
  /** Whether the request carries the API key itself. */
  holdsKey(ctx: Context): boolean;
  /** Whether the text is the API key. */
  isKey(text: string): boolean;
  /** Whether the request carries the API key, or is one of the page, whose cookie stands for it. */
  isTrusted(ctx: Context): boolean;
  /** Whether the request may know who was seen in class: that is for those with the key, also where the device API asks for none. */
  maySeeClass(ctx: Context): boolean;
  /** @throws {ServerError} 401 where the request may not do this; 403 where it has the page's cookie and is not the page's */
  demand(access: Access, ctx: Context): void;
  issueReadToken(now?: Date): ReadToken;
}

export interface AccessOptions {
  readonly mode: Config['ACCESS'];
  readonly apiKey: string;
  readonly deviceKey: string | undefined;
  readonly tokenLifetimeS: number;
  /** Without it, no cookie is good for anything. */
  readonly cookies?: Pick<SessionCookies, 'check'>;
}

export function createAccessControl(options: AccessOptions): AccessControl {
  const apiKeyDigest = digest(options.apiKey);
  const deviceKeyDigest = options.deviceKey === undefined ? null : digest(options.deviceKey);
  // A key of its own, so that a token says nothing about the API key and no other signature is ever a token.
  const tokenKey = Buffer.from(hkdfSync('sha256', options.apiKey, '', 'facepool read token', 32));
  const sign = (expiry: string) => createHmac('sha256', tokenKey).update(expiry).digest();

  const shownKey = (ctx: Context) => {
    const shown = ctx.get('X-API-Key') || bearerToken(ctx.get('Authorization'));
    return shown === '' ? null : digest(shown);
  };
  const holdsKey = (ctx: Context) => {
    const shown = shownKey(ctx);
    return shown !== null && timingSafeEqual(shown, apiKeyDigest);
  };
  const isTrusted = (ctx: Context) => holdsKey(ctx) || options.cookies?.check(ctx) === 'good';
  const holdsDeviceKey = (ctx: Context) => {
    const shown = shownKey(ctx);
    return shown !== null && deviceKeyDigest !== null && timingSafeEqual(shown, deviceKeyDigest);
  };
  const holdsReadToken = (ctx: Context) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return false;
    const token = ctx.query.token;
    if (typeof token !== 'string') return false;
    const match = /^([0-9a-z]{1,12})\.([A-Za-z0-9_-]{43})$/.exec(token);
    if (match === null || Number.parseInt(match[1]!, 36) < Date.now()) return false;
    return timingSafeEqual(sign(match[1]!), Buffer.from(match[2]!, 'base64url'));
  };

  const permits: Record<Access, (ctx: Context) => boolean> = {
    public: () => true,
    board: (ctx) => options.mode !== 'strict' || holdsDeviceKey(ctx) || isTrusted(ctx),
    read: (ctx) => options.mode === 'open' || holdsReadToken(ctx) || isTrusted(ctx),
    key: (ctx) => options.mode === 'open' || isTrusted(ctx),
    always: isTrusted,
  };

  return {
    holdsKey,
    isKey: (text) => timingSafeEqual(digest(text), apiKeyDigest),
    isTrusted,
    maySeeClass: (ctx) => options.mode !== 'open' || isTrusted(ctx),
    demand(access, ctx) {
      if (!permits[access](ctx))
        throw options.cookies?.check(ctx) === 'foreign' ? notOurPage() : invalidApiKey();
    },
    issueReadToken(now = new Date()) {
      const expiresAt = new Date(now.getTime() + options.tokenLifetimeS * 1000);
      const expiry = expiresAt.getTime().toString(36);
      return { token: `${expiry}.${sign(expiry).toString('base64url')}`, expiresAt };
    },
  };
}

/** RFC 6750 section 2.1: how Prometheus and many client libraries show a key. */
const bearerToken = (header: string): string => /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';

/** Digests have one length, so comparing them tells nothing about the length of a key. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

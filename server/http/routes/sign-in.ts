/** The page's sign-in: the API key, or the secret of a link that works once, for a cookie. */
import { badRequest, rateLimited, ServerError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { AccessControl } from '../api-key.ts';
import type { BodyReader } from '../body.ts';
import {
  Credentials,
  signInDescription,
  signInStateDescription,
  signOutDescription,
} from '../descriptions/page.ts';
import type { RateLimiter } from '../rate-limit.ts';
import { readJsonObject } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { REQUESTED_WITH, type SessionCookies } from '../session-cookie.ts';
import { validate } from '../validate.ts';

export interface SignInDependencies {
  readonly access: Pick<AccessControl, 'isKey' | 'isTrusted'>;
  readonly cookies: SessionCookies;
  readonly bodies: BodyReader;
  /** Of attempts, by client: whoever guesses keys is slowed down to a few a minute. */
  readonly attempts: RateLimiter;
  /** Whether the request came through the SSH tunnel: whoever guesses there locks nobody else out. */
  readonly isTunnelled: (ctx: Context) => boolean;
  readonly serviceName: string;
  readonly version: string;
  readonly log: Log;
}

export function signInRoutes(dependencies: SignInDependencies): Route[] {
  const { access, cookies, bodies, attempts, serviceName, version, log } = dependencies;

  /** Also what keeps the cookie of a page alive that stays open. */
  function state(ctx: Context): void {
    const signedIn = access.isTrusted(ctx);
    if (signedIn) cookies.renew(ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { success: true, signedIn, serviceName, ...(signedIn ? { version } : {}) };
  }

  async function signIn(ctx: Context): Promise<void> {
    const retryAfterS = attempts.count(dependencies.isTunnelled(ctx) ? 'tunnel' : ctx.ip);
    if (retryAfterS !== null) throw rateLimited(retryAfterS);
    // Another site's page could otherwise sign a browser in to a server of its choice.
    if (ctx.get('X-Requested-With') !== REQUESTED_WITH)
      throw badRequest('HEADER_REQUIRED', `X-Requested-With: expected ${REQUESTED_WITH}`);
    const { key, once } = validate(Credentials, await readJsonObject(ctx, bodies));
    if (key === undefined && once === undefined)
      throw badRequest('CREDENTIALS_REQUIRED', 'key: expected the API key, received nothing');
    if (key !== undefined ? !access.isKey(key.trim()) : !cookies.redeem(once!)) {
      log.warn({ client: ctx.ip, with: key === undefined ? 'link' : 'key' }, 'sign-in refused');
      throw key === undefined ? linkUsed() : wrongKey();
    }
    log.info({ client: ctx.ip }, 'signed in');
    cookies.begin(ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { success: true, message: 'Signed in' };
  }

  function signOut(ctx: Context): void {
    cookies.end(ctx);
    ctx.body = { success: true, message: 'Signed out' };
  }

  return [
    {
      method: 'GET',
      path: '/api/v1/sign-in',
      access: 'public',
      description: signInStateDescription,
      handle: state,
    },
    {
      method: 'POST',
      path: '/api/v1/sign-in',
      access: 'public',
      description: signInDescription,
      handle: signIn,
    },
    {
      method: 'POST',
      path: '/api/v1/sign-out',
      access: 'always',
      description: signOutDescription,
      handle: signOut,
    },
  ];
}

const wrongKey = () => new ServerError(401, 'WRONG_KEY', 'this is not the API key of this server');

const linkUsed = () =>
  new ServerError(401, 'LINK_USED', 'this link has been used, or is too old: sign in with the API key');

/** The order in which a request passes through the server, and the door of every route. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Router from '@koa/router';
import Koa from 'koa';
import { methodNotAllowed, notFound, rateLimited } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { onBehalfOf } from '../request-context.ts';
import type { AccessControl } from './api-key.ts';
import { createErrorHandler } from './error-handler.ts';
import type { RateLimiter } from './rate-limit.ts';
import type { Context, RequestState, Route } from './route.ts';

export interface AppOptions {
  readonly routes: readonly Route[];
  readonly access: AccessControl;
  readonly rateLimiter: RateLimiter;
  readonly corsOrigins: readonly string[];
  /** Proxies in front whose X-Forwarded-For is believed. */
  readonly trustedProxies: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether the request came through the SSH tunnel: all of those share one bucket of the rate limit. */
  readonly isTunnelled?: (req: IncomingMessage) => boolean;
  /** Whether the server is on its way out: answers then close their connection. */
  readonly isStopping: () => boolean;
}

type Next = () => Promise<unknown>;

export function createApp(options: AppOptions): Koa<RequestState> {
  const { access, log, metrics } = options;
  const app = new Koa<RequestState>({
    proxy: options.trustedProxies > 0,
    maxIpsCount: options.trustedProxies,
  });
  app.on('error', (error: NodeJS.ErrnoException) => {
    // Only what fails while an answer is being sent comes here: mostly clients that hang up.
    const level = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(error.code ?? '')
      ? 'debug'
      : 'error';
    log[level]({ err: error }, 'answer not sent');
  });

  const use = (middleware: (ctx: Context, next: Next) => Promise<void>) =>
    app.use(middleware as unknown as Koa.Middleware<RequestState>);
  const router = createRouter(options.routes, access);
  use(observe);
  use(createErrorHandler(log, metrics));
  use(headers);
  use(limitRate);
  app.use(router.routes() as unknown as Koa.Middleware<RequestState>);
  use(unanswered);
  return app;

  async function observe(ctx: Context, next: Next) {
    const startedMs = performance.now();
    ctx.state.requestId = givenRequestId(ctx) ?? randomUUID();
    ctx.set('X-Request-Id', ctx.state.requestId);
    ctx.res.once('close', () => {
      const seconds = (performance.now() - startedMs) / 1000;
      const { route, requestId } = ctx.state;
      const status = ctx.res.writableFinished ? ctx.res.statusCode : 499;
      metrics.requestSeconds.observe({ route: route?.path ?? 'none', method: ctx.method, status }, seconds);
      const line = {
        requestId,
        method: ctx.method,
        // The route's pattern where there is one: paths may hold names of people.
        path: route?.path ?? ctx.path.slice(0, 200),
        status,
        client: ctx.ip,
        durationMs: Math.round(seconds * 1000),
      };
      log[status >= 500 ? 'warn' : route?.frequent ? 'debug' : 'info'](line, 'request');
    });
    await onBehalfOf(ctx.state.requestId, next);
    if (options.isStopping() && !ctx.res.headersSent) ctx.set('Connection', 'close');
  }

  async function headers(ctx: Context, next: Next) {
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('X-Frame-Options', 'DENY');
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
    // An <img> sends no Origin: whether another site may show a picture cannot depend on it. Another port is the same site.
    ctx.set('Cross-Origin-Resource-Policy', options.corsOrigins.length > 0 ? 'cross-origin' : 'same-site');
    if (options.corsOrigins.length > 0) {
      ctx.vary('Origin');
      const origin = ctx.get('Origin');
      const allowed = options.corsOrigins.includes('*') ? '*' : options.corsOrigins.find((o) => o === origin);
      if (origin !== '' && allowed !== undefined) {
        ctx.set('Access-Control-Allow-Origin', allowed);
        ctx.set('Access-Control-Expose-Headers', 'X-Request-Id, Retry-After');
        if (ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== '') {
          ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE');
          ctx.set(
            'Access-Control-Allow-Headers',
            ctx.get('Access-Control-Request-Headers') || 'Content-Type, X-API-Key',
          );
          ctx.set('Access-Control-Max-Age', '600');
          ctx.status = 204;
          return;
        }
      }
    }
    await next();
  }

  async function limitRate(ctx: Context, next: Next) {
    ctx.state.hasKey = access.isTrusted(ctx);
    if (ctx.path.startsWith('/api/') && !ctx.state.hasKey) {
      const retryAfterS = options.rateLimiter.count(options.isTunnelled?.(ctx.req) ? 'tunnel' : ctx.ip);
      if (retryAfterS !== null) {
        metrics.requestsRefused.inc({ reason: 'rate' });
        throw rateLimited(retryAfterS);
      }
    }
    await next();
  }

  async function unanswered(ctx: Context) {
    const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
    if (methods.size === 0) throw notFound(ctx.path);
    const allowed = [...methods].sort().join(', ');
    ctx.set('Allow', allowed);
    throw methodNotAllowed(ctx.method, allowed);
  }
}

function createRouter(routes: readonly Route[], access: AccessControl): Router<RequestState> {
  const router = new Router<RequestState>();
  for (const route of routes) {
    router.register(route.path, [route.method], async (ctx) => {
      ctx.state.route = route;
      access.demand(route.access, ctx as Context);
      await route.handle(ctx as Context);
    });
  }
  return router;
}

/** A client's own id, so that its log and ours can be laid side by side. */
function givenRequestId(ctx: Context): string | null {
  const given = ctx.get('X-Request-Id');
  return /^[A-Za-z0-9_.-]{8,64}$/.test(given) ? given : null;
}

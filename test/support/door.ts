/** One more way in to a running test server: of another mode of access, with other limits or other routes. */
import { createAccessControl } from '../../server/http/api-key.ts';
import { createApp } from '../../server/http/app.ts';
import { createRateLimiter } from '../../server/http/rate-limit.ts';
import type { Route } from '../../server/http/route.ts';
import { type HttpServer, listen } from '../../server/http/server.ts';
import { API_KEY, DEVICE_KEY, type TestServer } from './server.ts';

export interface DoorOptions {
  /** Unless given, those of the server. */
  readonly routes?: readonly Route[];
  /** A minute, of each client. */
  readonly maxCalls?: number;
  readonly corsOrigins?: readonly string[];
  readonly trustedProxies?: number;
}

/** On a free port, with the server's keys, log and metrics. Whoever opens stops it, before the server. */
export function openDoor(
  server: TestServer,
  mode: 'devices' | 'strict' | 'open',
  { routes = server.routes, maxCalls = 100_000, corsOrigins = [], trustedProxies = 0 }: DoorOptions = {},
): Promise<HttpServer> {
  const { log, metrics, config } = server;
  const access = createAccessControl({ mode, apiKey: API_KEY, deviceKey: DEVICE_KEY, tokenLifetimeS: 60 });
  const rateLimiter = createRateLimiter({ maxCalls, windowMs: 60_000 });
  const app = createApp({
    routes,
    access,
    rateLimiter,
    corsOrigins,
    trustedProxies,
    log,
    metrics,
    isStopping: () => false,
  });
  return listen({ config: { ...config, PORT: 0 }, handle: app.callback(), log, metrics });
}

/** For a route of a test's own. */
export const UNDESCRIBED = { operationId: 'x', summary: 'x', tag: 'operation', answers: {} } as const;

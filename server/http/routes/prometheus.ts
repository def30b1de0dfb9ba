/** GET /metrics: every metric, as Prometheus reads them. */

import type { Registry } from 'prom-client';
import Type from 'typebox';
import type { Context, Route } from '../route.ts';

export interface PrometheusDependencies {
  readonly registry: Registry;
  /** Whether they are for everybody; else the key is asked for, in `X-API-Key` or as a bearer token. */
  readonly open: boolean;
}

export function prometheusRoutes({ registry, open }: PrometheusDependencies): Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      access: open ? 'public' : 'always',
      frequent: true,
      description: {
        operationId: 'scrapeMetrics',
        summary: 'Every metric in the text format of Prometheus',
        details:
          'Prometheus shows the key as a bearer token: `authorization: {credentials: ...}` in its configuration.',
        tag: 'operation',
        answers: {
          200: { description: 'The metrics', content: { 'text/plain': Type.String() } },
        },
      },
      handle: (ctx) => sendExposition(ctx, registry),
    },
  ];
}

/** Whether the caller asks for the exposition format rather than for JSON. */
export function wantsExposition(ctx: Context): boolean {
  const type = ctx.accepts('application/json', 'text/plain', 'application/openmetrics-text');
  return type === 'text/plain' || type === 'application/openmetrics-text';
}

export async function sendExposition(ctx: Context, registry: Registry): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Type', registry.contentType);
  ctx.body = await registry.metrics();
}

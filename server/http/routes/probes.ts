/** Liveness and readiness, for whoever starts and stops the process and sends it work. */
import Type from 'typebox';
import type { Context, Route } from '../route.ts';
import { json } from '../route-description.ts';

export interface ProbeDependencies {
  /** What must be there for any work; sentences for anybody, nothing of the inside. */
  readonly troubles: () => Promise<readonly string[]>;
  /** What works, but not as it should. */
  readonly degradations: () => Promise<readonly string[]>;
  readonly isStopping: () => boolean;
}

const Alive = Type.Object({ status: Type.Literal('alive'), uptime_seconds: Type.Integer() });
const Readiness = Type.Object({
  status: Type.Union(['ready', 'degraded', 'not_ready'].map((status) => Type.Literal(status))),
  errors: Type.Array(Type.String(), { description: 'Why no work can be done' }),
  degraded: Type.Array(Type.String(), {
    description: 'What does not work as it should, though work is done',
  }),
});

export function probeRoutes({ troubles, degradations, isStopping }: ProbeDependencies): Route[] {
  function live(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { status: 'alive', uptime_seconds: Math.floor(process.uptime()) };
  }

  async function ready(ctx: Context): Promise<void> {
    const errors = [...(await troubles()), ...(isStopping() ? ['The server is shutting down'] : [])];
    const degraded = await degradations();
    ctx.set('Cache-Control', 'no-store');
    ctx.status = errors.length === 0 ? 200 : 503;
    const status = errors.length > 0 ? 'not_ready' : degraded.length > 0 ? 'degraded' : 'ready';
    ctx.body = { status, errors, degraded };
  }

  return [
    {
      method: 'GET',
      path: '/health/live',
      access: 'public',
      frequent: true,
      description: {
        operationId: 'checkLiveness',
        summary: 'Whether the process answers',
        details: 'Looks at nothing that a restart would not mend.',
        tag: 'operation',
        answers: { 200: json(Alive, 'It does') },
      },
      handle: live,
    },
    {
      method: 'GET',
      path: '/health/ready',
      access: 'public',
      frequent: true,
      description: {
        operationId: 'checkReadiness',
        summary: 'Whether work can be sent here',
        details:
          'Database, models and threads have to be there; what merely limps is named under `degraded`.',
        tag: 'operation',
        answers: { 200: json(Readiness, 'It can'), 503: json(Readiness, 'It cannot, and why') },
      },
      handle: ready,
    },
  ];
}

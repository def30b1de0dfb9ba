/** How the server and its boards are, in the words of the older dashboard: all of it measured. */
import type { Registry } from '../../devices/registry.ts';
import { systemStatusDescription } from '../descriptions/operation.ts';
import type { Context, Route } from '../route.ts';

export interface SystemDependencies {
  readonly registry: Pick<Registry, 'counts'>;
  /** The attendance backend: whether its last call was answered, and when one was. */
  readonly backend: () => { readonly connected: boolean; readonly lastSyncAt: Date | null };
  /** Share of the processors' time in use, 0 to 1. */
  readonly systemLoad: () => number;
}

export function systemRoutes({ registry, backend, systemLoad }: SystemDependencies): Route[] {
  function status(ctx: Context): void {
    const { total, online, commandsSent, commandsFailed } = registry.counts();
    const { connected, lastSyncAt } = backend();
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      success: true,
      status: {
        devicesOnline: online,
        devicesTotal: total,
        systemUptime: Math.floor(process.uptime()),
        totalCommandsSent: commandsSent,
        totalCommandsFailed: commandsFailed,
        backendConnected: connected,
        lastBackendSync: lastSyncAt?.toISOString() ?? null,
        systemLoad: Math.round(systemLoad() * 1000) / 1000,
      },
    };
  }

  return [
    {
      method: 'GET',
      path: '/api/v1/system/status',
      access: 'key',
      frequent: true,
      description: systemStatusDescription,
      handle: status,
    },
  ];
}

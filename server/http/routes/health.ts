/** That the server runs, and how well. */
import type { Recognizer } from '../../recognition/recognizer.ts';
import {
  attendanceHealthDescription,
  deviceHealthDescription,
  greetingDescription,
} from '../descriptions/operation.ts';
import type { HealthChecks } from '../health-checks.ts';
import type { Context, Route } from '../route.ts';

export interface HealthDependencies {
  readonly serviceName: string;
  readonly version: string;
  readonly recognizer: Pick<Recognizer, 'status'>;
  /** People and pictures in the gallery. */
  readonly gallerySize: () => { readonly persons: number; readonly pictures: number };
  readonly isTunnelActive: () => boolean;
  /** Attendance sessions that run. */
  readonly activeSessions: () => number;
  readonly databaseKind: string;
  readonly checks: HealthChecks;
}

export function healthRoutes(dependencies: HealthDependencies): Route[] {
  const { serviceName, version, recognizer, gallerySize, databaseKind, checks } = dependencies;

  async function deviceHealth(ctx: Context): Promise<void> {
    const found = await checks.troubles();
    const { detector, embedder, provider, threads, readyThreads, queueDepth, running } = recognizer.status;
    const uptimeS = Math.floor(process.uptime());
    ctx.set('Cache-Control', 'no-store');
    ctx.status = found.length === 0 ? 200 : 503;
    ctx.body = {
      status: found.length === 0 ? 'healthy' : 'unhealthy',
      uptime: uptimeS,
      uptime_seconds: uptimeS,
      timestamp: Date.now(),
      face_recognition_ready: readyThreads > 0,
      ssh_tunnel_active: dependencies.isTunnelActive(),
      version,
      models: { detector, embedder },
      provider,
      threads: { total: threads, ready: readyThreads, busy: running },
      queue: { depth: queueDepth },
      gallery: gallerySize(),
      database: { kind: databaseKind, connected: (await checks.databaseTrouble()) === null },
      errors: found,
      degraded: await checks.degradations(),
    };
  }

  async function attendanceHealth(ctx: Context): Promise<void> {
    const found = await checks.troubles();
    ctx.set('Cache-Control', 'no-store');
    if (found.length > 0) {
      ctx.status = 503;
      const data = { service: serviceName, status: 'unhealthy', error: found.join('; ') };
      ctx.body = { status: 503, message: 'Service is unhealthy', data };
      return;
    }
    const data = {
      service: serviceName,
      version,
      status: (await checks.degradations()).length === 0 ? 'healthy' : 'degraded',
      uptime: Math.floor(process.uptime()),
      activeSessions: dependencies.activeSessions(),
      timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    };
    ctx.body = { status: 200, message: 'Service is healthy', data };
  }

  return [
    {
      method: 'GET',
      path: '/api/v1',
      access: 'public',
      description: greetingDescription,
      handle: greeting(serviceName, version),
    },
    {
      method: 'GET',
      path: '/health',
      access: 'public',
      frequent: true,
      description: deviceHealthDescription,
      handle: deviceHealth,
    },
    {
      method: 'GET',
      path: '/api/v1/health',
      access: 'public',
      envelope: 'attendance',
      frequent: true,
      description: attendanceHealthDescription,
      handle: attendanceHealth,
    },
  ];
}

/** That the server runs, for whoever asks for nothing else. */
export function greeting(serviceName: string, version: string): (ctx: Context) => void {
  return (ctx) => {
    ctx.body = {
      success: true,
      message: `${serviceName} is running`,
      service: serviceName,
      version,
      status: 'running',
    };
  };
}

/** That the server runs, and how well. */
import type { Recognizer } from '../../recognition/recognizer.ts';
import {
  attendanceHealthDescription,
  deviceHealthDescription,
  greetingDescription,
} from '../descriptions/operation.ts';
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
  /** Rejects where the database does not answer. */
  readonly checkDatabase: () => Promise<unknown>;
}

/** A health check that hangs is as bad as one that fails. */
const DATABASE_TIMEOUT_MS = 3000;
/** Many monitors may ask at the same time; the database is asked once a second at most. */
const DATABASE_CHECK_LIFETIME_MS = 1000;

export function healthRoutes(dependencies: HealthDependencies): Route[] {
  const { serviceName, version, recognizer, gallerySize, databaseKind } = dependencies;
  let lastCheck: { atMs: number; result: Promise<string | null> } | null = null;

  /** What is wrong with the database, or null. */
  function databaseTrouble(): Promise<string | null> {
    const nowMs = performance.now();
    if (lastCheck === null || nowMs - lastCheck.atMs > DATABASE_CHECK_LIFETIME_MS)
      lastCheck = { atMs: nowMs, result: askDatabase(dependencies.checkDatabase) };
    return lastCheck.result;
  }

  /** Sentences for anybody: they must show nothing of the inside. */
  async function troubles(): Promise<string[]> {
    const found: string[] = [];
    const database = await databaseTrouble();
    if (database !== null) found.push(database);
    if (recognizer.status.readyThreads === 0) found.push('Recognition threads are gone');
    return found;
  }

  async function deviceHealth(ctx: Context): Promise<void> {
    const found = await troubles();
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
      database: { kind: databaseKind, connected: (await databaseTrouble()) === null },
      errors: found,
    };
  }

  async function attendanceHealth(ctx: Context): Promise<void> {
    const found = await troubles();
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
      status: 'healthy',
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
      description: greetingDescription('greet'),
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

async function askDatabase(check: () => Promise<unknown>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), DATABASE_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeout]);
    return null;
  } catch {
    return 'Database connection failed';
  } finally {
    clearTimeout(timer);
  }
}

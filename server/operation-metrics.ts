/** Metrics of the process and of what it runs on: version, models, provider, threads, database; read when somebody asks. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import { startAtZero } from './metrics.ts';

export interface OperationSources {
  readonly version: string;
  readonly models: () => readonly ModelInUse[];
  readonly provider: () => string;
  readonly threads: () => { readonly total: number; readonly ready: number; readonly busy: number };
  readonly database: () => { readonly open: number; readonly idle: number; readonly waiting: number };
  readonly databaseKind: () => string;
  readonly gallery: () => { readonly persons: number; readonly pictures: number };
}

export interface ModelInUse {
  readonly task: 'detector' | 'embedder';
  readonly id: string;
  /** Of the file; `embedded` where the graph is built in memory. */
  readonly sha256: string;
}

const DATABASE_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30];

/** What has to be there before the parts are, because they count into it. */
export function createDatabaseMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    callSeconds: new Histogram({
      name: 'face_database_call_duration_seconds',
      help: 'Time of a call to the database, waiting for a connection included',
      labelNames: ['kind'] as const,
      buckets: DATABASE_SECONDS,
      registers,
    }),
    callsFailed: new Counter({
      name: 'face_database_calls_failed_total',
      help: 'Calls to the database that failed',
      labelNames: ['kind'] as const,
      registers,
    }),
    connectionsLost: new Counter({
      name: 'face_database_connections_lost_total',
      help: 'Connections to the database that broke',
      registers,
    }),
    restarts: new Counter({
      name: 'face_database_restarts_total',
      help: 'Times that the embedded database stopped and was started anew',
      registers,
    }),
  };
  startAtZero(metrics.callsFailed, 'kind', ['query', 'read', 'transaction', 'maintenance']);
  return metrics;
}

export function registerOperationMetrics(registry: Registry, sources: OperationSources): void {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'face_build_info',
    help: 'Always 1; the version of the server and of Node',
    labelNames: ['version', 'node'] as const,
    registers,
  }).set({ version: sources.version, node: process.versions.node }, 1);
  info('face_model_info', 'Always 1; each model in use', ['task', 'model', 'sha256'], () =>
    sources.models().map(({ task, id, sha256 }) => ({ task, model: id, sha256 })),
  );
  info('face_provider_info', 'Always 1; what runs the networks', ['provider'], () => [
    { provider: sources.provider() },
  ]);
  info('face_database_info', 'Always 1; the kind of database', ['kind'], () => [
    { kind: sources.databaseKind() },
  ]);
  states('face_worker_threads', 'Threads that look at pictures, by state', () => {
    const { total, ready, busy } = sources.threads();
    return { busy, idle: Math.max(0, ready - busy), missing: total - ready };
  });
  states('face_database_connections', 'Connections to the database, by state', () => {
    const { open, idle } = sources.database();
    return { busy: open - idle, idle };
  });
  new Gauge({
    name: 'face_database_callers_waiting',
    help: 'Callers that wait for a connection to the database',
    registers,
    collect() {
      this.set(sources.database().waiting);
    },
  });
  new Gauge({
    name: 'face_gallery_persons',
    help: 'People that are enrolled',
    registers,
    collect() {
      this.set(sources.gallery().persons);
    },
  });
  new Gauge({
    name: 'face_gallery_pictures',
    help: 'Pictures of enrolled people',
    registers,
    collect() {
      this.set(sources.gallery().pictures);
    },
  });

  /** Labels that say what is so now: what was so before is forgotten. */
  function info(name: string, help: string, labelNames: string[], read: () => Record<string, string>[]) {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const labels of read()) this.set(labels, 1);
      },
    });
  }

  function states(name: string, help: string, read: () => Readonly<Record<string, number>>) {
    new Gauge({
      name,
      help,
      labelNames: ['state'] as const,
      registers,
      collect() {
        for (const [state, count] of Object.entries(read())) this.set({ state }, count);
      },
    });
  }
}

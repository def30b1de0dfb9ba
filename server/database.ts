/** Opens the database that the settings name: a server's, or the embedded one. */
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { Closers } from './closers.ts';
import type { Log } from './log.ts';
import { createDatabaseMetrics } from './operation-metrics.ts';
import type { Config } from './settings.ts';
import { startEmbedded } from './store/embedded.ts';
import { measured } from './store/measured.ts';
import { migrate } from './store/migrate.ts';
import { type Database, openPool } from './store/pool.ts';
import { startUpkeep } from './store/upkeep.ts';

export interface OpenDatabase {
  readonly database: Database;
  /** Settles where the embedded database has stopped: it cannot be started again within the process. */
  readonly broken: Promise<Error>;
}

export async function openDatabase(
  config: Config,
  log: Log,
  registry: Registry,
  closers: Closers,
): Promise<OpenDatabase> {
  const metrics = createDatabaseMetrics(registry);
  const onConnectionLost = (reason: string) => {
    metrics.connectionsLost.inc();
    log.warn({ reason }, 'a connection to the database was lost');
  };
  let database: Database;
  let broken = new Promise<Error>(() => {});
  if (config.DATABASE_URL !== undefined) {
    database = openPool(
      { kind: 'server', url: config.DATABASE_URL },
      { maxConnections: config.DATABASE_POOL_SIZE, onConnectionLost },
    );
  } else {
    const embedded = await startEmbedded(join(config.DATA_DIR, 'database'));
    closers.add('embedded database', () => embedded.stop());
    const { socketFolder, port } = embedded;
    const panic = Promise.withResolvers<Error>();
    broken = Promise.race([embedded.broken, panic.promise]);
    database = openPool(
      { kind: 'embedded', socketFolder, port },
      {
        onConnectionLost,
        onPanic: (reason) => panic.resolve(new Error(`the embedded database has given up: ${reason}`)),
      },
    );
  }
  closers.add('database', () => database.close());
  const steps = await migrate(database);
  if (steps.length > 0) log.info({ steps }, 'the database was brought up to date');
  const upkeep = startUpkeep(database, (error) =>
    log.warn({ err: error }, 'the upkeep of the database failed'),
  );
  closers.add('database upkeep', () => upkeep.stop());
  return {
    database: measured(database, (kind, outcome, seconds) => {
      metrics.callSeconds.observe({ kind }, seconds);
      if (outcome === 'failed') metrics.callsFailed.inc({ kind });
    }),
    broken,
  };
}

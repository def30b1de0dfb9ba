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
  /** Settles where the embedded database has stopped, and does not come back within this process. */
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
    const embedded = await startEmbedded(join(config.DATA_DIR, 'database'), {
      onLost(reason) {
        metrics.restarts.inc();
        log.error({ reason }, 'the embedded database has stopped, and is started anew');
      },
      onRecovered: (awaySeconds) =>
        log.warn({ awaySeconds }, 'the embedded database is back, with all that it had committed'),
    });
    closers.add('embedded database', () => embedded.stop());
    const { socketFolder, port } = embedded;
    broken = embedded.broken;
    database = openPool(
      { kind: 'embedded', socketFolder, port },
      { onConnectionLost, onStuck: embedded.replace },
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

/** A database of its own for a test: embedded in a fresh folder, or a fresh one on the server of DATABASE_URL. */
import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbedded } from '../../server/store/embedded.ts';
import { type FolderLock, lockFolder } from '../../server/store/folder-lock.ts';
import { migrate } from '../../server/store/migrate.ts';
import { type Database, openPool } from '../../server/store/pool.ts';

export interface TestDatabase {
  readonly database: Database;
  /** Where the embedded database has its files; null for a server. */
  readonly folder: string | null;
  /** Empties every table of the program, so that one database serves the tests of a file. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const DUPLICATE_DATABASE = '42P04';

export type DatabaseKind = 'embedded' | 'server';

/** Each kind of database that this machine has: the embedded one always, a server where DATABASE_URL names one. */
export const databaseKinds: readonly DatabaseKind[] = process.env.DATABASE_URL
  ? ['embedded', 'server']
  : ['embedded'];

/** What the tests use that are not about one kind. */
export const usualKind: DatabaseKind = databaseKinds.at(-1)!;

export async function openTestDatabase(
  kind: DatabaseKind = usualKind,
  { migrated = true } = {},
): Promise<TestDatabase> {
  const { database, folder, close } = kind === 'embedded' ? await openEmbedded() : await openOnServer();
  if (migrated) await migrate(database);
  return {
    database,
    folder,
    async reset() {
      const { rows } = await database.query<{ name: string }>(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('facepool_migrations', 'gallery_identity')",
      );
      if (rows.length > 0)
        await database.query(`TRUNCATE ${rows.map(({ name }) => `"${name}"`).join(', ')} CASCADE`);
    },
    close,
  };
}

/**
 * Fills `folder`, for `startEmbedded` (`<DATA_DIR>/database`), with a new cluster. Making one takes seconds, so the first test makes it
 * and the others copy.
 */
export async function placeFreshCluster(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(join(await templateFolder(), 'cluster'), join(folder, 'cluster'), { recursive: true });
}

async function templateFolder(): Promise<string> {
  const nodeModules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
  const makers = [
    join(nodeModules, '@electric-sql/pglite/package.json'),
    fileURLToPath(new URL('../../server/store/embedded-thread.ts', import.meta.url)),
  ];
  const hash = createHash('sha256');
  for (const maker of makers) hash.update(await readFile(maker));
  const caches = join(nodeModules, '.cache', 'facepool');
  const template = join(caches, `cluster-${hash.digest('hex').slice(0, 16)}`);
  if (await stat(template).catch(() => null)) return template;
  // Tests run in several processes: one makes it, the others wait.
  const lock = await waitForLock(caches);
  try {
    if (await stat(template).catch(() => null)) return template;
    const made = await mkdtemp(join(caches, 'making-'));
    const embedded = await startEmbedded(made);
    await embedded.stop();
    await rename(made, template);
    return template;
  } finally {
    lock.release();
  }
}

async function waitForLock(folder: string): Promise<FolderLock> {
  for (;;) {
    try {
      return lockFolder(folder);
    } catch (error) {
      if (!/in use/.test((error as Error).message)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function openEmbedded() {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-database-'));
  await placeFreshCluster(folder);
  const embedded = await startEmbedded(folder);
  const { socketFolder, port } = embedded;
  const database = openPool({ kind: 'embedded', socketFolder, port });
  return {
    database,
    folder,
    async close() {
      await database.close();
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openOnServer() {
  const { url, drop } = await createServerDatabase(randomBytes(6).toString('hex'));
  const database = openPool({ kind: 'server', url });
  return {
    database,
    folder: null,
    async close() {
      await database.close();
      await drop();
    },
  };
}

export interface ServerDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database of its own on the server of DATABASE_URL, or the one that was made under this name before. */
export async function createServerDatabase(
  suffix: string,
  server = process.env.DATABASE_URL!,
): Promise<ServerDatabase> {
  const name = `facepool_test_${suffix}`;
  const administer = async (sql: string) => {
    const administration = openPool({ kind: 'server', url: server }, { maxConnections: 1 });
    await administration.query(sql).finally(() => administration.close());
  };
  await administer(`CREATE DATABASE ${name}`).catch((error: { code?: string }) => {
    if (error.code !== DUPLICATE_DATABASE) throw error;
  });
  const own = new URL(server);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

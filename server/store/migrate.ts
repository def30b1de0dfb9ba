import { readdir, readFile } from 'node:fs/promises';
import { StartError } from '../errors.ts';
import type { Database, Query } from './pool.ts';

/** One step of the schema: `migrations/<number>-<name>.sql`, numbered from 1 without gaps, never changed once released. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

const MIGRATIONS_FOLDER = new URL('./migrations/', import.meta.url);
/** Any number that no other program on the server locks. */
const ADVISORY_LOCK = 5_907_203_417;
/** The first with HNSW indexes. */
const LEAST_PGVECTOR = [0, 5] as const;

const SQL = {
  lock: 'SELECT pg_advisory_xact_lock($1)',
  createTable: `CREATE TABLE IF NOT EXISTS facepool_migrations (
    number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
  isUsed: "SELECT to_regclass('public.facepool_migrations') IS NOT NULL AS there",
  applied: 'SELECT number, name FROM facepool_migrations ORDER BY number',
  claim: 'INSERT INTO facepool_migrations (number, name) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING',
  vectorVersion: "SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'",
  createVector: 'CREATE EXTENSION vector',
};

/**
 * Brings the schema up to date and returns the names of the steps that were run. Two servers may do this at once: each step is one
 * transaction that begins by inserting the step's row, so exactly one of them runs it and the other waits.
 *
 * @param through number of the last step to run, for data that was stored under an older schema
 * @throws StartError where the database is newer than the program, has other steps, or lacks pgvector.
 */
export async function migrate(database: Database, through = Number.POSITIVE_INFINITY): Promise<string[]> {
  const migrations = await readMigrations();
  await database.transaction(async (query) => {
    await query(SQL.lock, [ADVISORY_LOCK]);
    await query(SQL.createTable);
  });
  refuseForeign(migrations, (await database.read<{ number: number; name: string }>(SQL.applied)).rows);
  await ensureVector(database);
  const run: string[] = [];
  for (const { number, name, sql } of migrations) {
    if (number > through) break;
    const claimed = await database.transaction(async (query) => {
      await query(SQL.lock, [ADVISORY_LOCK]);
      const { rowCount } = await query(SQL.claim, [number, name]);
      if (rowCount > 0) await query(sql);
      return rowCount > 0;
    });
    if (claimed) run.push(name);
  }
  return run;
}

/** Names of the steps that the database is at, the first one first; none for a database that was never used. */
export async function appliedSteps(query: Query): Promise<string[]> {
  const { rows } = await query<{ there: boolean }>(SQL.isUsed);
  if (!rows[0]!.there) return [];
  return (await query<{ name: string }>(SQL.applied)).rows.map(({ name }) => name);
}

/** @throws Error where the numbers have a gap or one appears twice: a fault of the program, found by its tests. */
export async function readMigrations(): Promise<Migration[]> {
  const files = (await readdir(MIGRATIONS_FOLDER)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const number = Number.parseInt(file, 10);
      if (!/^\d{4}-[a-z0-9-]+\.sql$/.test(file) || number !== index + 1)
        throw new Error(
          `${file}: expected a migration named ${String(index + 1).padStart(4, '0')}-<name>.sql`,
        );
      return {
        number,
        name: file.slice(0, -'.sql'.length),
        sql: await readFile(new URL(file, MIGRATIONS_FOLDER), 'utf8'),
      };
    }),
  );
}

function refuseForeign(
  known: readonly Migration[],
  applied: readonly { readonly number: number; readonly name: string }[],
): void {
  for (const { number, name } of applied) {
    const step = known[number - 1];
    if (step === undefined)
      throw new StartError(
        `the database was last used by a newer version of this program (its schema is at step ${name}, this version knows ${known.length} steps): start that version, or restore a copy from before`,
      );
    if (step.name !== name)
      throw new StartError(
        `the database's schema is not this program's: its step ${number} is ${name}, expected ${step.name}`,
      );
  }
}

async function ensureVector(database: Database): Promise<void> {
  const installed = await vectorVersion(database.read);
  if (installed === null) {
    try {
      await database.transaction(async (query) => {
        await query(SQL.lock, [ADVISORY_LOCK]);
        if ((await vectorVersion(query)) === null) await query(SQL.createVector);
      });
    } catch (error) {
      throw vectorMissing(error);
    }
  }
  const version = installed ?? (await vectorVersion(database.read)) ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === LEAST_PGVECTOR[0] && minor < LEAST_PGVECTOR[1])
    throw new StartError(
      `pgvector ${version} is too old for HNSW indexes: install ${LEAST_PGVECTOR.join('.')} or newer and run ALTER EXTENSION vector UPDATE in the database`,
    );
}

async function vectorVersion(query: Query): Promise<string | null> {
  return (await query<{ version: string }>(SQL.vectorVersion)).rows[0]?.version ?? null;
}

function vectorMissing(error: unknown): unknown {
  const code = (error as { code?: string }).code;
  // feature_not_supported since PostgreSQL 13, undefined_file before.
  if (code === '0A000' || code === '58P01')
    return new StartError(
      'the PostgreSQL server lacks pgvector: install it there (Debian and Ubuntu: postgresql-<version>-pgvector from apt.postgresql.org; Docker: the image pgvector/pgvector), or unset DATABASE_URL for the embedded database',
    );
  if (code === '42501')
    return new StartError(
      "the database's user may not install pgvector: have an administrator run CREATE EXTENSION vector in this database once",
    );
  return error;
}

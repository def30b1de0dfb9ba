/** All tables of one database into another one that is empty, or into files and back: in one transaction, checked by digests. */
import { createHash } from 'node:crypto';
import { StartError } from '../errors.ts';
import { appliedSteps, migrate } from './migrate.ts';
import type { Database, Query } from './pool.ts';
import {
  type Counter,
  countRows,
  fixTexts,
  type Row,
  readCounters,
  readRows,
  readTables,
  type Table,
  withoutNearestIndexes,
  writeCounters,
  writeRows,
} from './tables.ts';

/** A table with all of its rows told in advance. */
export interface CountedTable extends Table {
  readonly rows: number;
  /** Of the rows' text, lower-case hexadecimal. */
  readonly sha256: string;
}

export interface CopyProgress {
  readonly table: string;
  readonly rows: number;
  readonly totalRows: number;
}

export type OnProgress = (progress: CopyProgress) => void;

/** What a database holds, and where its schema stands. */
export interface Contents {
  /** Names of the steps of the schema. */
  readonly steps: readonly string[];
  readonly tables: readonly CountedTable[];
  readonly counters: readonly Counter[];
}

/** The migrations put a row into these; it gives way to the one that comes. */
const FILLED_BY_MIGRATIONS = ['gallery_identity'];

/** Everything that `work` reads through `query` is as it was at one moment, whoever writes meanwhile. */
export function withSnapshot<T>(source: Database, work: (query: Query) => Promise<T>): Promise<T> {
  return source.transaction(async (query) => {
    await query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await fixTexts(query);
    return work(query);
  });
}

/**
 * Reads everything. Within `withSnapshot`.
 * @param take gets the rows of each table, in their order
 * @throws {StartError} where the database was never used
 */
export async function readContents(
  query: Query,
  take: (table: Table, rows: readonly Row[]) => Promise<void> = async () => {},
  onProgress: OnProgress = () => {},
): Promise<Contents> {
  const steps = await appliedSteps(query);
  if (steps.length === 0) throw new StartError('there is nothing in this database yet: it was never used');
  const tables: CountedTable[] = [];
  for (const table of await readTables(query)) {
    const totalRows = await countRows(query, table);
    const digest = createHash('sha256');
    let rows = 0;
    for await (const batch of readRows(query, table)) {
      addTo(digest, batch);
      await take(table, batch);
      rows += batch.length;
      onProgress({ table: table.name, rows, totalRows });
    }
    tables.push({ ...table, rows, sha256: digest.digest('hex') });
  }
  return { steps, tables, counters: await readCounters(query) };
}

/**
 * Brings the empty database to the step of the contents, fills it, holds what it then has against the digests, and brings its schema up
 * to date. Where anything goes wrong, it stays empty.
 * @throws {StartError} where the database is not empty, or its schema is another one
 */
export async function writeAll(
  target: Database,
  { steps, tables, counters }: Contents,
  rowsOf: (table: CountedTable) => AsyncIterable<readonly Row[]>,
  onProgress: OnProgress = () => {},
): Promise<void> {
  await requireStep(target, steps);
  await target.transaction(async (query) => {
    await fixTexts(query);
    const own = await readTables(query);
    requireAlike(own, tables);
    await requireEmpty(query, own);
    await withoutNearestIndexes(query, async () => {
      for (const table of tables) {
        if (FILLED_BY_MIGRATIONS.includes(table.name)) await query(`DELETE FROM "${table.name}"`);
        await fill(query, table, rowsOf(table), onProgress);
      }
    });
    await writeCounters(query, counters);
    for (const table of tables) await requireSame(query, table);
  });
  await migrate(target);
}

async function requireStep(target: Database, steps: readonly string[]): Promise<void> {
  await migrate(target, steps.length);
  const reached = await appliedSteps(target.read);
  if (reached.length === steps.length && reached.every((name, index) => name === steps[index])) return;
  throw new StartError(
    `the schema of the target is at ${reached.at(-1)}, what is to be put into it at ${steps.at(-1)}: give it an empty database`,
  );
}

/** Names and types become SQL: those of a manifest have to be the ones that the target has itself. */
function requireAlike(own: readonly Table[], given: readonly Table[]): void {
  const shape = (tables: readonly Table[]) =>
    JSON.stringify(
      tables.map(({ name, columns }) => [name, columns.map((column) => [column.name, column.type])]),
    );
  if (shape(own) !== shape(given))
    throw new StartError('the tables are not those that the target has at this step of its schema');
}

/** @throws {StartError} that names the first table with rows in it */
async function requireEmpty(query: Query, own: readonly Table[]): Promise<void> {
  for (const table of own) {
    if (FILLED_BY_MIGRATIONS.includes(table.name)) continue;
    const rows = await countRows(query, table);
    if (rows > 0)
      throw new StartError(
        `the target is not empty: ${table.name} has ${rows} rows. Nothing is overwritten; give it an empty database`,
      );
  }
}

async function fill(
  query: Query,
  table: CountedTable,
  batches: AsyncIterable<readonly Row[]>,
  onProgress: OnProgress,
): Promise<void> {
  let rows = 0;
  for await (const batch of batches) {
    await writeRows(query, table, batch);
    rows += batch.length;
    onProgress({ table: table.name, rows, totalRows: table.rows });
  }
}

async function requireSame(query: Query, table: CountedTable): Promise<void> {
  const digest = createHash('sha256');
  for await (const batch of readRows(query, table)) addTo(digest, batch);
  if (digest.digest('hex') !== table.sha256)
    throw new StartError(`${table.name} does not come back as it was stored: nothing was kept`);
}

function addTo(digest: ReturnType<typeof createHash>, rows: readonly Row[]): void {
  for (const row of rows) digest.update(`${JSON.stringify(row)}\n`);
}

/** The program's tables as rows of text: read in a fixed order, written in bulk. PostgreSQL's own text of every type comes back exactly. */
import type { Query } from './pool.ts';

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  /** As SQL writes it: `vector(512)`. */
  readonly type: string;
}

/** The values of a row, in the order of the table's columns. */
export type Row = readonly (string | null)[];

/** The last number that an identity column gave out, so that none is given out twice. */
export interface Counter {
  readonly table: string;
  readonly column: string;
  readonly lastValue: string;
}

/** Kept by the migrations themselves. */
const OWN_TABLES = ['facepool_migrations'];
const BATCH_ROWS = 500;

const SQL = {
  tables: `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname COLLATE "C"`,
  columns: `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  references: `SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace`,
  primaryKey: `SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)`,
  identities: `SELECT table_name AS table, column_name AS column FROM information_schema.columns
    WHERE table_schema = 'public' AND is_identity = 'YES' ORDER BY table_name, column_name`,
  nearestIndexes: `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE schemaname = 'public' AND indexdef LIKE '% USING hnsw %'`,
};

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Every table that holds data of the program, those that others refer to first. */
export async function readTables(query: Query): Promise<Table[]> {
  const names = (await query<{ name: string }>(SQL.tables)).rows
    .map(({ name }) => name)
    .filter((name) => !OWN_TABLES.includes(name));
  const references = (await query<{ child: string; parent: string }>(SQL.references)).rows;
  const tables: Table[] = [];
  for (const name of parentsFirst(names, references)) {
    const { rows } = await query<Column>(SQL.columns, [quoted(name)]);
    tables.push({ name, columns: rows.map((column) => ({ ...column })) });
  }
  return tables;
}

function parentsFirst(
  names: readonly string[],
  references: readonly { readonly child: string; readonly parent: string }[],
): string[] {
  const ordered: string[] = [];
  const visit = (name: string) => {
    if (ordered.includes(name)) return;
    for (const { child, parent } of references) if (child === name && parent !== name) visit(parent);
    ordered.push(name);
  };
  names.forEach(visit);
  return ordered;
}

/** What makes the text of a value the same on every server. Within a transaction, as everything here. */
export async function fixTexts(query: Query): Promise<void> {
  await query("SET LOCAL TimeZone TO 'UTC'");
  await query("SET LOCAL DateStyle TO 'ISO, YMD'");
  await query("SET LOCAL IntervalStyle TO 'iso_8601'");
  await query("SET LOCAL bytea_output TO 'hex'");
  await query('SET LOCAL extra_float_digits TO 1');
}

export async function countRows(query: Query, { name }: Table): Promise<number> {
  return (await query<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ${quoted(name)}`)).rows[0]!
    .rows;
}

/** Rows in batches, by the primary key's text, byte by byte: the same order whatever a server's collation is. */
export async function* readRows(query: Query, table: Table): AsyncGenerator<Row[]> {
  const key = (await query<{ name: string }>(SQL.primaryKey, [quoted(table.name)])).rows;
  const columns = table.columns.map(({ name }) => `${quoted(name)}::text`).join(', ');
  const order = key.map(({ name }) => `${quoted(name)}::text COLLATE "C"`).join(', ');
  await query(
    `DECLARE copied NO SCROLL CURSOR FOR SELECT ARRAY[${columns}] AS row FROM ${quoted(table.name)}${order === '' ? '' : ` ORDER BY ${order}`}`,
  );
  for (;;) {
    const { rows } = await query<{ row: Row }>(`FETCH ${BATCH_ROWS} FROM copied`);
    if (rows.length > 0) yield rows.map(({ row }) => row);
    if (rows.length < BATCH_ROWS) break;
  }
  await query('CLOSE copied');
}

export async function writeRows(query: Query, { name, columns }: Table, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const names = columns.map((column) => quoted(column.name)).join(', ');
  const values = columns.map(({ type }, i) => `r.c${i}::${type}`).join(', ');
  const arrays = columns.map((_, i) => `$${i + 1}::text[]`).join(', ');
  const aliases = columns.map((_, i) => `c${i}`).join(', ');
  await query(
    `INSERT INTO ${quoted(name)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM unnest(${arrays}) AS r(${aliases})`,
    columns.map((_, i) => rows.map((row) => row[i]!)),
  );
}

export async function readCounters(query: Query): Promise<Counter[]> {
  const { rows } = await query<{ table: string; column: string }>(SQL.identities);
  const counters: Counter[] = [];
  for (const { table, column } of rows) {
    const sequence = await sequenceOf(query, table, column);
    const { rows: values } = await query<{ lastValue: string | null }>(
      `SELECT CASE WHEN is_called THEN last_value::text END AS "lastValue" FROM ${sequence}`,
    );
    const lastValue = values[0]?.lastValue ?? null;
    if (lastValue !== null) counters.push({ table, column, lastValue });
  }
  return counters;
}

export async function writeCounters(query: Query, counters: readonly Counter[]): Promise<void> {
  for (const { table, column, lastValue } of counters)
    await query('SELECT setval(pg_get_serial_sequence($1, $2)::regclass, $3::bigint)', [
      quoted(table),
      column,
      lastValue,
    ]);
}

async function sequenceOf(query: Query, table: string, column: string): Promise<string> {
  const sql = 'SELECT pg_get_serial_sequence($1, $2) AS name';
  return (await query<{ name: string }>(sql, [quoted(table), column])).rows[0]!.name;
}

/** Does `work` without the indexes for nearest neighbours, which are several times faster made at the end than row by row. */
export async function withoutNearestIndexes(query: Query, work: () => Promise<void>): Promise<void> {
  const { rows } = await query<{ name: string; definition: string }>(SQL.nearestIndexes);
  for (const { name } of rows) await query(`DROP INDEX ${quoted(name)}`);
  await work();
  for (const { definition } of rows) await query(definition);
}

/** `npm run db`: the schema, backups, and moves between the embedded database and a server, while facepool does not run. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from './config.ts';
import { StartError } from './errors.ts';
import type { Config } from './settings.ts';
import { restoreBackup, verifyBackup, writeBackup } from './store/backup.ts';
import { startEmbedded } from './store/embedded.ts';
import { lockFolder } from './store/folder-lock.ts';
import { migrate } from './store/migrate.ts';
import { moveAll } from './store/move.ts';
import { type Database, openPool } from './store/pool.ts';
import type { OnProgress } from './store/table-copy.ts';

export const HELP = `The database of facepool: the embedded one in DATA_DIR, or the server that DATABASE_URL names.

  npm run db -- migrate               bring its schema up to date, as the start does
  npm run db -- backup <folder>       write a backup into a new folder: every table and the enrolled people's pictures
  npm run db -- verify <folder>       hold a backup's files against its SHA-256 sums
  npm run db -- restore <folder>      verify a backup, then fill an empty database with it
  npm run db -- move --to server      copy the embedded database into the empty one that DATABASE_URL names
  npm run db -- move --to embedded    copy the one that DATABASE_URL names into a new embedded one

  --data-dir <folder>  instead of DATA_DIR
  --help               this text

facepool must not run meanwhile: its lock on DATA_DIR is taken. Nothing is ever overwritten. A backup leaves out frames,
recordings, models and the key, which are files in DATA_DIR; a move leaves its source and all files as they are.
Exit code 0: done, 1: something failed, 2: the command was not understood.
`;

export interface Terminal {
  write(text: string): void;
  writeError(text: string): void;
  /** Whether a line may be written over, as progress does. */
  readonly interactive: boolean;
}

type Place = 'embedded' | 'server';
type Settings = Pick<Config, 'DATA_DIR' | 'DATABASE_URL'>;

class UsageError extends Error {}

/** Building an index over a hundred thousand faces takes minutes. */
const STATEMENT_TIMEOUT_MS = 60 * 60_000;

/** @param args what stands after `npm run db --` */
export async function runDatabaseCommand(
  args: readonly string[],
  settings: () => Settings,
  terminal: Terminal,
): Promise<0 | 1 | 2> {
  try {
    const { values, positionals } = parse(args);
    const [command, ...names] = positionals;
    if (values.help || command === undefined) {
      terminal.write(HELP);
      return values.help ? 0 : 2;
    }
    const folder = folderOf(command, names);
    if ((command === 'move') !== (values.to !== undefined))
      throw new UsageError('move takes --to server or --to embedded, and nothing else does');
    if (command === 'verify') {
      terminal.write(`${summary(await verifyBackup(folder!))}: every file is as it was stored\n`);
      return 0;
    }
    const given = settings();
    const config = { ...given, DATA_DIR: resolve(values['data-dir'] ?? given.DATA_DIR) };
    const lock = lockFolder(config.DATA_DIR);
    try {
      if (command === 'move') await move(values.to, config, terminal);
      else
        await withDatabase(placeOf(config), config, (database) =>
          work(command, database, config, folder, terminal),
        );
    } finally {
      lock.release();
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.writeError(`${error.message}\nnpm run db -- --help shows what may be asked.\n`);
      return 2;
    }
    terminal.writeError(
      `${error instanceof StartError ? error.message : ((error as Error).stack ?? error)}\n`,
    );
    return 1;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        to: { type: 'string' },
        'data-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws {UsageError} for a command that is none, or that lacks its folder */
function folderOf(command: string, names: readonly string[]): string | null {
  const takesFolder = ['backup', 'restore', 'verify'].includes(command);
  if (!takesFolder && !['migrate', 'move'].includes(command))
    throw new UsageError(`expected migrate, backup, verify, restore or move; received ${command}`);
  if (names.length !== (takesFolder ? 1 : 0))
    throw new UsageError(`${command}: expected ${takesFolder ? 'the name of one folder' : 'no name'}`);
  return takesFolder ? resolve(names[0]!) : null;
}

async function work(
  command: string,
  database: Database,
  { DATA_DIR }: Settings,
  folder: string | null,
  terminal: Terminal,
): Promise<void> {
  const gallery = join(DATA_DIR, 'faces');
  const progress = progressOn(terminal);
  if (command === 'migrate') {
    const steps = await migrate(database);
    terminal.write(
      steps.length === 0 ? 'the schema is up to date\n' : `brought up to date: ${steps.join(', ')}\n`,
    );
  } else if (command === 'backup') {
    terminal.write(
      `${summary(await writeBackup(database, gallery, folder!, progress))}: stored in ${folder}\n`,
    );
  } else {
    terminal.write(
      `${summary(await restoreBackup(folder!, database, gallery, progress))}: restored from ${folder}\n`,
    );
  }
}

async function move(to: string | undefined, config: Settings, terminal: Terminal): Promise<void> {
  if (to !== 'server' && to !== 'embedded')
    throw new UsageError(`--to: expected server or embedded, received ${to}`);
  if (config.DATABASE_URL === undefined)
    throw new StartError('DATABASE_URL is not set: it has to name the server to move to or from');
  const from: Place = to === 'server' ? 'embedded' : 'server';
  await withDatabase(from, config, (source) =>
    withDatabase(to, config, async (target) => {
      const contents = await moveAll(source, target, progressOn(terminal));
      terminal.write(`${summary({ ...contents, pictures: [] })}: copied, and read back the same\n`);
    }),
  );
  terminal.write(
    to === 'server'
      ? 'facepool uses the server as long as DATABASE_URL is set; the embedded database is still in DATA_DIR/database\n'
      : 'take DATABASE_URL out of the settings: facepool uses the embedded database then; the server still has its copy\n',
  );
}

const placeOf = ({ DATABASE_URL }: Settings): Place => (DATABASE_URL === undefined ? 'embedded' : 'server');

async function withDatabase(
  place: Place,
  { DATA_DIR, DATABASE_URL }: Settings,
  use: (database: Database) => Promise<void>,
): Promise<void> {
  const options = { statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  if (place === 'server') {
    const database = openPool({ kind: 'server', url: DATABASE_URL! }, options);
    return use(database).finally(() => database.close());
  }
  const { socketFolder, port, stop } = await startEmbedded(join(DATA_DIR, 'database'));
  const database = openPool({ kind: 'embedded', socketFolder, port }, options);
  try {
    await use(database);
  } finally {
    await database.close();
    await stop();
  }
}

/** A line a table; written over as it grows where somebody watches. */
function progressOn(terminal: Terminal): OnProgress {
  return ({ table, rows, totalRows }) => {
    const done = rows >= totalRows;
    if (!done && !terminal.interactive) return;
    if (done && totalRows === 0) return;
    terminal.write(
      `${terminal.interactive ? '\r' : ''}  ${table}: ${rows} of ${totalRows}${done ? '\n' : ''}`,
    );
  };
}

function summary({
  tables,
  pictures,
}: {
  tables: readonly { rows: number }[];
  pictures: readonly unknown[];
}): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${rows} rows of ${tables.length} tables${pictures.length > 0 ? ` and ${pictures.length} pictures` : ''}`;
}

if (import.meta.main) {
  process.exitCode = await runDatabaseCommand(process.argv.slice(2), () => loadConfig().config, {
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    interactive: process.stdout.isTTY === true,
  });
}

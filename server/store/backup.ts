/**
 * A backup: a folder with `manifest.json`, a file of rows for each table, and the enrolled people's pictures. Its rows are of one moment;
 * every file's SHA-256 is in the manifest. It appears under its name when it is complete, and not before.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, type Gzip } from 'node:zlib';
import { StartError } from '../errors.ts';
import type { Database } from './pool.ts';
import {
  type Contents,
  type CountedTable,
  type OnProgress,
  readContents,
  withSnapshot,
  writeAll,
} from './table-copy.ts';
import type { Row, Table } from './tables.ts';

export interface Manifest extends Contents {
  readonly format: 'facepool backup';
  readonly version: 1;
  readonly createdAt: string;
  readonly pictures: readonly PictureFile[];
}

interface PictureFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

const BATCH_ROWS = 500;
const MANIFEST = 'manifest.json';
const PICTURES = 'gallery';

/**
 * @param galleryFolder where the enrolled pictures lie; nobody may write there meanwhile
 * @throws {StartError} where `folder` exists
 */
export async function writeBackup(
  database: Database,
  galleryFolder: string,
  folder: string,
  onProgress?: OnProgress,
): Promise<Manifest> {
  if (existsSync(folder))
    throw new StartError(`${folder} exists: nothing is overwritten, name another folder`);
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(join(unfinished, PICTURES), { recursive: true, mode: 0o700 });
  try {
    const writer = new TableWriter(unfinished);
    const contents = await withSnapshot(database, (query) =>
      readContents(query, (table, rows) => writer.write(table, rows), onProgress),
    );
    await writer.end();
    const pictures = await copyPictures(galleryFolder, join(unfinished, PICTURES), onProgress);
    const manifest: Manifest = {
      format: 'facepool backup',
      version: 1,
      createdAt: new Date().toISOString(),
      ...contents,
      pictures,
    };
    await writeFile(join(unfinished, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600 });
    await syncTree(unfinished);
    await rename(unfinished, folder);
    await sync(dirname(folder));
    return manifest;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Reads the manifest and holds every file against it.
 * @throws {StartError} that names the first file that is missing or not as it was
 */
export async function verifyBackup(folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  for (const table of manifest.tables) {
    const digest = createHash('sha256');
    let rows = 0;
    try {
      for await (const batch of rowsOf(folder, table)) {
        for (const row of batch) digest.update(`${JSON.stringify(row)}\n`);
        rows += batch.length;
      }
    } catch (error) {
      throw damaged(tableFile(table), (error as Error).message);
    }
    if (rows !== table.rows || digest.digest('hex') !== table.sha256)
      throw damaged(
        tableFile(table),
        `expected ${table.rows} rows as they were stored, found ${rows} that differ`,
      );
  }
  for (const { name, sha256 } of manifest.pictures) {
    const path = join(PICTURES, checkedName(name));
    const found = await digestOf(join(folder, path)).catch((error: Error) => {
      throw damaged(path, error.message);
    });
    if (found !== sha256) throw damaged(path, 'its content is another one');
  }
  return manifest;
}

/**
 * Verifies all of it first, then fills the empty database and the gallery's folder.
 * @throws {StartError} where something is damaged, or where the database or the folder is not empty
 */
export async function restoreBackup(
  folder: string,
  database: Database,
  galleryFolder: string,
  onProgress?: OnProgress,
): Promise<Manifest> {
  const manifest = await verifyBackup(folder);
  await mkdir(galleryFolder, { recursive: true, mode: 0o700 });
  const there = (await readdir(galleryFolder)).length;
  if (there > 0)
    throw new StartError(
      `${galleryFolder} is not empty: ${there} pictures. Nothing is overwritten; move them away first`,
    );
  try {
    // Pictures without rows are swept by the next start; rows without pictures would be people who cannot be embedded anew.
    await copyPictures(join(folder, PICTURES), galleryFolder, onProgress);
    await syncTree(galleryFolder);
    await writeAll(database, manifest, (table) => rowsOf(folder, table), onProgress);
  } catch (error) {
    for (const { name } of manifest.pictures) await rm(join(galleryFolder, name), { force: true });
    throw error;
  }
  return manifest;
}

async function readManifest(folder: string): Promise<Manifest> {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'));
  } catch (error) {
    throw new StartError(`${folder} holds no backup: ${(error as Error).message}`);
  }
  if (manifest.format !== 'facepool backup' || manifest.version !== 1)
    throw new StartError(`${folder} holds no backup of this program, or one of a newer version`);
  return manifest as Manifest;
}

/** One table after the other, each into a file of its own. */
class TableWriter {
  readonly #folder: string;
  #current: { readonly name: string; readonly gzip: Gzip; readonly done: Promise<void> } | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(table: Table, rows: readonly Row[]): Promise<void> {
    if (this.#current?.name !== table.name) await this.#begin(table);
    const { gzip } = this.#current!;
    if (!gzip.write(rows.map((row) => `${JSON.stringify(row)}\n`).join('')))
      await new Promise<void>((resolve) => gzip.once('drain', () => resolve()));
  }

  async #begin(table: Table): Promise<void> {
    await this.end();
    const gzip = createGzip();
    const file = createWriteStream(join(this.#folder, tableFile(table)), { mode: 0o600 });
    this.#current = { name: table.name, gzip, done: pipeline(gzip, file) };
  }

  async end(): Promise<void> {
    this.#current?.gzip.end();
    await this.#current?.done;
    this.#current = null;
  }
}

/** A table without rows has no file. */
async function* rowsOf(folder: string, table: CountedTable): AsyncGenerator<Row[]> {
  if (table.rows === 0) return;
  const gunzip = createGunzip();
  const reading = pipeline(createReadStream(join(folder, tableFile(table))), gunzip);
  reading.catch(() => {});
  let batch: Row[] = [];
  for await (const line of createInterface({ input: gunzip, crlfDelay: Number.POSITIVE_INFINITY })) {
    batch.push(JSON.parse(line) as Row);
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  await reading;
  if (batch.length > 0) yield batch;
}

const tableFile = ({ name }: Pick<Table, 'name'>) => `${checkedName(name)}.rows.gz`;

/** A manifest may come from anywhere: a name in it must not lead out of its folder. */
function checkedName(name: string): string {
  if (typeof name !== 'string' || name !== basename(name) || name === '' || name.startsWith('.'))
    throw damaged(MANIFEST, `${JSON.stringify(name)} is no plain name`);
  return name;
}

async function copyPictures(from: string, to: string, onProgress?: OnProgress): Promise<PictureFile[]> {
  const entries = existsSync(from) ? await readdir(from, { withFileTypes: true }) : [];
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
    .map(({ name }) => name);
  const copied: PictureFile[] = [];
  for (const name of names.sort()) {
    await copyFile(join(from, name), join(to, name));
    const bytes = await readFile(join(to, name));
    copied.push({ name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    onProgress?.({ table: 'pictures', rows: copied.length, totalRows: names.length });
  }
  return copied;
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    await sync(join(entry.parentPath, entry.name));
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const damaged = (file: string, why: string) => new StartError(`the backup is damaged: ${file}: ${why}`);

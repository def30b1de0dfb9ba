/** A database into another one, row for row, without files between. */
import type { Database } from './pool.ts';
import { type Contents, type OnProgress, readContents, withSnapshot, writeAll } from './table-copy.ts';
import { readRows } from './tables.ts';

/**
 * The source is read twice, as it was at one moment: for the digests that the target is held against, and for the rows.
 * @throws {StartError} where the target is not empty
 */
export function moveAll(source: Database, target: Database, onProgress?: OnProgress): Promise<Contents> {
  return withSnapshot(source, async (query) => {
    const contents = await readContents(query);
    await writeAll(target, contents, (table) => readRows(query, table), onProgress);
    return contents;
  });
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EmbeddingIndexReader } from '../../../kernels/embedding-index.ts';
import { StartError } from '../../../server/errors.ts';
import { placeFreshCluster } from '../../support/database.ts';
import { openDataFolder } from '../../support/open-data-folder.ts';
import { PERFECT_QUALITY } from '../../support/vectors.ts';
import { embeddingOf } from '../../support/written-pictures.ts';

const folder = await mkdtemp(join(tmpdir(), 'facepool-test-crash-'));
after(() => rm(folder, { recursive: true, force: true }));
await placeFreshCluster(join(folder, 'database'));

const program = fileURLToPath(new URL('../../support/enrolling-process.ts', import.meta.url));
/** Lines after which each process is killed, wherever it is by then. */
const KILL_AFTER_LINES = [1, 7, 12, 17];

/** What a process said before it was killed. */
async function runUntilKilled(firstPerson: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder, String(firstPerson)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const exit = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  const [, signal] = await exit;
  assert.equal(signal, 'SIGKILL');
  return said;
}

test('kill -9 loses nothing that was acknowledged, and brings back nobody who was removed', async () => {
  const enrolled = new Map<number, string>();
  const removing = new Set<number>();
  const removed = new Set<number>();
  for (const [round, lines] of KILL_AFTER_LINES.entries())
    for (const line of await runUntilKilled(1000 * round, lines)) {
      const [what, person, fileName] = line.split(' ');
      if (what === 'enrolled') enrolled.set(Number(person), fileName!);
      else if (what === 'removing') removing.add(Number(person));
      else removed.add(Number(person));
    }
  assert.ok(removed.size >= 3);

  const { gallery, store, pictureFolder, close } = await openDataFolder(folder);
  const names = new Set((await gallery.list()).map(({ name }) => name));
  for (const [person, fileName] of enrolled) {
    if (removing.has(person)) continue;
    assert.ok(names.has(`person ${person}`));
    const bytes = await readFile(join(pictureFolder, fileName));
    assert.deepEqual(JSON.parse(bytes.toString()).faces, [{ person }]);
    assert.equal(await recognised(person), `person ${person}`);
  }
  for (const person of removed) {
    assert.ok(!names.has(`person ${person}`));
    assert.equal(await recognised(person), null);
  }
  // What was under way when the kill came was done wholly or not at all.
  assert.deepEqual(new Set(await readdir(pictureFolder)), await store.fileNames());
  assert.equal(gallery.size().pictures, names.size);
  await close();

  async function recognised(person: number): Promise<string | null> {
    return gallery.withIndex(async (index) => {
      const reader = EmbeddingIndexReader.attach(index!.memory);
      const match = reader.search(embeddingOf(person, 5));
      reader.detach();
      return gallery.decide(match, PERFECT_QUALITY).recognizedAs;
    });
  }
});

test('a second server on the folder is refused while the first one works, and nothing is lost', async () => {
  const first = await openDataFolder(folder);
  const before = (await first.gallery.list()).length;
  const child = spawn(process.execPath, [program, folder, '9000'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  const [code] = await once(child, 'exit');
  assert.equal(code, 1);
  assert.match(complaint, new RegExp(`in use by process ${process.pid}`));
  await assert.rejects(openDataFolder(folder), StartError);
  assert.equal((await first.gallery.list()).length, before);
  await first.close();
});

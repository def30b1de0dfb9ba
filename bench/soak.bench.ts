/**
 * Everything at the same time, for a while: boards (one of them as fast as it can), sensors, photos, enrolments, a class slot with a dead
 * camera, viewers of whom some never read. What was acknowledged is counted at the end.
 * `npm run bench -- soak [--minutes 3]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { wholeNumber } from './command-line.ts';
import { type Reporter, verify } from './harness.ts';
import { straightLine } from './line.ts';
import { Classroom } from './mixed-load/classroom.ts';
import { Ledger } from './mixed-load/ledger.ts';
import { startPlayers } from './mixed-load/players.ts';
import { ServerProcess } from './mixed-load/server-process.ts';

export const title = 'a mixed load for minutes: nothing that was acknowledged is lost, memory stays flat';

const SAMPLE_EVERY_MS = 2000;
/** What a heap, two threads' arenas and a growing gallery move by within minutes; a leak of a frame each would be gigabytes. */
const MOST_GROWTH_MIB = 64;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const minutes = wholeNumber(options, 'minutes', 3, 1, 24 * 60);
  const folder = await mkdtemp(join(tmpdir(), 'facepool-soak-'));
  const uploads = join(folder, 'uploads');
  const classroom = await Classroom.open(uploads);
  const server = await ServerProcess.start(join(folder, 'data'), {
    UPLOADS_DIR: uploads,
    FRAME_RETENTION_S: '86400',
  });
  const ledger = new Ledger();
  try {
    await classroom.begin(server);
    const players = await startPlayers(server, ledger);
    const memory: [seconds: number, mib: number][] = [];
    const startMs = performance.now();
    while (performance.now() - startMs < minutes * 60_000) {
      await pause(SAMPLE_EVERY_MS);
      memory.push([(performance.now() - startMs) / 1000, server.residentMB]);
    }
    await players.stop();
    await classroom.end(server);

    const { batches, recognitions, repeats, changed } = classroom.deliveries();
    verify(players.messages() > 0 && recognitions > 0, 'nobody was told anything');
    for (const { kind, acknowledged, lost, doubled } of await ledger.audit(server)) {
      reporter.add({ name: `${kind}: acknowledged`, unit: 'items', value: acknowledged });
      reporter.add({ name: `${kind}: lost`, unit: 'items', value: lost, target: { atMost: 0 } });
      reporter.add({ name: `${kind}: twice`, unit: 'items', value: doubled, target: { atMost: 0 } });
    }
    reporter.add({ name: 'recognitions delivered', unit: 'items', value: recognitions });
    reporter.add({ name: 'batches delivered again', unit: 'batches', value: repeats, target: { atMost: 0 } });
    reporter.add({
      name: 'batches changed under their id',
      unit: 'batches',
      value: changed,
      target: { atMost: 0 },
    });
    reporter.add({
      name: 'answers 500',
      unit: 'answers',
      value: ledger.internalErrors,
      target: { atMost: 0 },
    });
    reporter.add({
      name: 'restarts of the server',
      unit: 'times',
      value: server.restarts,
      target: { atMost: 0 },
    });
    const later = memory.slice(memory.length >> 1);
    const { slope } = straightLine(later);
    const [first, last] = [later[0]![0], later.at(-1)![0]];
    reporter.add({
      name: 'memory: growth of the line through the second half',
      unit: 'MiB',
      value: slope * (last - first),
      target: { atMost: MOST_GROWTH_MIB },
    });
    reporter.note(
      `${minutes} minutes, ${batches} batches, ${players.messages()} WebSocket messages; ${ledger.outcomes()}`,
    );
  } finally {
    await server.stop();
    await classroom.close();
    await rm(folder, { recursive: true, force: true });
  }
}

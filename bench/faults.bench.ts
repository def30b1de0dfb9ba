/**
 * The mixed load of the soak while parts are broken one after another: a recognition thread, ffmpeg, mediasoup, the embedded database, the
 * backend, the disk, the whole process; then, on a server that keeps everything in PostgreSQL, that one. After each the server has to be
 * ready again by itself; at the end what was acknowledged is counted.
 * `npm run bench -- faults [--seconds 15] [--only <part of a fault's name>]`: seconds between two faults
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createServerDatabase } from '../test/support/database.ts';
import { startPostgres, withoutPostgres } from '../test/support/postgres.ts';
import { UsageError, wholeNumber } from './command-line.ts';
import { type Reporter, verify } from './harness.ts';
import { Classroom } from './mixed-load/classroom.ts';
import { databaseFaultsOf, type Fault, faultsOf } from './mixed-load/faults.ts';
import { Ledger } from './mixed-load/ledger.ts';
import { type Players, startPlayers } from './mixed-load/players.ts';
import { ServerProcess } from './mixed-load/server-process.ts';

export const title =
  'parts broken under load: nothing that was acknowledged is lost, and all of it comes back';

const DISK_MIB = 400;
const RECOVERY_LIMIT_MS = 60_000;

interface Play {
  readonly reporter: Reporter;
  readonly seconds: number;
  readonly isWanted: (fault: Fault) => boolean;
}

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const { only = '' } = options;
  const play: Play = {
    reporter,
    seconds: wholeNumber(options, 'seconds', 15, 5, 3600),
    isWanted: ({ name }) => name.toLowerCase().includes(only.toLowerCase()),
  };
  const folder = await mkdtemp(join(tmpdir(), 'facepool-faults-'));
  try {
    let played = await playEmbedded(play, join(folder, 'embedded'));
    if (withoutPostgres === false) played += await playOnPostgres(play, join(folder, 'postgres'));
    else reporter.skip(`PostgreSQL killed: left out, ${withoutPostgres}`);
    if (played === 0) throw new UsageError(`--only: expected a part of a fault's name, received ${only}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function playEmbedded(play: Play, folder: string): Promise<number> {
  const data = join(folder, 'data');
  await mkdir(data, { recursive: true });
  const hasOwnDisk = mountDisk(data);
  if (!hasOwnDisk) play.reporter.skip('a full disk: mounting a small one needs root');
  try {
    return await playOn(play, '', folder, {}, (server, classroom) =>
      faultsOf(server, classroom, hasOwnDisk ? data : null),
    );
  } finally {
    if (hasOwnDisk) execFileSync('umount', ['-l', data]);
  }
}

async function playOnPostgres(play: Play, folder: string): Promise<number> {
  const postgres = await startPostgres();
  try {
    const { url } = await createServerDatabase('faults', postgres.url);
    return await playOn(play, 'on PostgreSQL, ', folder, { DATABASE_URL: url }, () =>
      databaseFaultsOf(postgres),
    );
  } finally {
    await postgres.dispose();
  }
}

/** @returns the number of faults that were wanted */
async function playOn(
  { reporter, seconds, isWanted }: Play,
  prefix: string,
  folder: string,
  settings: Readonly<Record<string, string>>,
  all: (server: ServerProcess, classroom: Classroom) => Fault[],
): Promise<number> {
  const uploads = join(folder, 'uploads');
  const classroom = await Classroom.open(uploads);
  const server = await ServerProcess.start(join(folder, 'data'), {
    UPLOADS_DIR: uploads,
    FRAME_RETENTION_S: '86400',
    ...settings,
  });
  const faults = all(server, classroom).filter(isWanted);
  const ledger = new Ledger();
  let players: Players | null = null;
  try {
    if (faults.length === 0) return 0;
    await classroom.begin(server);
    players = await startPlayers(server, ledger);
    await pause(seconds * 1000);
    for (const fault of faults) {
      const secondsAway = await breakAndRecover(fault, server, ledger, seconds);
      if (secondsAway === null) {
        reporter.skip(`${fault.name}: there was none`);
        continue;
      }
      reporter.add({
        name: `${fault.name}: until it works again`,
        unit: 's',
        value: secondsAway,
        target: { atMost: RECOVERY_LIMIT_MS / 1000 },
      });
      await classroom.begin(server);
      await pause(seconds * 1000);
    }
    await players.stop();
    await classroom.end(server);
    for (const { kind, acknowledged, lost, doubled } of await ledger.audit(server)) {
      reporter.add({ name: `${prefix}${kind}: acknowledged`, unit: 'items', value: acknowledged });
      reporter.add({ name: `${prefix}${kind}: lost`, unit: 'items', value: lost, target: { atMost: 0 } });
      reporter.add({ name: `${prefix}${kind}: twice`, unit: 'items', value: doubled, target: { atMost: 0 } });
    }
    const { recognitions, repeats, changed } = classroom.deliveries();
    reporter.add({ name: `${prefix}recognitions delivered`, unit: 'items', value: recognitions });
    reporter.add({
      name: `${prefix}batches changed under their id`,
      unit: 'batches',
      value: changed,
      target: { atMost: 0 },
    });
    reporter.note(
      `${prefix}batches that came again under their id: ${repeats}; frames that went because the disk was full, as the log says: ${server.framesRemoved.size}; ${server.restarts} restarts; ${ledger.outcomes()}`,
    );
    return faults.length;
  } finally {
    await players?.stop();
    await server.stop();
    await classroom.close();
  }
}

/** @returns seconds from the fault, or from the end of one that does not end by itself; null where there was nothing to break */
async function breakAndRecover(
  fault: Fault,
  server: ServerProcess,
  ledger: Ledger,
  seconds: number,
): Promise<number | null> {
  const { restarts } = server;
  let startMs = performance.now();
  if (!(await fault.begin())) return null;
  await pause(fault.end ? seconds * 1000 : 100);
  if (fault.end) {
    await fault.end();
    startMs = performance.now();
  }
  await recovered(server, ledger);
  const secondsAway = (performance.now() - startMs) / 1000;
  verify(fault.endsProcess || server.restarts === restarts, `${fault.name}: the whole process ended`);
  return secondsAway;
}

/** Ready, and a frame and a reading were acknowledged again. */
async function recovered(server: ServerProcess, ledger: Ledger): Promise<void> {
  const before = [ledger.count('frame', 200), ledger.count('reading', 200)];
  const deadlineMs = performance.now() + RECOVERY_LIMIT_MS;
  const works = async () =>
    (await server.isReady()) &&
    ledger.count('frame', 200) > before[0]! &&
    ledger.count('reading', 200) > before[1]!;
  while (!(await works())) {
    verify(performance.now() < deadlineMs, `no work was done within ${RECOVERY_LIMIT_MS / 1000} s`);
    await pause(50);
  }
}

function mountDisk(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

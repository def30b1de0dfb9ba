/**
 * The mixed load of the soak while parts are broken one after another: a recognition thread, ffmpeg, mediasoup, the backend, the disk, the
 * whole process. After each the server has to be ready again by itself; at the end what was acknowledged is counted.
 * `npm run bench -- faults [--seconds 15]`: between two faults
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { wholeNumber } from './command-line.ts';
import { type Reporter, verify } from './harness.ts';
import { Classroom } from './mixed-load/classroom.ts';
import { Ledger } from './mixed-load/ledger.ts';
import { startPlayers } from './mixed-load/players.ts';
import { ServerProcess } from './mixed-load/server-process.ts';

export const title =
  'parts broken under load: nothing that was acknowledged is lost, and all of it comes back';

const DISK_MIB = 400;
const RECOVERY_LIMIT_MS = 60_000;

interface Fault {
  readonly name: string;
  /** False where there was nothing to break. */
  readonly begin: () => Promise<boolean> | boolean;
  /** After `seconds`; nothing where the server mends it alone. */
  readonly end?: () => Promise<void> | void;
}

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const seconds = wholeNumber(options, 'seconds', 15, 5, 3600);
  const folder = await mkdtemp(join(tmpdir(), 'facepool-faults-'));
  const uploads = join(folder, 'uploads');
  const data = join(folder, 'data');
  await mkdir(data);
  const hasOwnDisk = mountDisk(data);
  if (!hasOwnDisk) reporter.skip('a full disk: mounting a small one needs root');
  const classroom = await Classroom.open(uploads);
  const server = await ServerProcess.start(data, { UPLOADS_DIR: uploads, FRAME_RETENTION_S: '86400' });
  const ledger = new Ledger();
  const filler = join(data, 'filler');
  const faults: Fault[] = [
    { name: 'a recognition thread ended', begin: () => server.endThread() },
    { name: 'ffmpeg of all cameras killed', begin: () => server.killChildren('ffmpeg') },
    { name: 'mediasoup killed', begin: () => server.killChildren('mediasoup-worker') },
    {
      name: 'backend away',
      begin() {
        classroom.backend.answer = 503;
        return true;
      },
      end() {
        classroom.backend.answer = 200;
      },
    },
    ...(hasOwnDisk
      ? [{ name: 'disk full', begin: () => fill(filler), end: () => rm(filler, { force: true }) }]
      : []),
    { name: 'process killed', begin: () => server.kill() },
    { name: 'process killed again', begin: () => server.kill() },
  ];
  try {
    await classroom.begin(server);
    const players = await startPlayers(server, ledger);
    await pause(seconds * 1000);
    for (const fault of faults) {
      if (!(await fault.begin())) {
        reporter.skip(`${fault.name}: there was none`);
        continue;
      }
      await pause(fault.end ? seconds * 1000 : 100);
      const startMs = performance.now();
      await fault.end?.();
      await recovered(server, ledger);
      reporter.add({
        name: `${fault.name}: until it works again`,
        unit: 's',
        value: (performance.now() - startMs) / 1000,
        target: { atMost: RECOVERY_LIMIT_MS / 1000 },
      });
      await classroom.begin(server);
      await pause(seconds * 1000);
    }
    await players.stop();
    await classroom.end(server);
    for (const { kind, acknowledged, lost, doubled } of await ledger.audit(server)) {
      reporter.add({ name: `${kind}: acknowledged`, unit: 'items', value: acknowledged });
      reporter.add({ name: `${kind}: lost`, unit: 'items', value: lost, target: { atMost: 0 } });
      reporter.add({ name: `${kind}: twice`, unit: 'items', value: doubled, target: { atMost: 0 } });
    }
    const { recognitions, repeats, changed } = classroom.deliveries();
    reporter.add({ name: 'recognitions delivered', unit: 'items', value: recognitions });
    reporter.add({
      name: 'batches changed under their id',
      unit: 'batches',
      value: changed,
      target: { atMost: 0 },
    });
    reporter.note(
      `batches that came again under their id: ${repeats}; frames that went because the disk was full, as the log says: ${server.framesRemoved.size}; ${server.restarts} restarts; ${ledger.outcomes()}`,
    );
  } finally {
    await server.stop();
    await classroom.close();
    if (hasOwnDisk) execFileSync('umount', ['-l', data]);
    await rm(folder, { recursive: true, force: true });
  }
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

/** Writes until nothing more fits. */
async function fill(path: string): Promise<boolean> {
  const block = Buffer.alloc(4 << 20, 1);
  for (;;) {
    try {
      await writeFile(path, block, { flag: 'a' });
    } catch {
      return true;
    }
  }
}

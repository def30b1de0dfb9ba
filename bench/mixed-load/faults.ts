/** What is broken under the mixed load, one after another, and how it is mended where the server does not do that alone. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresServer } from '../../test/support/postgres.ts';
import type { Classroom } from './classroom.ts';
import type { ServerProcess } from './server-process.ts';

export interface Fault {
  readonly name: string;
  /** False where there was nothing to break. */
  readonly begin: () => Promise<boolean> | boolean;
  /** After a while; nothing where the server mends it alone. */
  readonly end?: () => Promise<void> | void;
  /** The process may end, to be started anew. */
  readonly endsProcess?: true;
}

/** @param ownDisk a small disk that the data lies on; null where none could be mounted */
export function faultsOf(server: ServerProcess, classroom: Classroom, ownDisk: string | null): Fault[] {
  const filler = join(ownDisk ?? '', 'filler');
  const diskFull: Fault = {
    name: 'disk full',
    begin: () => fill(filler),
    end: () => rm(filler, { force: true }),
    endsProcess: true,
  };
  return [
    // Ended from outside in the middle of a run, ONNX Runtime may take the process along.
    { name: 'a recognition thread ended', begin: () => server.endThread(), endsProcess: true },
    { name: 'ffmpeg of all cameras killed', begin: () => server.killChildren('ffmpeg') },
    { name: 'mediasoup killed', begin: () => server.killChildren('mediasoup-worker') },
    { name: 'the embedded database ended', begin: () => server.endDatabase() },
    { name: 'the embedded database ended again', begin: () => server.endDatabase() },
    { name: 'the embedded database hanging', begin: () => server.wedgeDatabase() },
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
    ...(ownDisk === null ? [] : [diskFull]),
    { name: 'process killed', begin: () => server.kill(), endsProcess: true },
    { name: 'process killed again', begin: () => server.kill(), endsProcess: true },
  ];
}

/** Of a server that keeps everything in PostgreSQL. */
export function databaseFaultsOf(postgres: PostgresServer): Fault[] {
  return [
    {
      name: 'PostgreSQL killed, started again at once',
      async begin() {
        await postgres.halt('kill');
        await postgres.start();
        return true;
      },
    },
    {
      name: 'PostgreSQL killed, and away',
      async begin() {
        await postgres.halt('kill');
        return true;
      },
      end: () => postgres.start(),
    },
    {
      name: 'PostgreSQL ended without writing out, and away',
      async begin() {
        await postgres.halt('crash');
        return true;
      },
      end: () => postgres.start(),
    },
  ];
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

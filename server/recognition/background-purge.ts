/** Wipes what deleted rows left in the database's files: in the background, because it takes seconds in a large gallery. */
import type { Log } from '../log.ts';
import { oneAtATime } from './one-at-a-time.ts';

export interface BackgroundPurge {
  /** Asked for while one waits, both are served by that one. */
  request(): void;
  /** When everything that was asked for has been tried. */
  settled(): Promise<void>;
}

export function createBackgroundPurge(purge: () => Promise<void>, log: Log): BackgroundPurge {
  const purging = oneAtATime();
  let waiting = 0;
  return {
    request() {
      if (waiting > 0) return;
      waiting++;
      purging(() => {
        waiting--;
        return purge();
      }).catch((error) =>
        log.warn({ err: error }, 'what deleted people left in the database files was not wiped yet'),
      );
    },
    settled: () => purging(async () => {}),
  };
}

/** A process that puts results into the outbox of a data folder, says when they are stored, and waits to be killed. */
import { join } from 'node:path';
import { startEmbedded } from '../../server/store/embedded.ts';
import { migrate } from '../../server/store/migrate.ts';
import { openPool } from '../../server/store/pool.ts';
import { openTestOutbox, recognition, target } from './attendance.ts';

const [folder, callbackUrl, count] = process.argv.slice(2) as [string, string, string];
const { socketFolder, port } = await startEmbedded(join(folder, 'database'));
const database = openPool({ kind: 'embedded', socketFolder, port });
await migrate(database);
const outbox = await openTestOutbox(database, {
  timing: { timeoutMs: 60_000, attemptPausesMs: [], roundPauseMs: 60_000, longestRoundPauseMs: 60_000 },
});
const place = target(callbackUrl);
for (let userId = 1; userId <= Number(count); userId++) {
  outbox.put(place, [recognition(userId)]);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
while ((await outbox.waiting()).recognitions < Number(count))
  await new Promise((resolve) => setTimeout(resolve, 10));
process.stdout.write('stored\n');

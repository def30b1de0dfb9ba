import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startEmbedded } from '../../../server/store/embedded.ts';
import { openPool } from '../../../server/store/pool.ts';
import { openTestOutbox } from '../../support/attendance.ts';
import { type ReceivedBatch, startBackend } from '../../support/backend.ts';
import { placeFreshCluster } from '../../support/database.ts';

const PROCESS = fileURLToPath(new URL('../../support/outbox-process.ts', import.meta.url));
const COUNT = 20;

test('a process killed while batches are on their way loses none, and the next one repeats them under their ids', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-outbox-'));
  const backend = await startBackend();
  backend.answer = 'hold';
  await placeFreshCluster(join(folder, 'database'));
  const child = spawn(process.execPath, [PROCESS, folder, backend.url, String(COUNT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.all([once(child.stdout, 'data'), backend.until(() => backend.requests.length > 0)]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const onTheirWay = backend.requests.map(({ text }) => JSON.parse(text) as ReceivedBatch);

  backend.answer = 200;
  const embedded = await startEmbedded(join(folder, 'database'));
  const { socketFolder, port } = embedded;
  const database = openPool({ kind: 'embedded', socketFolder, port });
  const outbox = await openTestOutbox(database);
  const userIds = () => backend.accepted.flatMap((batch) => batch.recognitions.map((r) => Number(r.userId)));
  await backend.until(() => userIds().length >= COUNT);
  assert.deepEqual(
    userIds().sort((a, b) => a - b),
    Array.from({ length: COUNT }, (_, i) => i + 1),
  );
  for (const batch of onTheirWay)
    assert.deepEqual(
      backend.accepted.find(({ batchId }) => batchId === batch.batchId),
      batch,
    );
  assert.ok(onTheirWay.length > 0);

  await outbox.close();
  await database.close();
  await embedded.stop();
  await backend.close();
  await rm(folder, { recursive: true, force: true });
});

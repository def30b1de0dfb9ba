import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServerProcess } from '../support/server-process.ts';

test('ONNX Runtime keeps no number of the machine and nothing to send', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'facepool-home-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  // Started without server/node.sh, which says so too.
  const server = await startServerProcess({ settings: { HOME: home, XDG_CACHE_HOME: join(home, '.cache') } });
  t.after(() => server.dispose());
  await server.ask('/health');
  assert.deepEqual(await readdir(home, { recursive: true }), []);
});

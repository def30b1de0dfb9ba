import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runInstall } from '../../../server/live/install.ts';
import { mediasoupFolder } from '../../../server/live/media-server.ts';
import { mediaWorkerOrReason } from '../../support/media-worker.ts';

const worker = mediaWorkerOrReason();
const run = promisify(execFile);

test('the media worker is fetched from where mediasoup keeps it, and lies where the server looks for it', {
  skip: worker.reason,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-install-'));
  const asked: string[] = [];
  try {
    // The package as it is installed, but for what was built: its script reads its own files, and needs two packages.
    const installed = mediasoupFolder(createRequire(import.meta.url).resolve('mediasoup'));
    const copy = join(folder, 'node_modules', 'mediasoup');
    await mkdir(join(copy, 'worker'), { recursive: true });
    for (const name of ['package.json', 'npm-scripts.mjs']) await cp(join(installed, name), join(copy, name));
    for (const name of ['node-fetch', 'tar']) {
      const nested = join(installed, 'node_modules', name);
      const target = existsSync(nested) ? nested : join(dirname(installed), name);
      await symlink(await realpath(target), join(folder, 'node_modules', name));
    }
    const release = join(folder, 'release');
    await mkdir(release);
    await cp(worker.path!, join(release, 'mediasoup-worker'));
    await chmod(join(release, 'mediasoup-worker'), 0o755);
    await run('tar', ['czf', join(folder, 'worker.tgz'), '-C', release, 'mediasoup-worker']);
    const tar = await readFile(join(folder, 'worker.tgz'));
    const server = createServer((request, response) => {
      asked.push(request.url!);
      response.end(tar);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = `http://127.0.0.1:${port}`;
    const before = process.env.MEDIASOUP_WORKER_BIN;
    delete process.env.MEDIASOUP_WORKER_BIN;
    try {
      assert.equal(await runInstall(copy), 0);
    } finally {
      delete process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL;
      if (before !== undefined) process.env.MEDIASOUP_WORKER_BIN = before;
      server.close();
    }
    const { version } = JSON.parse(await readFile(join(copy, 'package.json'), 'utf8'));
    assert.equal(asked.length, 1);
    assert.match(asked[0]!, new RegExp(`^/${version}/mediasoup-worker-`));
    const placed = join(copy, 'worker', 'out', 'Release', 'mediasoup-worker');
    await access(placed);
    assert.equal(hashOf(await readFile(placed)), hashOf(await readFile(worker.path!)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

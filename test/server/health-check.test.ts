import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../server/health-check.ts', import.meta.url));

/** As the container does it. */
function check(port: number): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH, HOST: '0.0.0.0', PORT: String(port) };
  return new Promise((resolve) => {
    execFile(process.execPath, [FILE], { env, cwd: tmpdir() }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('the health check ends with 0 where the server is well, with 1 where it is not or is gone', async () => {
  let status = 200;
  const server = createServer((req, res) => res.writeHead(status).end(req.url));
  const port = await listening(server);
  assert.deepEqual(await check(port), { code: 0, out: '200 /health\n', err: '' });
  status = 503;
  assert.equal((await check(port)).code, 1);
  await new Promise((resolve) => server.close(resolve));
  const gone = await check(port);
  assert.equal(gone.code, 1);
  assert.match(gone.err, /^no answer: .*ECONNREFUSED/);
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test('it also finds a server that speaks HTTPS only', {
  skip: hasOpenssl ? false : 'openssl is not here',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'facepool-test-health-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=elsewhere'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const identity = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createSecureServer(identity, (_req, res) => res.end('well'));
  const port = await listening(server);
  assert.deepEqual(await check(port), { code: 0, out: '200 well\n', err: '' });
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import pino from 'pino';
import ssh2, { type AuthContext } from 'ssh2';
import { openHostKeys } from '../../../server/tunnel/host-keys.ts';
import { openTunnel } from '../../../server/tunnel/tunnel.ts';
import { until } from '../../support/until.ts';

/** A real sshd takes passwords of accounts of the machine only, so here the server is ssh2's own. */
async function startServer(check: (context: AuthContext) => void) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const hostKey = privateKey.export({ type: 'pkcs1', format: 'pem' });
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', check);
    client.on('request', (accept) => accept?.());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

for (const [title, method, check] of [
  [
    'a password lets the tunnel in',
    'password',
    (context: AuthContext) => context.method === 'password' && context.password === 'secret word',
  ],
  ['so does one that the host asks for in a dialogue', 'keyboard-interactive', () => false],
] as const) {
  test(title, { timeout: 30_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facepool-test-password-'));
    const server = await startServer((context) => {
      if (context.method !== method) return context.reject([method]);
      if (context.method === 'keyboard-interactive')
        context.prompt([{ prompt: 'Password:', echo: false }], ([answer]) =>
          answer === 'secret word' ? context.accept() : context.reject(),
        );
      else if (check(context)) context.accept();
      else context.reject();
    });
    const tunnel = openTunnel({
      settings: {
        host: '127.0.0.1',
        port: server.port,
        user: 'boards',
        password: 'secret word',
        hostKey: null,
        publicPorts: [9009],
      },
      hostKeys: openHostKeys(join(folder, 'keys.json')),
      localHost: '127.0.0.1',
      localPort: () => 1,
      log: pino({ level: 'silent' }),
    });
    try {
      await until(() => tunnel.status().ports.length === 1);
      assert.deepEqual(tunnel.status(), {
        state: 'connected',
        ports: [9009],
        connections: 0,
        lastError: null,
      });
    } finally {
      await tunnel.close();
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

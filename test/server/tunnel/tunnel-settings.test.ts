import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseFingerprint } from '../../../server/tunnel/host-keys.ts';
import { readTunnelSettings, type TunnelConfig } from '../../../server/tunnel/tunnel-settings.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-tunnel-settings-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const read = (changes: Partial<TunnelConfig>) =>
  readTunnelSettings({
    PUBLIC_VPS_IP: 'vps.example',
    SSH_SERVER_PORT: 22,
    SSH_USER: 'boards',
    SSH_PASSWORD: 'secret',
    PUBLIC_PORT: ['9005', '9009', '9005'],
    ...changes,
  });

test('without a public host there is no tunnel', async () => {
  assert.equal(await read({ PUBLIC_VPS_IP: undefined, SSH_USER: undefined }), null);
});

test('ports are numbers, each once', async () => {
  assert.deepEqual((await read({}))!.publicPorts, [9005, 9009]);
  for (const port of ['0', '65536', 'ssh', ''])
    await assert.rejects(read({ PUBLIC_PORT: [port] }), /PUBLIC_PORT/);
});

test('what is missing is named', async () => {
  await assert.rejects(read({ SSH_USER: undefined }), /SSH_USER: expected/);
  await assert.rejects(read({ SSH_PASSWORD: undefined }), /SSH_PASSWORD or SSH_PRIVATE_KEY_PATH/);
});

test('a key that cannot be used is said to be so before the start, without showing anything of it', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const plain = String(privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const encrypted = String(
    privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'right' }),
  );
  const path = (name: string) => join(folder, name);
  await writeFile(path('plain'), plain);
  await writeFile(path('encrypted'), encrypted);
  await writeFile(path('public'), publicKey.export({ type: 'pkcs1', format: 'pem' }));
  await writeFile(path('text'), 'my key');
  const withKey = (name: string, SSH_PASSPHRASE?: string) =>
    read({ SSH_PASSWORD: undefined, SSH_PRIVATE_KEY_PATH: path(name), SSH_PASSPHRASE });
  assert.ok((await withKey('plain'))!.privateKey);
  assert.ok((await withKey('encrypted', 'right'))!.privateKey);
  await assert.rejects(withKey('encrypted'), /SSH_PASSPHRASE does not open it/);
  await assert.rejects(withKey('encrypted', 'wrong'), /SSH_PRIVATE_KEY_PATH/);
  await assert.rejects(withKey('public'), /SSH_PRIVATE_KEY_PATH/);
  await assert.rejects(withKey('text'), /no private key that can be used/);
  await assert.rejects(withKey('missing'), /cannot be read/);
});

test('fingerprints are taken as people copy them', () => {
  const plain = 'uNiVztksCsDhcc0u9e8BrgJXVGaLfAvZVLYWBKcGZ7k';
  for (const text of [plain, `SHA256:${plain}`, `${plain}=`, ` SHA256:${plain}\n`])
    assert.equal(parseFingerprint(text), `SHA256:${plain}`);
  for (const text of ['', 'SHA256:', 'MD5:00:11', plain.slice(1), `${plain}xx`])
    assert.equal(parseFingerprint(text), null);
});

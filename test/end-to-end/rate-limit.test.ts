import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openDoor } from '../support/door.ts';
import { API_KEY, startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

test('calls beyond the limit are answered 429 with Retry-After; holders of the key and other paths are exempt', async () => {
  const door = await openDoor(server, 'devices', { maxCalls: 3 });
  try {
    const call = (path: string, headers = {}) => fetch(`http://127.0.0.1:${door.port}${path}`, { headers });
    for (let i = 0; i < 3; i++) assert.equal((await call('/api/v1/health')).status, 200);
    const refused = await call('/api/v1/health');
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.equal((await call('/health')).status, 200);
    assert.equal((await call('/api/v1/health', { 'X-API-Key': API_KEY })).status, 200);
    assert.equal((await call('/api/v1/health', { 'X-Forwarded-For': '9.9.9.9' })).status, 429);
  } finally {
    await door.stop(100);
  }
});

test('behind a proxy the client is the address that the proxy saw, not one that the client made up', async () => {
  const door = await openDoor(server, 'devices', { maxCalls: 1, trustedProxies: 1 });
  try {
    const call = async (forwarded: string) =>
      (
        await fetch(`http://127.0.0.1:${door.port}/api/v1/health`, {
          headers: { 'X-Forwarded-For': forwarded },
        })
      ).status;
    assert.equal(await call('10.0.0.1'), 200);
    assert.equal(await call('10.0.0.2'), 200);
    assert.equal(await call('6.6.6.6, 10.0.0.1'), 429);
  } finally {
    await door.stop(100);
  }
});

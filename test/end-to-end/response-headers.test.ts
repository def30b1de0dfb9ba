import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openDoor } from '../support/door.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

test('web pages of the origins that are set may call, others may not', async () => {
  const door = await openDoor(server, 'devices', { corsOrigins: ['https://page.example'] });
  try {
    const call = (origin: string, method = 'GET') =>
      fetch(`http://127.0.0.1:${door.port}/health`, {
        method,
        headers: {
          Origin: origin,
          ...(method === 'OPTIONS'
            ? { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-api-key' }
            : {}),
        },
      });
    const allowed = await call('https://page.example');
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://page.example');
    assert.equal((await call('https://evil.example')).headers.get('access-control-allow-origin'), null);
    const preflight = await call('https://page.example', 'OPTIONS');
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-headers'), 'x-api-key');
  } finally {
    await door.stop(100);
  }
});

test('every answer has the headers that keep browsers in check, and an id; a client may bring its own', async () => {
  const response = await server.call('/nothing', { headers: { 'X-Request-Id': 'from-the-client-1' } });
  assert.equal(response.headers.get('x-request-id'), 'from-the-client-1');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('content-security-policy')!, /default-src 'none'/);
  const other = await server.call('/nothing', { headers: { 'X-Request-Id': 'a b' } });
  assert.match(other.headers.get('x-request-id')!, /^[0-9a-f-]{36}$/);
});

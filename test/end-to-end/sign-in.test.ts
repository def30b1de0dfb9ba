import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { createSessionCookies } from '../../server/http/session-cookie.ts';
import { API_KEY, DEVICE_KEY, startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  // Each test is a client of its own to the limit of attempts.
  server = await startTestServer({ TRUST_PROXY: '1' });
});
after(() => server?.dispose());

let clients = 0;
const own = { 'X-Requested-With': 'facepool' };

function post(path: string, headers: Record<string, string> = {}, body: object = {}) {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

const signIn = (credentials: object, headers: Record<string, string> = {}) =>
  post('/api/v1/sign-in', { 'X-Forwarded-For': `10.1.0.${++clients}`, ...own, ...headers }, credentials);

/** What a browser would send back. */
async function cookie(credentials: object = { key: API_KEY }): Promise<string> {
  const response = await signIn(credentials);
  assert.equal(response.status, 200);
  return response.headers.get('set-cookie')!.split(';')[0]!;
}

const list = (headers: Record<string, string>) => fetch(`${server.url}/api/v1/devices`, { headers });

test('the key is worth a cookie that scripts and other sites do not get at', async () => {
  const response = await signIn({ key: ` ${API_KEY}\n` });
  assert.equal(response.status, 200);
  assert.match(
    response.headers.get('set-cookie')!,
    /^facepool_session=[\w-]+\.[0-9a-z]+\.[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/,
  );
  const behindTls = await signIn({ key: API_KEY }, { 'X-Forwarded-Proto': 'https' });
  assert.match(behindTls.headers.get('set-cookie')!, /; Secure$/);
});

test('no other key signs in: not the board key, not a wrong one, not nothing', async () => {
  for (const [credentials, status, code] of [
    [{ key: DEVICE_KEY }, 401, 'WRONG_KEY'],
    [{ key: `${API_KEY}x` }, 401, 'WRONG_KEY'],
    [{ once: 'guessed' }, 401, 'LINK_USED'],
    [{}, 400, 'CREDENTIALS_REQUIRED'],
    [{ key: 5 }, 400, 'INVALID_FIELD'],
  ] as const) {
    const response = await signIn(credentials);
    assert.equal(response.status, status, JSON.stringify(credentials));
    assert.equal(((await response.json()) as { code: string }).code, code);
    assert.equal(response.headers.get('set-cookie'), null);
  }
});

test('another site cannot sign a browser in: the header of our page is required', async () => {
  const response = await post('/api/v1/sign-in', { 'X-Forwarded-For': '10.2.0.1' }, { key: API_KEY });
  assert.equal(response.status, 400);
  assert.equal(response.headers.get('set-cookie'), null);
});

test('who guesses is stopped after ten attempts a minute, with the right key too', async () => {
  const attempt = (key: string) =>
    post('/api/v1/sign-in', { 'X-Forwarded-For': '10.3.0.1', ...own }, { key });
  for (let i = 0; i < 10; i++) assert.equal((await attempt(`guess-number-${i}`)).status, 401);
  const refused = await attempt(API_KEY);
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.equal((await signIn({ key: API_KEY })).status, 200);
});

test('the secret of a link works once, and a newer one makes it void', async () => {
  const secretOf = (link: string) => new URL(link).searchParams.get('once')!;
  const first = secretOf(server.signInLink());
  const second = secretOf(server.signInLink());
  assert.equal((await signIn({ once: first })).status, 401);
  assert.equal((await signIn({ once: second })).status, 200);
  assert.equal((await signIn({ once: second })).status, 401);
  assert.ok(!server.lines.join('').includes(second));
});

test('a secret of a link is too old after 15 minutes', () => {
  let nowMs = 1e12;
  const cookies = createSessionCookies({ apiKey: API_KEY, lifetimeS: 60, now: () => nowMs });
  const secret = cookies.makeOnce();
  nowMs += 15 * 60_000;
  assert.equal(cookies.redeem(secret), false);
});

test('with the cookie our page reads; what another site has a browser ask for does not count', async () => {
  const Cookie = await cookie();
  assert.equal((await list({ Cookie })).status, 200);
  assert.equal((await list({ Cookie, 'Sec-Fetch-Site': 'same-origin' })).status, 200);
  assert.equal((await list({ Cookie, 'Sec-Fetch-Site': 'none' })).status, 200);
  for (const site of ['cross-site', 'same-site'])
    assert.equal((await list({ Cookie, 'Sec-Fetch-Site': site })).status, 403);
  assert.equal((await list({})).status, 401);
});

test('with the cookie our page changes things; a form or a script of another origin does not', async () => {
  const Cookie = await cookie();
  const change = async (headers: Record<string, string>) =>
    (await post('/api/v1/stream/record', { Cookie, ...headers })).status;
  assert.equal(await change({ ...own, Origin: server.url }), 200);
  assert.equal(await change({ ...own, 'Sec-Fetch-Site': 'same-origin' }), 200);
  assert.equal(await change({ Origin: server.url }), 403, 'without our header');
  assert.equal(await change(own), 403, 'from nowhere');
  assert.equal(await change({ ...own, Origin: 'null' }), 403);
  assert.equal(await change({ ...own, Origin: 'https://evil.example' }), 403);
  assert.equal(await change({ ...own, Origin: `http://127.0.0.1:${server.port + 1}` }), 403, 'another port');
  assert.equal(await change({ ...own, Origin: server.url, 'Sec-Fetch-Site': 'cross-site' }), 403);
});

test('a WebSocket with the cookie is opened for our own origin only', async () => {
  const Cookie = await cookie();
  const open = (origin: string | undefined) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, {
        headers: { Cookie, ...(origin === undefined ? {} : { Origin: origin }) },
      });
      socket.on('open', () => {
        socket.close();
        resolve('open');
      });
      socket.on('unexpected-response', (_, response) => {
        response.resume();
        resolve(String(response.statusCode));
      });
      socket.on('error', () => {});
    });
  assert.equal(await open(server.url), 'open');
  assert.equal(await open('https://evil.example'), '403');
  assert.equal(await open(undefined), '403');
});

test('a cookie that was changed, is of another key, or is too old is worth nothing', async () => {
  const good = await cookie();
  const [, id, expiry, signature] = /=([\w-]+)\.(\w+)\.([\w-]+)$/.exec(good)!;
  const later = (Number.parseInt(expiry!, 36) + 1e9).toString(36);
  for (const value of [`${id}.${later}.${signature}`, `${id}x.${expiry}.${signature}`, '', `${id}`])
    assert.equal((await list({ Cookie: `facepool_session=${value}` })).status, 401);

  const told = async (options: Parameters<typeof createSessionCookies>[0]) => {
    let header = '';
    const ctx = { get: () => '', secure: false, append: (_: string, text: string) => (header = text) };
    createSessionCookies(options).begin(ctx as never);
    return (await list({ Cookie: header.split(';')[0]! })).status;
  };
  assert.equal(await told({ apiKey: API_KEY, lifetimeS: 60 }), 200);
  assert.equal(await told({ apiKey: `${API_KEY}x`, lifetimeS: 60 }), 401);
  assert.equal(await told({ apiKey: API_KEY, lifetimeS: 60, now: () => Date.now() - 61_000 }), 401);
});

test('after signing out every copy of the cookie is worthless', async () => {
  const Cookie = await cookie();
  const other = await cookie();
  assert.equal((await post('/api/v1/sign-out', { Cookie, Origin: 'https://evil.example' })).status, 403);
  const response = await post('/api/v1/sign-out', { Cookie, ...own, Origin: server.url });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('set-cookie')!, /^facepool_session=; .*Max-Age=0/);
  assert.equal((await list({ Cookie })).status, 401);
  assert.equal((await list({ Cookie: other })).status, 200);
});

test('a page that stays open keeps its cookie: past half of its time it is made anew', async () => {
  const state = (headers: Record<string, string>) => fetch(`${server.url}/api/v1/sign-in`, { headers });
  const fresh = await state({ Cookie: await cookie() });
  assert.equal(((await fresh.json()) as { signedIn: boolean }).signedIn, true);
  assert.equal(fresh.headers.get('set-cookie'), null);

  let header = '';
  const ctx = { get: () => '', secure: false, append: (_: string, text: string) => (header = text) };
  const lifetimeS = server.config.SIGN_IN_LIFETIME_S / 2 - 10;
  createSessionCookies({ apiKey: API_KEY, lifetimeS }).begin(ctx as never);
  const old = await state({ Cookie: header.split(';')[0]! });
  assert.match(old.headers.get('set-cookie')!, /Max-Age=604800/);
  assert.deepEqual(await (await state({})).json(), {
    success: true,
    signedIn: false,
    serviceName: server.config.SERVICE_NAME,
  });
});

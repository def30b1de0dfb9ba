import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPage } from '../../server/dashboard/bundle.ts';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

const HTML = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

test('a browser gets the page at /, others hear that the server runs', async () => {
  const page = await fetch(server.url, { headers: HTML });
  assert.match(page.headers.get('content-type')!, /^text\/html/);
  assert.match(await page.text(), /<div id="app">/);
  for (const headers of [undefined, { Accept: '*/*' }, { Accept: 'application/json' }]) {
    const greeting = await fetch(server.url, { headers });
    assert.equal(((await greeting.json()) as { status: string }).status, 'running');
    assert.match(greeting.headers.get('vary')!, /Accept/);
  }
});

test('the page allows no script, style or frame but its own, and has none within the document', async () => {
  const response = await fetch(server.url, { headers: HTML });
  const policy = response.headers.get('content-security-policy')!;
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|https?:|\*/);
  const text = await response.text();
  assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
});

/** The names of the files that the document loads. */
const partsOf = async () => {
  const text = await (await fetch(server.url, { headers: HTML })).text();
  return [...text.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path]) => path!);
};

test('its parts are sent compressed as the browser asks, for ever, and unchanged ones not at all', async () => {
  const paths = await partsOf();
  assert.ok(paths.length >= 4);
  for (const path of paths) {
    const plain = await fetch(server.url + path, { headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(plain.status, 200);
    assert.match(plain.headers.get('cache-control')!, /immutable/);
    const text = await plain.text();
    const etags = new Set([plain.headers.get('etag')]);
    for (const encoding of ['br', 'gzip']) {
      const response = await fetch(server.url + path, { headers: { 'Accept-Encoding': encoding } });
      // Of the smallest parts compressing makes nothing smaller.
      if (text.length > 1000) assert.equal(response.headers.get('content-encoding'), encoding);
      assert.equal(await response.text(), text);
      etags.add(response.headers.get('etag'));
    }
    if (text.length > 1000) assert.equal(etags.size, 3);
    // By hand: fetch asks caches not to be used as soon as it is given such a header.
    const again = await exchange(server.port, [
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: ${plain.headers.get('etag')}\r\n\r\n`,
    ]);
    assert.equal(again.status, 304);
  }
  assert.equal((await fetch(`${server.url}/page/..%2Findex.html`)).status, 404);
  assert.equal((await fetch(`${server.url}/page/index.html`)).status, 404);
});

test('the page is built where it is missing or older than its sources, and taken as it is otherwise', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facepool-test-page-'));
  try {
    const place = join(folder, 'page');
    const built = await openPage(place);
    await writeFile(join(place, 'added.css'), 'p {}');
    assert.ok((await openPage(place)).files.has('added.css'), 'it was built although nothing had changed');
    await writeFile(join(place, 'sources.json'), '{}');
    const rebuilt = await openPage(place);
    assert.deepEqual([...rebuilt.files.keys()].sort(), [...built.files.keys()].sort());
    assert.deepEqual(await readdir(folder), ['page']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

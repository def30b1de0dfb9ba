import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createOpenApiDocument, type OpenApiDocument } from '../../server/http/openapi/document.ts';
import { describedAnswers } from '../support/described-answers.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.dispose());

const document = async () =>
  (await (await server.call('/api/v1/openapi.json', { key: null })).json()) as OpenApiDocument;

test('every route of the server is in the document, and nothing else', async () => {
  const { paths } = await document();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = server.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  assert.deepEqual(described.sort(), routes.sort());
});

test('the document is valid OpenAPI 3.1, with unique operation ids and no dead reference', async () => {
  const given = await document();
  const { valid, errors } = await new Validator().validate(structuredClone(given) as never);
  assert.ok(valid, JSON.stringify(errors, null, 1));
  const operations = Object.values(given.paths).flatMap((methods) => Object.values(methods));
  const ids = operations.map(({ operationId }) => operationId);
  assert.equal(new Set(ids).size, ids.length, 'operation ids are unique');
  const text = JSON.stringify(given);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
    assert.ok(given.components.schemas[name!], `${name} is referred to`);
  assert.doesNotMatch(text, /"(expected|~kind)"/);
});

test('who may call a route is told as the server is set', async () => {
  const security = (mode: 'devices' | 'strict' | 'open', path: string, method: string) =>
    createOpenApiDocument(server.routes, { serviceName: 'x', version: '1', mode })
      .paths[path]![method]!.security.flatMap((scheme) => Object.keys(scheme))
      .join();
  assert.equal(security('devices', '/api/v1/stream/stream', 'post'), '');
  assert.equal(security('strict', '/api/v1/stream/stream', 'post'), 'apiKey,deviceKey,session');
  assert.equal(security('devices', '/data/{name}', 'get'), 'apiKey,session,readToken');
  assert.equal(security('open', '/data/{name}', 'get'), '');
  assert.equal(security('open', '/api/v1/recognition/process-session', 'post'), 'apiKey,session');
  assert.equal(security('strict', '/health', 'get'), '');
});

test('the page shows every call, loads nothing from elsewhere, and needs no script', async () => {
  const answer = await server.call('/api/docs', { key: null });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type')!, /^text\/html/);
  const policy = answer.headers.get('content-security-policy')!;
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|script-src/);
  const text = await answer.text();
  for (const { description } of server.routes)
    assert.ok(text.includes(`<article id="${description.operationId}">`), description.operationId);
  assert.doesNotMatch(text, /<script|\sstyle=|\son\w+=|https?:\/\//);
  const references = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, target]) => target!);
  const anchors = new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => `#${id}`));
  for (const target of new Set(references)) {
    if (target.startsWith('#')) assert.ok(anchors.has(target), target);
    else assert.equal((await server.call(target, { key: null })).status, 200, target);
  }
});

test('what has not changed is not sent again', async () => {
  for (const path of ['/api/v1/openapi.json', '/api/docs', '/api/docs.css']) {
    const etag = (await server.call(path)).headers.get('etag')!;
    const again = await server.call(path, {
      headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' },
    });
    assert.equal(again.status, 304, path);
  }
});

test('a field, a code, a status or a media type that is not described is found', async () => {
  const { check } = describedAnswers(server.routes);
  const answer = (status: number, body: unknown, type = 'application/json') =>
    check(
      'GET',
      '/api/v1/token',
      new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type } }),
    );
  const good = { success: true, token: 'x', expiresAt: '2026-01-01T00:00:00.000Z' };
  await answer(200, good);
  await assert.rejects(answer(200, { ...good, more: 1 }), /additional propert/);
  await assert.rejects(answer(200, { success: true }), /required property/);
  await assert.rejects(answer(200, good, 'text/html'), /text\/html, which issueReadToken/);
  await assert.rejects(answer(418, good), /418, which issueReadToken/);
  const refused = { success: false, error: 'no', detail: 'no', code: 'INVALID_API_KEY' };
  await answer(401, refused);
  await assert.rejects(answer(401, { ...refused, code: 'OTHER' }), /allowed values/);
});

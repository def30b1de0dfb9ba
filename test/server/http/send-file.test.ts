import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import Koa from 'koa';
import type { Context } from '../../../server/http/route.ts';
import { sendFile } from '../../../server/http/send-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'facepool-send-file-'));
const path = join(folder, 'stored');
const app = new Koa();
app.use(async (ctx) => {
  const handle = await open(path);
  const { size, mtime } = await handle.stat();
  await sendFile(ctx as Context, { handle, sizeBytes: size, modifiedAt: mtime, type: 'image/jpeg' });
});
const server = app.listen(0, '127.0.0.1');
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const ask = (method: string) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method });

for (const content of ['', 'a picture']) {
  test(`a file of ${content.length} bytes is answered with as many, and with its type and length to HEAD`, async () => {
    await writeFile(path, content);
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'image/jpeg');
      assert.equal(answer.headers.get('content-length'), String(content.length));
      assert.equal(await answer.text(), method === 'GET' ? content : '');
    }
  });
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type PeerCertificate } from 'node:tls';
import pino from 'pino';
import { WebSocket } from 'ws';
import { StartError } from '../../../server/errors.ts';
import { listen } from '../../../server/http/server.ts';
import { openTls } from '../../../server/http/tls.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { type Certificate, makeCertificate, noOpenssl } from '../../support/certificates.ts';
import { API_KEY, startTestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const silent = pino({ level: 'silent' });
const config = { HOST: '127.0.0.1', PORT: 0, REQUEST_TIMEOUT_MS: 5000, MAX_CONNECTIONS: 10 };

describe('HTTPS', { skip: noOpenssl }, () => {
  let folder: string;
  let first: Certificate;
  let second: Certificate;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facepool-test-tls-'));
    [first, second] = await Promise.all([
      makeCertificate(folder, 'first'),
      makeCertificate(folder, 'second'),
    ]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const shownBy = async (port: number): Promise<PeerCertificate> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerCertificate();
    socket.destroy();
    return certificate;
  };

  test('a server with a certificate speaks HTTPS, and takes a new one from its files without a restart', async () => {
    const [certPath, keyPath] = [join(folder, 'live.crt'), join(folder, 'live.key')];
    await Promise.all([copyFile(first.certPath, certPath), copyFile(first.keyPath, keyPath)]);
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line) => void lines.push(line) });
    const tls = await openTls({ TLS_CERT: certPath, TLS_KEY: keyPath }, log, { lookEveryMs: 10 });
    const handle = (_: unknown, res: { end(text: string): void }) => res.end('hello');
    const server = await listen({ config, tls, handle, log: silent, metrics: createMetrics() });
    try {
      const [response] = await once(
        get({ port: server.port, host: '127.0.0.1', ca: first.cert }),
        'response',
      );
      assert.equal(response.statusCode, 200);
      response.resume();
      await assert.rejects(fetch(`http://127.0.0.1:${server.port}/`));

      // Half of the new pair: the old one stays.
      await copyFile(second.certPath, certPath);
      await until(() => lines.some((line) => line.includes('the old one stays')));
      assert.equal((await shownBy(server.port)).subject.CN, 'first');
      await copyFile(second.keyPath, keyPath);
      await until(() => lines.some((line) => line.includes('the new certificate is in use')));
      assert.equal((await shownBy(server.port)).subject.CN, 'second');
    } finally {
      await server.stop(100);
    }
  });

  test('what is wrong with the files is said at the start: which, and how', async () => {
    const broken = join(folder, 'broken.pem');
    await writeFile(broken, 'no certificate');
    for (const [files, why] of [
      [{ TLS_CERT: first.certPath }, /^TLS_KEY: expected the path of a PEM file, as TLS_CERT is set/],
      [{ TLS_KEY: first.keyPath }, /^TLS_CERT: expected the path of a PEM file, as TLS_KEY is set/],
      [{ TLS_CERT: join(folder, 'none.crt'), TLS_KEY: first.keyPath }, /none\.crt cannot be read: ENOENT/],
      [{ TLS_CERT: broken, TLS_KEY: first.keyPath }, /^TLS_CERT: expected a certificate in PEM in .*broken/],
      [{ TLS_CERT: first.certPath, TLS_KEY: broken }, /^TLS_KEY: expected a private key in PEM/],
      [{ TLS_CERT: first.certPath, TLS_KEY: second.keyPath }, /does not belong to the certificate/],
    ] as const)
      await assert.rejects(openTls(files, silent), (error: unknown) => {
        assert.ok(error instanceof StartError);
        assert.match(error.message, why);
        return true;
      });
    assert.equal(await openTls({}, silent), null);
  });

  test('a certificate that ends soon is told', async () => {
    const soon = await makeCertificate(folder, 'soon', 3);
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line) => void lines.push(line) });
    await openTls({ TLS_CERT: soon.certPath, TLS_KEY: soon.keyPath }, log);
    assert.match(lines.join(''), /ends soon/);
  });

  test('over HTTPS the link, the cookie and the WebSocket are those of a secure page', async () => {
    const server = await startTestServer({ TLS_CERT: first.certPath, TLS_KEY: first.keyPath });
    try {
      const origin = `https://127.0.0.1:${server.port}`;
      assert.ok(server.signInLink().startsWith(`${origin}/sign-in?once=`));
      const sent = request({
        ...{ port: server.port, host: '127.0.0.1', ca: first.cert, path: '/api/v1/sign-in', method: 'POST' },
        headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'facepool' },
      });
      sent.end(JSON.stringify({ key: API_KEY }));
      const [response] = await once(sent, 'response');
      response.resume();
      const [cookie] = response.headers['set-cookie'];
      assert.match(cookie, /; Secure$/);
      const socket = new WebSocket(`wss://127.0.0.1:${server.port}/ws?page=1`, {
        ca: first.cert,
        headers: { Cookie: cookie.split(';')[0], Origin: origin },
      });
      await once(socket, 'open');
      socket.close();
      await once(socket, 'close');
    } finally {
      await server.dispose();
    }
  });
});

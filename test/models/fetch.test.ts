import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type FetchOptions, type FetchProgress, fetchModel, installedModel } from '../../models/fetch.ts';
import type { FetchErrorCode } from '../../models/fetch-error.ts';
import { modelPath, modelsFolder, verifyModel } from '../../models/place.ts';
import {
  assertFetchFails,
  CONTENT,
  describedFile,
  filesIn,
  ModelDownload,
} from '../support/model-download.ts';

let download: ModelDownload;
beforeEach(async () => {
  download = await ModelDownload.open();
});
afterEach(() => download.close());

describe('a download', () => {
  test('arrives whole, verified, with progress, and is not fetched twice', async () => {
    let requests = 0;
    const url = await download.serve((_request, response) => {
      requests++;
      response.end(CONTENT);
    });
    const file = describedFile([url]);
    assert.equal(await installedModel(download.dataDir, file), null);

    const progress: FetchProgress[] = [];
    const fetched = await download.fetch(file, { onProgress: (step) => progress.push(step) });
    assert.deepEqual(fetched, { path: modelPath(download.dataDir, file), origin: url });
    assert.deepEqual(await readFile(fetched.path), CONTENT);
    assert.deepEqual(progress.at(-1), { receivedBytes: CONTENT.length, totalBytes: CONTENT.length });
    assert.deepEqual(await filesIn(modelsFolder(download.dataDir)), ['net.onnx']);

    assert.deepEqual(await download.fetch(file), { path: fetched.path, origin: null });
    assert.equal(await installedModel(download.dataDir, file), fetched.path);
    assert.equal(requests, 1);
  });

  test('follows redirects and tries the addresses in turn', async () => {
    const url = await download.serve((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/net.onnx' }).end();
      else if (request.url === '/net.onnx') response.end(CONTENT);
      else response.writeHead(404).end();
    });
    const moved = url.replace('net.onnx', 'moved');
    const gone = url.replace('net.onnx', 'gone');
    assert.equal((await download.fetch(describedFile([gone, moved]))).origin, moved);
  });

  test('replaces a file with the wrong content', async () => {
    const file = describedFile([await download.serve((_request, response) => response.end(CONTENT))]);
    await mkdir(modelsFolder(download.dataDir));
    await writeFile(modelPath(download.dataDir, file), 'an older model');
    await download.fetch(file);
    assert.equal((await verifyModel(modelPath(download.dataDir, file), file)).state, 'verified');
  });

  test('may be run by several processes at once', async () => {
    const file = describedFile([await download.serve((_request, response) => response.end(CONTENT))]);
    const script = `
      import { fetchModel } from ${JSON.stringify(new URL('../../models/fetch.ts', import.meta.url).href)};
      await fetchModel(${JSON.stringify(file)}, ${JSON.stringify(download.dataDir)}, { allowInsecure: true });`;
    const run = promisify(execFile);
    const children = [1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', script]));
    await Promise.all([...children, download.fetch(file)]);
    assert.deepEqual(await filesIn(modelsFolder(download.dataDir)), ['net.onnx']);
    assert.equal((await verifyModel(modelPath(download.dataDir, file), file)).state, 'verified');
  });

  test('clears away pieces that a killed process left long ago, and no others', async () => {
    const file = describedFile([await download.serve((_request, response) => response.end(CONTENT))]);
    const folder = modelsFolder(download.dataDir);
    await mkdir(folder);
    for (const name of ['.net.onnx.1-old.part', '.net.onnx.2-new.part', '.other.onnx.3-old.part']) {
      await writeFile(join(folder, name), 'piece');
      if (name.includes('old')) await utimes(join(folder, name), 0, 0);
    }
    await download.fetch(file);
    assert.deepEqual((await filesIn(folder)).sort(), [
      '.net.onnx.2-new.part',
      '.other.onnx.3-old.part',
      'net.onnx',
    ]);
  });
});

describe('a download that fails says why, leaves nothing behind and the old file as it was', () => {
  const faults: {
    name: string;
    answer: RequestListener;
    code: FetchErrorCode;
    message: RegExp;
    options?: FetchOptions;
  }[] = [
    {
      name: 'wrong content of the right size',
      answer: (_request, response) => response.end(Buffer.alloc(CONTENT.length, 'x')),
      code: 'WRONG_HASH',
      message: /expected SHA-256 [0-9a-f]{64}, received [0-9a-f]{64}/,
    },
    {
      name: 'a file that is too short',
      answer: (_request, response) => response.end(CONTENT.subarray(0, 1000)),
      code: 'CUT_OFF',
      message: /ended after 1000 of 300000 bytes/,
    },
    {
      name: 'a connection that breaks in the middle',
      answer: (_request, response) => {
        response.writeHead(200, { 'content-length': CONTENT.length });
        response.write(CONTENT.subarray(0, 1000), () => response.destroy());
      },
      code: 'CUT_OFF',
      message: /the connection broke after \d+ bytes/,
    },
    {
      name: 'a file that does not end',
      answer: (_request, response) => {
        const more = () => {
          while (!response.destroyed && response.write(CONTENT)) {
            // Until the socket is full; `drain` goes on.
          }
        };
        response.on('drain', more);
        more();
      },
      code: 'WRONG_SIZE',
      message: /expected 300000 bytes, more are coming/,
    },
    {
      name: '404',
      answer: (_request, response) => response.writeHead(404).end('no such file'),
      code: 'HTTP_STATUS',
      message: /the server answered 404; use --from/,
    },
    {
      name: 'redirects without end',
      answer: (_request, response) => response.writeHead(302, { location: '/again' }).end(),
      code: 'HTTP_STATUS',
      message: /more than 5 redirects/,
    },
    {
      name: 'a redirect to another protocol',
      answer: (_request, response) => response.writeHead(302, { location: 'ftp://example.org/net' }).end(),
      code: 'INSECURE',
      message: /expected https, was led to ftp:/,
    },
    {
      name: 'a server that never answers',
      answer: () => {},
      code: 'TIMEOUT',
      message: /nothing came for 0.2 s/,
      options: { idleTimeoutMs: 200 },
    },
    {
      name: 'a server that falls silent in the middle',
      answer: (_request, response) => void response.write(CONTENT.subarray(0, 1000)),
      code: 'TIMEOUT',
      message: /nothing came for 0.2 s/,
      options: { idleTimeoutMs: 200 },
    },
    {
      name: 'a server that drips',
      answer: (_request, response) => {
        const drip = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(drip));
      },
      code: 'TIMEOUT',
      message: /not complete after 0.3 s/,
      options: { totalTimeoutMs: 300 },
    },
  ];

  for (const { name, answer, code, message, options } of faults) {
    test(name, async () => {
      const file = describedFile([await download.serve(answer)]);
      await mkdir(modelsFolder(download.dataDir));
      await writeFile(modelPath(download.dataDir, file), 'an older model');
      await assertFetchFails(download.fetch(file, options), code, message);
      assert.deepEqual(await filesIn(modelsFolder(download.dataDir)), ['net.onnx']);
      assert.equal(await readFile(modelPath(download.dataDir, file), 'utf8'), 'an older model');
    });
  }

  test('nobody there', async () => {
    const url = await download.serve(() => {});
    await download.endServer();
    await assertFetchFails(download.fetch(describedFile([url])), 'UNREACHABLE', /no answer \(ECONNREFUSED\)/);
    assert.deepEqual(await filesIn(modelsFolder(download.dataDir)), []);
  });

  test('plain http', async () => {
    const url = await download.serve((_request, response) => response.end(CONTENT));
    const promise = fetchModel(describedFile([url]), download.dataDir);
    await assertFetchFails(promise, 'INSECURE', /expected https/);
  });

  test('every address', async () => {
    const url = await download.serve((_request, response) => response.writeHead(500).end());
    const promise = download.fetch(describedFile([url, `${url}?mirror`]));
    await assertFetchFails(promise, 'HTTP_STATUS', /none of the 2 addresses .* 500; .*; .*\?mirror.* 500/);
  });

  test('no address at all', async () => {
    await assertFetchFails(download.fetch(describedFile()), 'NO_SOURCE', /copy it with --from/);
  });

  test('an abort', async () => {
    const stop = new AbortController();
    const url = await download.serve((_request, response) => void response.write(CONTENT.subarray(0, 1000)));
    const promise = download.fetch(describedFile([url]), {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await assert.rejects(promise, { name: 'AbortError' });
    assert.deepEqual(await filesIn(modelsFolder(download.dataDir)), []);
  });
});

describe('--from', () => {
  test('copies the file of that name from the folder', async () => {
    const from = join(download.dataDir, 'stick');
    await mkdir(from);
    await writeFile(join(from, 'net.onnx'), CONTENT);
    const fetched = await download.fetch(describedFile(['https://example.invalid/net.onnx']), { from });
    assert.equal(fetched.origin, join(from, 'net.onnx'));
    assert.deepEqual(await readFile(fetched.path), CONTENT);
  });

  test('refuses a wrong file and a folder without it', async () => {
    const from = join(download.dataDir, 'stick');
    await assertFetchFails(
      download.fetch(describedFile(), { from }),
      'NOT_FOUND',
      /--from expects the folder/,
    );
    await mkdir(from);
    await writeFile(join(from, 'net.onnx'), CONTENT.subarray(1));
    await assertFetchFails(download.fetch(describedFile(), { from }), 'CUT_OFF', /299999 of 300000/);
    await rm(join(from, 'net.onnx'));
    await mkdir(join(from, 'net.onnx'));
    await assertFetchFails(download.fetch(describedFile(), { from }), 'SOURCE_UNREADABLE', /cannot be read/);
    assert.deepEqual(await filesIn(modelsFolder(download.dataDir)), []);
  });
});

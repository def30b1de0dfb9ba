import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type FetchOptions, type FetchProgress, fetchModel, installedModel } from '../../models/fetch.ts';
import type { FetchErrorCode } from '../../models/fetch-error.ts';
import type { ModelFile } from '../../models/manifest.ts';
import { modelPath, modelsFolder, verifyModel } from '../../models/place.ts';

const CONTENT = Buffer.alloc(300_000, 'weights ');

let dataDir: string;
let server: Server | undefined;

function describedFile(urls: readonly string[] = []): ModelFile {
  const sha256 = createHash('sha256').update(CONTENT).digest('hex');
  return { fileName: 'net.onnx', sha256, sizeBytes: CONTENT.length, urls };
}

/** A server on this machine that answers as told; the address of one file on it. */
async function serve(answer: RequestListener): Promise<string> {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/net.onnx`;
}

const fetchHere = (file: ModelFile, options: FetchOptions = {}) =>
  fetchModel(file, dataDir, { allowInsecure: true, ...options });

async function assertFails(promise: Promise<unknown>, code: FetchErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error: Error & { code?: string }) => {
    assert.equal(error.name, 'ModelFetchError', error.stack);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

const filesIn = async (folder: string) => (existsSync(folder) ? await readdir(folder) : []);

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'facepool-models-'));
});

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
  server = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

describe('a download', () => {
  test('arrives whole, verified, with progress, and is not fetched twice', async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      requests++;
      response.end(CONTENT);
    });
    const file = describedFile([url]);
    assert.equal(await installedModel(dataDir, file), null);

    const progress: FetchProgress[] = [];
    const fetched = await fetchHere(file, { onProgress: (step) => progress.push(step) });
    assert.deepEqual(fetched, { path: modelPath(dataDir, file), origin: url });
    assert.deepEqual(await readFile(fetched.path), CONTENT);
    assert.deepEqual(progress.at(-1), { receivedBytes: CONTENT.length, totalBytes: CONTENT.length });
    assert.deepEqual(await filesIn(modelsFolder(dataDir)), ['net.onnx']);

    assert.deepEqual(await fetchHere(file), { path: fetched.path, origin: null });
    assert.equal(await installedModel(dataDir, file), fetched.path);
    assert.equal(requests, 1);
  });

  test('follows redirects and tries the addresses in turn', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/net.onnx' }).end();
      else if (request.url === '/net.onnx') response.end(CONTENT);
      else response.writeHead(404).end();
    });
    const moved = url.replace('net.onnx', 'moved');
    const gone = url.replace('net.onnx', 'gone');
    assert.equal((await fetchHere(describedFile([gone, moved]))).origin, moved);
  });

  test('replaces a file with the wrong content', async () => {
    const file = describedFile([await serve((_request, response) => response.end(CONTENT))]);
    await mkdir(modelsFolder(dataDir));
    await writeFile(modelPath(dataDir, file), 'an older model');
    await fetchHere(file);
    assert.equal((await verifyModel(modelPath(dataDir, file), file)).state, 'verified');
  });

  test('may be run by several processes at once', async () => {
    const file = describedFile([await serve((_request, response) => response.end(CONTENT))]);
    const script = `
      import { fetchModel } from ${JSON.stringify(new URL('../../models/fetch.ts', import.meta.url).href)};
      await fetchModel(${JSON.stringify(file)}, ${JSON.stringify(dataDir)}, { allowInsecure: true });`;
    const run = promisify(execFile);
    const children = [1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', script]));
    await Promise.all([...children, fetchHere(file)]);
    assert.deepEqual(await filesIn(modelsFolder(dataDir)), ['net.onnx']);
    assert.equal((await verifyModel(modelPath(dataDir, file), file)).state, 'verified');
  });

  test('clears away pieces that a killed process left long ago, and no others', async () => {
    const file = describedFile([await serve((_request, response) => response.end(CONTENT))]);
    const folder = modelsFolder(dataDir);
    await mkdir(folder);
    for (const name of ['.net.onnx.1-old.part', '.net.onnx.2-new.part', '.other.onnx.3-old.part']) {
      await writeFile(join(folder, name), 'piece');
      if (name.includes('old')) await utimes(join(folder, name), 0, 0);
    }
    await fetchHere(file);
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
      const file = describedFile([await serve(answer)]);
      await mkdir(modelsFolder(dataDir));
      await writeFile(modelPath(dataDir, file), 'an older model');
      await assertFails(fetchHere(file, options), code, message);
      assert.deepEqual(await filesIn(modelsFolder(dataDir)), ['net.onnx']);
      assert.equal(await readFile(modelPath(dataDir, file), 'utf8'), 'an older model');
    });
  }

  test('nobody there', async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => server?.close(resolve));
    await assertFails(fetchHere(describedFile([url])), 'UNREACHABLE', /no answer \(ECONNREFUSED\)/);
    assert.deepEqual(await filesIn(modelsFolder(dataDir)), []);
  });

  test('plain http', async () => {
    const url = await serve((_request, response) => response.end(CONTENT));
    const promise = fetchModel(describedFile([url]), dataDir);
    await assertFails(promise, 'INSECURE', /expected https/);
  });

  test('every address', async () => {
    const url = await serve((_request, response) => response.writeHead(500).end());
    const promise = fetchHere(describedFile([url, `${url}?mirror`]));
    await assertFails(promise, 'HTTP_STATUS', /none of the 2 addresses .* 500; .*; .*\?mirror.* 500/);
  });

  test('no address at all', async () => {
    await assertFails(fetchHere(describedFile()), 'NO_SOURCE', /copy it with --from/);
  });

  test('an abort', async () => {
    const stop = new AbortController();
    const url = await serve((_request, response) => void response.write(CONTENT.subarray(0, 1000)));
    const promise = fetchHere(describedFile([url]), { signal: stop.signal, onProgress: () => stop.abort() });
    await assert.rejects(promise, { name: 'AbortError' });
    assert.deepEqual(await filesIn(modelsFolder(dataDir)), []);
  });
});

describe('--from', () => {
  test('copies the file of that name from the folder', async () => {
    const from = join(dataDir, 'stick');
    await mkdir(from);
    await writeFile(join(from, 'net.onnx'), CONTENT);
    const fetched = await fetchHere(describedFile(['https://example.invalid/net.onnx']), { from });
    assert.equal(fetched.origin, join(from, 'net.onnx'));
    assert.deepEqual(await readFile(fetched.path), CONTENT);
  });

  test('refuses a wrong file and a folder without it', async () => {
    const from = join(dataDir, 'stick');
    await assertFails(fetchHere(describedFile(), { from }), 'NOT_FOUND', /--from expects the folder/);
    await mkdir(from);
    await writeFile(join(from, 'net.onnx'), CONTENT.subarray(1));
    await assertFails(fetchHere(describedFile(), { from }), 'CUT_OFF', /299999 of 300000/);
    await rm(join(from, 'net.onnx'));
    await mkdir(join(from, 'net.onnx'));
    await assertFails(fetchHere(describedFile(), { from }), 'SOURCE_UNREADABLE', /cannot be read/);
    assert.deepEqual(await filesIn(modelsFolder(dataDir)), []);
  });
});

describe('a disk that takes nothing', () => {
  const mountable = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();
  const skip = mountable ? false : 'mounting a small disk needs root on Linux';

  test('full: nothing is left and the old file stays', { skip }, async () => {
    const file = describedFile([await serve((_request, response) => response.end(CONTENT))]);
    await withMount('size=128k', async () => {
      await mkdir(modelsFolder(dataDir));
      await writeFile(modelPath(dataDir, file), 'an older model');
      await assertFails(fetchHere(file), 'DISK_FULL', /the disk is full; make room/);
      assert.deepEqual(await filesIn(modelsFolder(dataDir)), ['net.onnx']);
      assert.equal(await readFile(modelPath(dataDir, file), 'utf8'), 'an older model');
    });
  });

  test('read-only', { skip }, async () => {
    await withMount('ro', () =>
      assertFails(fetchHere(describedFile(['https://example.invalid/'])), 'NO_PERMISSION', /\(EROFS\)/),
    );
  });

  const unprivileged = process.platform !== 'win32' && process.getuid?.() !== 0;
  const reason = unprivileged ? false : 'root and Windows may write everywhere';
  test('not ours', { skip: reason }, async () => {
    await mkdir(modelsFolder(dataDir), { mode: 0o500 });
    const promise = fetchHere(describedFile(['https://example.invalid/']));
    await assertFails(promise, 'NO_PERMISSION', /\(EACCES\)/);
  });

  test('a file where the folder should be', async () => {
    await writeFile(modelsFolder(dataDir), '');
    const promise = fetchHere(describedFile(['https://example.invalid/']));
    await assertFails(promise, 'TARGET_UNWRITABLE', /cannot be written/);
  });

  async function withMount(options: string, use: () => Promise<void>): Promise<void> {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dataDir]);
    try {
      await use();
    } finally {
      execFileSync('umount', [dataDir]);
    }
  }

  function tryMount(): boolean {
    const folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
      execFileSync('umount', [folder]);
      return true;
    } catch {
      return false;
    } finally {
      execFileSync('rmdir', [folder]);
    }
  }
});

describe('verifyModel', () => {
  test('tells missing, short, long, changed and unreadable files apart', async () => {
    const file = describedFile();
    const path = join(dataDir, 'net.onnx');
    const state = async () => (await verifyModel(path, file)).state;
    assert.equal(await state(), 'missing');
    await writeFile(path, CONTENT);
    assert.equal(await state(), 'verified');
    await writeFile(path, CONTENT.subarray(1));
    assert.equal(await state(), 'wrong_size');
    await writeFile(path, Buffer.concat([CONTENT, CONTENT]));
    assert.equal(await state(), 'wrong_size');
    await writeFile(path, Buffer.alloc(CONTENT.length));
    assert.equal(await state(), 'wrong_hash');
    await rm(path);
    await mkdir(path);
    assert.equal(await state(), 'unreadable');
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { rgb565Frame } from '../support/pictures.ts';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const REQUEST_TIMEOUT_MS = 3000;
const GIB = 2 ** 30;
const MIB = 2 ** 20;

let server: TestServer;
let frame: Buffer;
before(async () => {
  server = await startTestServer({ ACCESS: 'open', REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) });
  frame = await rgb565Frame(0);
});
after(() => server?.dispose());

const FRAME_HEADERS = {
  'Content-Type': 'application/octet-stream',
  'X-Frame-Width': '320',
  'X-Frame-Height': '240',
  'X-Frame-Format': 'RGB565',
};
const sendFrame = (to = server, headers: Record<string, string> = {}) =>
  to.call('/api/v1/stream/stream', {
    method: 'POST',
    body: new Uint8Array(frame),
    headers: { ...FRAME_HEADERS, ...headers },
    key: null,
  });
/** By the bodies of requests that are under way. */
const heldBytes = async () => (await server.metrics.bodyBytes.get()).values[0]!.value;
const headOf = (path: string, headers: Record<string, string>) =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: x',
    ...Object.entries(headers).map((pair) => pair.join(': ')),
    '\r\n',
  ].join('\r\n');

test('a gigabyte that is announced is refused before any of it has come', async () => {
  const refused = await exchange(server.port, [headOf('/recognize', { 'Content-Length': String(GIB) })]);
  assert.equal(refused.status, 415);
  const picture = { 'Content-Type': 'image/jpeg', 'Content-Length': String(GIB) };
  assert.equal((await exchange(server.port, [headOf('/recognize', picture)])).status, 413);
  const raw = { ...FRAME_HEADERS, 'Content-Length': String(GIB) };
  const answer = await exchange(server.port, [headOf('/api/v1/stream/stream', raw)]);
  assert.equal(answer.status, 400);
  assert.match(answer.body, /expected 153600 bytes .*received 1073741824 bytes/);
});

test('a gigabyte whose length nobody told is refused on the way, and takes no memory', {
  timeout: 60_000,
}, async () => {
  for (const [path, headers, status] of [
    ['/recognize', { 'Content-Type': 'image/jpeg' }, '413'],
    ['/api/v1/stream/stream', FRAME_HEADERS, '400'],
  ] as const) {
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    let open = true;
    let wake = () => {};
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('drain', () => wake());
    socket.once('close', () => {
      open = false;
      wake();
    });
    socket.write(headOf(path, { ...headers, 'Transfer-Encoding': 'chunked' }));
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB), Buffer.from('\r\n')]);
    let [sent, mostHeld] = [0, 0];
    while (open && sent < GIB) {
      const drained = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (!socket.write(chunk)) await drained;
      sent += MIB;
      mostHeld = Math.max(mostHeld, await heldBytes());
    }
    assert.equal(open, false, 'the connection was not cut');
    assert.equal(answer.slice(9, 12), status);
    // What is thrown away so that the answer arrives, and what the kernel holds, come on top of what is kept.
    assert.ok(sent < 200 * MIB, `${sent / MIB} MiB were taken`);
    assert.ok(mostHeld <= server.config.MAX_UPLOAD_BYTES, `${mostHeld} bytes were held`);
  }
  assert.equal((await sendFrame()).status, 200);
});

test('clients that send a byte a second are told that their time is over, and hold up nobody', {
  timeout: 60_000,
}, async () => {
  const heads = [
    headOf('/api/v1/stream/stream', { ...FRAME_HEADERS, 'Content-Length': '153600' }),
    'POST /api/v1/stream/stream HTTP/1.1\r\nX-Slow: ',
  ];
  const slow = Array.from({ length: 100 }, async (_, i) => {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    const closed = once(socket, 'close');
    socket.write(heads[i % heads.length]!);
    const drip = setInterval(() => socket.write('x'), 1000);
    await closed;
    clearInterval(drip);
    return answer.slice(9, 12);
  });
  let served = 0;
  let waiting = true;
  const all = Promise.all(slow).finally(() => {
    waiting = false;
  });
  while (waiting) {
    assert.equal((await sendFrame()).status, 200);
    served++;
  }
  assert.deepEqual([...new Set(await all)], ['408']);
  assert.ok(served > 1);
  assert.equal(await heldBytes(), 0);
});

test('a clock that is set back breaks nothing: boards stay online, frames in their order, a recording whole', async (t) => {
  const deviceId = 'clock';
  const register = new URLSearchParams({ deviceId, deviceName: 'Clock' });
  await server.call('/api/v1/devices/register', { method: 'POST', body: register });
  const before = (await (await sendFrame(server, { 'X-Device-Id': deviceId })).json()) as {
    filename: string;
  };
  const now = Date.now.bind(Date);
  t.mock.method(Date, 'now', () => now() - 3_600_000);
  const sent = await sendFrame(server, { 'X-Device-Id': deviceId });
  assert.equal(sent.status, 200);
  const after = (await sent.json()) as { filename: string };
  const { data } = (await (await server.call('/api/v1/stream/frames?limit=2')).json()) as {
    data: { name: string }[];
  };
  assert.deepEqual(
    data.map(({ name }) => name),
    [after.filename, before.filename],
  );
  const { devices } = (await (await server.call('/api/v1/devices')).json()) as {
    devices: { id: string; status: string }[];
  };
  assert.equal(devices.find(({ id }) => id === deviceId)!.status, 'online');
  const token = (await (await server.call('/api/v1/token')).json()) as { token: string };
  assert.equal(
    (await server.call(`/data/${after.filename}?token=${token.token}`, { key: null })).status,
    200,
  );
  const recorded = await server.call('/api/v1/stream/record', {
    method: 'POST',
    body: JSON.stringify({ deviceId }),
    headers: { 'Content-Type': 'application/json' },
  });
  assert.equal(((await recorded.json()) as { data: { frameCount: number } }).data.frameCount, 2);
});

/** A data folder whose frames lie on a disk of two megabytes, where this user may make one. */
function folderWithSmallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'facepool-test-full-disk-'));
  mkdirSync(join(folder, 'frames'));
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${2 * MIB}`, 'tmpfs', join(folder, 'frames')];
    execFileSync('mount', options, { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

const smallDisk = folderWithSmallDisk();
test('on a full disk frames are still taken, the oldest go, and where none is left to go the board is told', {
  skip: smallDisk === null ? 'this user may not mount a tmpfs' : false,
  timeout: 60_000,
}, async () => {
  const full = await startTestServer({ ACCESS: 'open', KEEP_RAW_FRAMES: '1' }, smallDisk!);
  try {
    const filler = join(smallDisk!, 'frames', 'other');
    const names: string[] = [];
    for (let i = 0; i < 20; i++) {
      const response = await sendFrame(full);
      assert.equal(response.status, 200);
      names.push(((await response.json()) as { filename: string }).filename);
    }
    const list = async () => {
      const { data } = (await (await full.call('/api/v1/stream/frames')).json()) as {
        data: { name: string }[];
      };
      return data.map(({ name }) => name);
    };
    const kept = await list();
    assert.ok(kept.length >= 3 && kept.length < 13, `${kept.length} kept`);
    assert.deepEqual(kept, names.slice(-kept.length).reverse());
    assert.equal((await full.call(`/data/${kept[0]}?raw=1`)).status, 200);
    assert.match(full.lines.join(''), /the disk is full: the oldest frames go before their time/);
    // Something else takes the whole disk.
    for (const name of await list()) await rm(join(smallDisk!, 'frames', `${name}.raw`));
    await writeFile(filler, Buffer.alloc(2 * MIB)).catch(() => {});
    const refused = await sendFrame(full);
    assert.equal(refused.status, 507);
    assert.equal(refused.headers.get('retry-after'), '60');
    assert.match(((await refused.json()) as { error: string }).error, /the disk is full/);
    await rm(filler);
    assert.equal((await sendFrame(full)).status, 200);
  } finally {
    await full.stop();
    execFileSync('umount', [join(smallDisk!, 'frames')]);
    rmSync(smallDisk!, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { mediaWorkerOrReason } from '../support/media-worker.ts';
import { portrait } from '../support/pictures.ts';
import { formWith } from '../support/server.ts';
import { ServerProgram } from '../support/server-program.ts';

let folder = '';
const programs: ServerProgram[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-lifecycle-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
after(() => {
  for (const program of programs) program.kill();
});

/** The program in this test's folder; ended with the tests. */
function start(settings: Record<string, string> = {}): ServerProgram {
  const program = new ServerProgram(folder, settings);
  programs.push(program);
  return program;
}

test('the first start makes a key and shows it once; SIGTERM ends with 0 after what runs is finished', async () => {
  const program = start();
  const url = await program.ready();
  const [line, key] = /^API key .*: ([A-Za-z0-9_-]{43})$/m.exec(program.output) ?? [];
  assert.ok(line && key, program.output);
  assert.equal(program.output.split(key).length, 2);
  assert.equal((await stat(join(folder, 'data', 'api-key'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder, 'data'))).mode & 0o077, 0);

  const picture = await portrait(0);
  const enrolment = await fetch(`${url}/api/v1/recognition/add-permitted-face`, {
    method: 'POST',
    body: formWith('image', picture, { name: 'Anna' }),
    headers: { 'X-API-Key': key },
  });
  assert.equal(enrolment.status, 200);

  const running = Array.from({ length: 5 }, async () => {
    const response = await fetch(`${url}/recognize`, { method: 'POST', body: formWith('image', picture) });
    return ((await response.json()) as { recognizedAs: string | null }).recognizedAs;
  });
  // One answer is there: the others are with the server, waiting or under way.
  await Promise.race(running);
  program.child.kill('SIGTERM');
  assert.deepEqual(await Promise.all(running), Array(5).fill('Anna'));
  assert.equal(await program.exit(), 0, program.output);
  assert.match(program.output, /"message":"stopped"/);
  assert.doesNotMatch(program.output, /"level":"(ERROR|FATAL)"/);

  const again = start();
  const secondUrl = await again.ready();
  assert.doesNotMatch(again.output, /API key/);
  const response = await fetch(`${secondUrl}/recognize`, { method: 'POST', body: formWith('file', picture) });
  assert.equal(((await response.json()) as { recognizedAs: string }).recognizedAs, 'Anna');

  const third = start();
  assert.equal(await third.exit(), 1);
  assert.match(third.output, /^facepool cannot start: the data folder .* is in use by process \d+/m);
  // Ctrl-C under npm comes twice: from the terminal, and passed on by npm.
  again.child.kill('SIGINT');
  again.child.kill('SIGINT');
  assert.equal(await again.exit(), 0);
});

const worker = mediaWorkerOrReason();
test('a signal to all of its processes at once is one wish to end: no media worker is said to have died', {
  skip: worker.reason,
}, async () => {
  const program = new ServerProgram(folder, { MEDIASOUP_WORKER_BIN: worker.path! }, { ownGroup: true });
  programs.push(program);
  const url = await program.ready();
  assert.match(program.output, /cameras are live by WebRTC/);
  // An answer without end holds the closing up: the media workers have ended long before their turn comes.
  const key = /^API key .*: (\S+)$/m.exec(program.output)![1]!;
  const upload = request(`${url}/recognize`, { method: 'POST', headers: { 'X-API-Key': key } });
  upload.on('error', () => {});
  upload.write('x');
  process.kill(-program.child.pid!, 'SIGTERM');
  while (!program.output.includes('"stopping: ')) await once(program.child.stdout!, 'data');
  setTimeout(() => upload.destroy(), 500);
  assert.equal(await program.exit(), 0, program.output);
  assert.match(program.output, /"message":"stopped"/);
  assert.doesNotMatch(program.output, /died|"level":"(ERROR|FATAL)"/);
});

test('SIGTERM during the start ends with 0', async () => {
  const program = start();
  while (!program.output.includes('API key')) await once(program.child.stdout!, 'data');
  program.child.kill('SIGTERM');
  assert.equal(await program.exit(), 0, program.output);
});

test('wrong settings stop the start with all that is wrong', async () => {
  const program = start({ PORT: 'eighty', ACCESS: 'everybody' });
  assert.equal(await program.exit(), 1);
  assert.match(program.output, /PORT: expected a whole number from 0 to 65535, received "eighty"/);
  assert.match(program.output, /ACCESS: expected one of/);
  assert.doesNotMatch(program.output, / at .*\.ts:/);
});

test('a port that is taken stops the start with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const program = start({ PORT: String(port) });
  assert.equal(await program.exit(), 1);
  assert.match(
    program.output,
    new RegExp(`facepool cannot start: 127.0.0.1:${port} is in use by another program.*PORT`),
  );
  other.close();
});

test('a data folder that cannot be written to stops the start', async () => {
  await writeFile(join(folder, 'file'), '');
  const program = start({ DATA_DIR: join(folder, 'file', 'data') });
  assert.equal(await program.exit(), 1);
  assert.match(program.output, /facepool cannot start: the data folder .* cannot be used/);
});

test('models that are not there stop the start with the command that fetches them', async () => {
  const unknown = start({ EMBEDDER: 'nothing' });
  assert.equal(await unknown.exit(), 1);
  assert.match(unknown.output, /EMBEDDER: expected one of dlib-resnet-v1/);
  const missing = start({ DETECTOR: 'yunet' });
  assert.equal(await missing.exit(), 1);
  assert.match(missing.output, /npm run models -- fetch yunet/);
});

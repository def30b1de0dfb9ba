import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { portrait } from '../support/pictures.ts';
import { formWith } from '../support/server.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

let folder = '';
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-lifecycle-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
after(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
});

class Program {
  readonly child: ChildProcess;
  output = '';

  constructor(settings: Record<string, string>) {
    const { PATH = '' } = process.env;
    this.child = spawn(process.execPath, [MAIN], {
      cwd: folder,
      env: {
        PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        DATA_DIR: join(folder, 'data'),
        WORKER_THREADS: '1',
        MODEL_DOWNLOAD: 'never',
        LOG_FORMAT: 'json',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(this.child);
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
  }

  async exit(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  /** The address, once requests are answered. */
  async ready(): Promise<string> {
    while (!this.output.includes('"ready after')) {
      if (this.child.exitCode !== null) throw new Error(`the server ended: ${this.output}`);
      await Promise.race([once(this.child.stdout!, 'data'), once(this.child, 'close')]);
    }
    return /"urls":\["([^"]+)"/.exec(this.output)![1]!;
  }
}

test('the first start makes a key and shows it once; SIGTERM ends with 0 after what runs is finished', async () => {
  const program = new Program({});
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

  const again = new Program({});
  const secondUrl = await again.ready();
  assert.doesNotMatch(again.output, /API key/);
  const response = await fetch(`${secondUrl}/recognize`, { method: 'POST', body: formWith('file', picture) });
  assert.equal(((await response.json()) as { recognizedAs: string }).recognizedAs, 'Anna');

  const third = new Program({});
  assert.equal(await third.exit(), 1);
  assert.match(third.output, /^facepool cannot start: the data folder .* is in use by process \d+/m);
  // Ctrl-C under npm comes twice: from the terminal, and passed on by npm.
  again.child.kill('SIGINT');
  again.child.kill('SIGINT');
  assert.equal(await again.exit(), 0);
});

test('SIGTERM during the start ends with 0', async () => {
  const program = new Program({});
  while (!program.output.includes('API key')) await once(program.child.stdout!, 'data');
  program.child.kill('SIGTERM');
  assert.equal(await program.exit(), 0, program.output);
});

test('wrong settings stop the start with all that is wrong', async () => {
  const program = new Program({ PORT: 'eighty', ACCESS: 'everybody' });
  assert.equal(await program.exit(), 1);
  assert.match(program.output, /PORT: expected a whole number from 0 to 65535, received "eighty"/);
  assert.match(program.output, /ACCESS: expected one of/);
  assert.doesNotMatch(program.output, / at .*\.ts:/);
});

test('a port that is taken stops the start with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const program = new Program({ PORT: String(port) });
  assert.equal(await program.exit(), 1);
  assert.match(
    program.output,
    new RegExp(`facepool cannot start: 127.0.0.1:${port} is in use by another program.*PORT`),
  );
  other.close();
});

test('a data folder that cannot be written to stops the start', async () => {
  await writeFile(join(folder, 'file'), '');
  const program = new Program({ DATA_DIR: join(folder, 'file', 'data') });
  assert.equal(await program.exit(), 1);
  assert.match(program.output, /facepool cannot start: the data folder .* cannot be used/);
});

test('models that are not there stop the start with the command that fetches them', async () => {
  const unknown = new Program({ EMBEDDER: 'nothing' });
  assert.equal(await unknown.exit(), 1);
  assert.match(unknown.output, /EMBEDDER: expected one of dlib-resnet-v1/);
  const missing = new Program({ DETECTOR: 'yunet' });
  assert.equal(await missing.exit(), 1);
  assert.match(missing.output, /npm run models -- fetch yunet/);
});

/**
 * Runs the Dockerfile's own steps where no Docker is: in a bare Debian that debootstrap makes in a temporary folder, with the Node and npm
 * of this machine in the place of the base image's. Then starts the program as the image's user and waits for the health check.
 * `sh server/node.sh test/container/bare-root.ts` as root, some minutes; needs debootstrap, a Debian mirror and an npm registry.
 * Where MEDIASOUP_WORKER_BIN names a media worker, that one is offered in the place of mediasoup's release, with the libraries it needs.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCopy, parseDockerfile, type Stage } from '../support/dockerfile.ts';

const PORT = '18000';
const HEALTH_LIMIT_MS = 120_000;
const MIRROR = 'http://deb.debian.org/debian';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stages = parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8'));
const allowed = (await readFile(join(root, '.dockerignore'), 'utf8'))
  .match(/^!.+$/gm)!
  .map((line) => line.slice(1));
const work = mkdtempSync(join(tmpdir(), 'facepool-bare-root-'));
const places = new Map<string, string>();
const ownWorker = process.env.MEDIASOUP_WORKER_BIN ?? null;
let releases: { readonly url: string; readonly child: ChildProcess } | null = null;
try {
  const base = join(work, 'base');
  say('debootstrap: a minimal Debian');
  execFileSync('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', base, MIRROR], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  addNode(base);
  if (ownWorker !== null) releases = await offerWorker(ownWorker, base);
  for (const stage of stages.filter(({ name }) => isNeeded(name))) build(stage, base);
  await run(stages.at(-1)!, places.get('runtime')!);
} finally {
  releases?.child.kill();
  rmSync(work, { recursive: true, force: true });
}

/** What the image `node:<version>-bookworm-slim` has beyond Debian. */
function addNode(base: string): void {
  const npm = join(
    dirname(execFileSync('npm', ['root', '-g'], { encoding: 'utf8' }).trim()),
    'node_modules/npm',
  );
  cpSync(process.execPath, join(base, 'usr/local/bin/node'));
  cpSync(npm, join(base, 'usr/local/lib/node_modules/npm'), { recursive: true });
  writeFileSync(
    join(base, 'usr/local/bin/npm'),
    '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n',
    { mode: 0o755 },
  );
  inside(base, 'useradd --uid 1000 --create-home node');
  // What this machine needs to reach its mirrors: names and certificates.
  for (const file of ['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt'])
    if (existsSync(file)) cpSync(file, join(base, file), { dereference: true });
}

/** Built for this machine, it needs libraries of this machine; a release brings its own. */
async function offerWorker(program: string, base: string): Promise<NonNullable<typeof releases>> {
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/^\s\S+(?= => )/gm) ?? [];
  const owners = execFileSync('dpkg-query', ['--search', ...libraries.map((name) => `*/${name.trim()}`)], {
    encoding: 'utf8',
  });
  const packages = new Set(owners.match(/^[^:]+(?=:)/gm));
  inside(base, `apt-get update && apt-get install -y --no-install-recommends ${[...packages].join(' ')}`);
  const script = fileURLToPath(new URL('./worker-release.ts', import.meta.url));
  const child = spawn(process.execPath, [script, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { url: url.trim(), child };
}

/** Those that the last one is made of. */
function isNeeded(name: string, by = stages.at(-1)!): boolean {
  const sources = by.instructions.flatMap(({ keyword, text }) =>
    keyword === 'COPY' ? [parseCopy(text).from] : [],
  );
  return (
    by.name === name ||
    stages.some((other) => [by.base, ...sources].includes(other.name) && isNeeded(name, other))
  );
}

function build(stage: Stage, base: string): void {
  const place = join(work, stage.name);
  execFileSync('cp', ['-a', places.get(stage.base) ?? base, place]);
  places.set(stage.name, place);
  let folder = '/';
  for (const { keyword, text } of stage.instructions) {
    if (keyword === 'WORKDIR') {
      folder = text;
      mkdirSync(join(place, folder), { recursive: true });
    } else if (keyword === 'RUN') {
      say(`${stage.name}: RUN ${text}`);
      inside(place, `cd ${folder} && ${text}`);
    } else if (keyword === 'COPY') copy(text, place, folder);
  }
}

function copy(text: string, place: string, folder: string): void {
  const { from, sources, target } = parseCopy(text);
  for (const source of sources) {
    if (from === null && !allowed.includes(source)) throw new Error(`.dockerignore keeps ${source} out`);
    const origin = from === null ? join(root, source) : join(places.get(from)!, source);
    const isFolder = statSync(origin).isDirectory();
    const destination = isFolder || !target.endsWith('/') ? target : join(target, basename(source));
    execFileSync('cp', [
      '-a',
      '--no-preserve=ownership',
      `${origin}${isFolder ? '/.' : ''}`,
      prepared(join(place, folder, destination), isFolder),
    ]);
  }
}

function prepared(path: string, isFolder: boolean): string {
  mkdirSync(isFolder ? path : dirname(path), { recursive: true });
  return path;
}

async function run(stage: Stage, place: string): Promise<void> {
  const last = (keyword: string) => stage.instructions.findLast((one) => one.keyword === keyword)!.text;
  const environment = stage.instructions
    .filter(({ keyword }) => keyword === 'ENV')
    .flatMap(({ text }) => text.split(' '));
  const [uid, gid] = last('USER').split(':');
  const asUser = (command: readonly string[]) =>
    [
      [
        'chroot',
        `--userspec=${uid}:${gid}`,
        place,
        'env',
        '-i',
        'PATH=/usr/local/bin:/usr/bin:/bin',
        `PORT=${PORT}`,
      ],
      [
        'HOST=127.0.0.1',
        'MODEL_DOWNLOAD=never',
        ...environment,
        'sh',
        '-c',
        'cd /app && exec "$@"',
        'sh',
        ...command,
      ],
    ].flat();
  // A container has these, made by its engine.
  for (const device of ['null', 'urandom', 'random', 'zero'])
    execFileSync('cp', ['-a', `/dev/${device}`, join(place, 'dev')]);
  execFileSync('mount', ['-t', 'proc', 'proc', join(place, 'proc')]);
  const [program, ...args] = asUser(JSON.parse(last('CMD')));
  const server = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    process.stdout.write(text);
  });
  const ended = new Promise<number | null>((resolve) => server.once('exit', resolve));
  try {
    const [check, ...checkArgs] = asUser(JSON.parse(last('HEALTHCHECK').replace(/^.*?CMD /, '')));
    const deadlineMs = performance.now() + HEALTH_LIMIT_MS;
    for (;;) {
      try {
        const answer = execFileSync(check!, checkArgs, {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        say(`health check: ${answer.trim()}`);
        break;
      } catch (error) {
        if (performance.now() > deadlineMs || server.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    const page = await fetch(`http://127.0.0.1:${PORT}/`, { headers: { Accept: 'text/html' } });
    if (page.status !== 200) throw new Error(`the page: ${page.status} ${await page.text()}`);
    say(`the page: ${page.status}, ${(await page.text()).length} characters`);
    const isLive = log.includes('cameras are live by WebRTC');
    say(`live pictures: ${isLive ? 'WebRTC' : 'MJPEG'}`);
    if (releases !== null && !isLive) throw new Error('the media worker that was offered does not run');
    say(`data: ${readdirSync(join(place, 'data')).join(', ')}`);
  } finally {
    server.kill('SIGTERM');
    say(`ended by SIGTERM with ${await ended}`);
    execFileSync('umount', [join(place, 'proc')]);
  }
}

function inside(place: string, command: string): void {
  const settings = Object.entries(process.env).filter(([name]) =>
    /^(npm_config_|NODE_EXTRA_CA_CERTS$)/.test(name),
  );
  execFileSync('chroot', [place, 'sh', '-c', command], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      DEBIAN_FRONTEND: 'noninteractive',
      HOME: '/root',
      ...(releases === null ? {} : { MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: releases.url }),
      ...Object.fromEntries(settings),
    },
  });
}

function say(line: string): void {
  process.stdout.write(`== ${line}\n`);
}

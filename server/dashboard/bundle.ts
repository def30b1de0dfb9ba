/**
 * Makes the files that browsers load out of the sources in `client/`: TypeScript and JSX to small modules whose names hold a hash of
 * their content, each of them compressed once, when it is made. What was made before is used again while the sources are the same.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Metafile } from 'esbuild';

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Null where compressing makes it no smaller. */
  readonly brotli: Buffer | null;
  readonly gzip: Buffer | null;
}

export interface Page {
  readonly document: PageFile;
  /** By plain name, as `/page/:name` serves them. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** Addresses of the scripts that the page starts as workers. */
  readonly scripts: { readonly 'detector-worker': string };
}

const CLIENT = fileURLToPath(new URL('./client/', import.meta.url));
const PACKAGES = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
};
const ENTRIES = ['main.tsx', 'theme.ts', 'icon.svg', 'webcam/detector-worker.ts'] as const;
/** Code from outside of `client/` that is built in: the pixel kernels, and what is done with their pictures. */
const SHARED = ['../../kernels/', '../../workers/'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const STAMP = 'sources.json';

/** Builds of this process that are under way. */
let running = 0;

/**
 * The page as the sources are now; built where `folder` holds none, or an older one.
 * @param folder may be removed and made anew at any time
 * @throws where the sources cannot be built
 */
export async function openPage(folder: string): Promise<Page> {
  const stamp = await sourcesStamp();
  const kept = await readFile(join(folder, STAMP), 'utf8').catch(() => null);
  if (kept !== stamp) await build(folder, stamp);
  return load(folder);
}

/** Changes with every source, and with the versions of the packages that are built in. */
async function sourcesStamp(): Promise<string> {
  const paths: string[] = [];
  for (const folder of [CLIENT, ...SHARED]) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    paths.push(
      ...entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)),
    );
  }
  const hash = createHash('sha256');
  for (const path of [...paths.sort(), PACKAGES, fileURLToPath(import.meta.url)])
    hash.update(path).update(await readFile(path));
  return JSON.stringify({ sha256: hash.digest('hex') });
}

async function build(folder: string, stamp: string): Promise<void> {
  // Loaded only where there is something to build: most starts find the page made.
  const esbuild = await import('esbuild');
  running++;
  const { outputFiles, metafile } = await esbuild
    .build({
      absWorkingDir: CLIENT,
      entryPoints: [...ENTRIES],
      outdir: folder,
      write: false,
      metafile: true,
      bundle: true,
      splitting: true,
      format: 'esm',
      target: ['es2022', 'chrome110', 'firefox115', 'safari16'],
      minify: true,
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.svg': 'copy', '.wasm': 'binary' },
      // Their folder is no part of the name: all files lie side by side.
      entryNames: '[name]-[hash]',
      chunkNames: 'part-[hash]',
      assetNames: '[name]-[hash]',
      logLevel: 'silent',
    })
    .finally(() => {
      // Its process would stay for as long as ours; it is shared by all builds of a process.
      if (--running === 0) return esbuild.stop();
    });
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]));
  files.set('index.html', Buffer.from(await writeDocument(metafile)));

  // Beside the place where it belongs, then moved there whole: a start that is cut off leaves no half page.
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of files) await writeFile(join(unfinished, name), bytes);
  await Promise.all([...files].map(([name, bytes]) => compress(join(unfinished, name), bytes)));
  await writeFile(join(unfinished, STAMP), stamp);
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
}

/** The document names the built files, and those that the first of them loads at once. */
async function writeDocument(metafile: Metafile): Promise<string> {
  const outputs = Object.entries(metafile.outputs);
  const built = (entry: (typeof ENTRIES)[number]) => {
    const found = outputs.find(([, output]) => output.entryPoint === entry || entry in output.inputs);
    if (found === undefined) throw new Error(`the build made nothing of ${entry}`);
    return found;
  };
  const [mainPath, main] = built('main.tsx');
  const link = (path: string) => `/page/${basename(path)}`;
  const template = await readFile(join(CLIENT, 'index.html'), 'utf8');
  const preloads = main.imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => `<link rel="modulepreload" href="${link(path)}">`);
  return template
    .replace('{{script}}', link(mainPath))
    .replace('{{style}}', link(main.cssBundle ?? ''))
    .replace('{{theme}}', link(built('theme.ts')[0]))
    .replace('{{icon}}', link(built('icon.svg')[0]))
    .replace('{{preloads}}', preloads.join(''));
}

async function compress(path: string, bytes: Buffer): Promise<void> {
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  if (br.length >= bytes.length || gz.length >= bytes.length) return;
  await writeFile(`${path}.br`, br);
  await writeFile(`${path}.gz`, gz);
}

async function load(folder: string): Promise<Page> {
  const names = new Set(await readdir(folder));
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const extension = name.split('.').at(-1)!;
    if (name === STAMP || TYPES[extension] === undefined) continue;
    const read = (suffix: string) => readFile(join(folder, name + suffix));
    files.set(name, {
      type: TYPES[extension],
      bytes: await read(''),
      brotli: names.has(`${name}.br`) ? await read('.br') : null,
      gzip: names.has(`${name}.gz`) ? await read('.gz') : null,
    });
  }
  const document = files.get('index.html');
  if (document === undefined) throw new Error(`${folder} holds no document`);
  files.delete('index.html');
  const worker = [...files.keys()].find((name) => name.startsWith('detector-worker-'));
  if (worker === undefined) throw new Error(`${folder} holds no worker`);
  return { document, files, scripts: { 'detector-worker': `/page/${worker}` } };
}

/**
 * A thread that makes the files for detectors in browsers, and ends: graphs are built, and everything is compressed once. What an earlier
 * start made is used again.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { brotliCompressSync, constants } from 'node:zlib';
import { buildLandmarks68 } from '../models/build/landmarks-68.ts';
import { buildSsdMobilenet } from '../models/build/ssd-mobilenet.ts';
import { SMALL_INPUT } from './detect/ssd.ts';
import type { DetectorFile, DetectorFileSource, DetectorFilesRequest } from './detector-files-protocol.ts';

/** Somebody waits for it: level 9 takes four times as long as level 5, for 5 % of the 2.8 MB that ONNX Runtime then is. */
const BROTLI_QUALITY = 5;

parentPort!.postMessage(await makeDetectorFiles(workerData as DetectorFilesRequest));

async function makeDetectorFiles({ folder, sources }: DetectorFilesRequest): Promise<DetectorFile[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files: DetectorFile[] = [];
  for (const source of sources) files.push(await makeFile(folder, source));
  const wanted = new Set(files.flatMap(({ path, brotliPath }) => [path, brotliPath]));
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!wanted.has(path)) await rm(path, { recursive: true, force: true });
  }
  return files;
}

async function makeFile(
  folder: string,
  { name, extension, from }: DetectorFileSource,
): Promise<DetectorFile> {
  const bytes = 'path' in from ? await readFile(from.path) : build(from.graph);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const fileName = `${name}-${hash}.${extension}`;
  const path = 'path' in from ? from.path : join(folder, fileName);
  if (!('path' in from)) await writeOnce(path, () => bytes);
  const brotliPath = join(folder, `${fileName}.br`);
  await writeOnce(brotliPath, () =>
    brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  );
  const { size: brotliBytes } = await stat(brotliPath);
  return { name, fileName, path, sizeBytes: bytes.length, brotliPath, brotliBytes };
}

function build(graph: 'ssd-small-input' | 'face-landmark-68'): Uint8Array {
  if (graph === 'face-landmark-68') return buildLandmarks68();
  const [inputWidth, inputHeight] = SMALL_INPUT;
  return buildSsdMobilenet({ inputWidth, inputHeight });
}

/** Nobody sees half a file: its name comes last. */
async function writeOnce(path: string, content: () => Uint8Array): Promise<void> {
  if (await stat(path).catch(() => null)) return;
  await writeFile(`${path}.part`, content(), { mode: 0o600 });
  await rename(`${path}.part`, path);
}

/**
 * Compiles kernels/assembly to the committed modules.
 *
 *   node kernels/build.ts           writes kernels/*.wasm
 *   node kernels/build.ts --check   exit code 1 where a committed module differs from what its sources give
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

interface ModuleBuild {
  readonly name: string;
  /** The file in assembly/ that it is made from, without its ending. */
  readonly entry: string;
  readonly options: readonly string[];
}

// Of relaxed SIMD only what assembly/times.ts wraps: the same bits on every machine.
const relaxed = ['--enable', 'relaxed-simd'];

export const moduleBuilds: readonly ModuleBuild[] = [
  {
    name: 'pixels',
    entry: 'pixels',
    options: [...relaxed, '--initialMemory', '1', '--maximumMemory', '16384'],
  },
  // For browsers, of which not all know relaxed SIMD.
  { name: 'pixels-baseline', entry: 'pixels', options: ['--initialMemory', '1', '--maximumMemory', '16384'] },
  {
    name: 'enhance',
    entry: 'enhance',
    options: [...relaxed, '--initialMemory', '1', '--maximumMemory', '16384'],
  },
  {
    name: 'jpeg',
    entry: 'jpeg',
    options: [...relaxed, '--initialMemory', '1', '--maximumMemory', '1024'],
  },
  {
    name: 'embedding-index',
    entry: 'embedding-index',
    // Accepts a shared memory of any size: 65,536 pages are all that 32 bits can address.
    options: ['--enable', 'threads', '--importMemory', '--sharedMemory', '--maximumMemory', '65536'],
  },
];

// No runtime, no collector.
const commonOptions =
  '--enable simd -O3 --converge --noAssert --memoryBase 64 --runtime stub --use abort='.split(' ');

export function modulePath(name: string): string {
  return fileURLToPath(new URL(`./${name}.wasm`, import.meta.url));
}

/** The bytes that the sources of one module give. Throws with the compiler's messages where they do not compile. */
export async function compileModule({ entry: file, options }: ModuleBuild): Promise<Uint8Array> {
  let bytes: Uint8Array | null = null;
  const entry = `assembly/${file}.ts`;
  const { error, stderr } = await asc.main(
    [
      entry,
      ...commonOptions,
      ...options,
      '--outFile',
      'out.wasm',
      '--baseDir',
      fileURLToPath(new URL('.', import.meta.url)),
    ],
    {
      writeFile(_file: string, contents: Uint8Array | string) {
        if (typeof contents !== 'string') bytes = contents;
      },
    },
  );
  if (error || !bytes) throw new Error(`${entry} does not compile\n${stderr.toString()}`, { cause: error });
  return bytes;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  for (const build of moduleBuilds) {
    const bytes = await compileModule(build);
    const path = modulePath(build.name);
    if (!check) writeFileSync(path, bytes);
    else if (!Buffer.from(bytes).equals(readFileSync(path))) {
      console.error(`kernels/${build.name}.wasm differs from its sources: run node kernels/build.ts`);
      process.exitCode = 1;
      continue;
    }
    console.log(`kernels/${build.name}.wasm ${bytes.length} bytes${check ? ', as committed' : ''}`);
  }
}

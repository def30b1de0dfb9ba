/**
 * `npm run cuda`: brings the libraries of ONNX Runtime's CUDA provider, which are too large for the npm package, with the package's own
 * installer, and tells whether they work on this machine.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { buildLandmarks68 } from './build/landmarks-68.ts';

/** What the installer of onnxruntime-node 1.30 brings on Linux x64; there is nothing for other platforms. */
const PROVIDER_LIBRARIES = [
  'libonnxruntime_providers_shared.so',
  'libonnxruntime_providers_cuda.so',
  'libonnxruntime_providers_tensorrt.so',
];

/** Larger than float32 rounding on a GPU with TF32 off or on, smaller than any wrong answer. */
const LARGEST_DIFFERENCE = 1e-2;

const PROBE = 'probe';
const PROBE_TIMEOUT_MS = 120_000;

/** Whose library it is, by its name, for those that the CUDA provider asks the system for. */
const LIBRARY_OWNERS: readonly (readonly [pattern: RegExp, owner: string])[] = [
  [/^libcuda\.so/, "NVIDIA's driver"],
  [/^libcudnn/, 'cuDNN'],
  [/^lib(cudart|cublas|cublasLt|cufft|curand|nvrtc|nvJitLink|cusparse|cusolver)\b/, 'the CUDA toolkit'],
];

export interface MissingLibrary {
  readonly name: string;
  readonly owner: string;
}

/** The libraries that the dynamic linker did not find, from what `ldd` printed, and who installs them. */
export function missingLibraries(lddOutput: string): MissingLibrary[] {
  return lddOutput.split('\n').flatMap((line) => {
    const name = /^\s*(\S+) => not found/.exec(line)?.[1];
    if (name === undefined) return [];
    const owner = LIBRARY_OWNERS.find(([pattern]) => pattern.test(name))?.[1] ?? 'another package';
    return [{ name, owner }];
  });
}

/** The answer of the landmark graph on CUDA and on the CPU to the same input. Run in a process of its own: a bad driver may end it. */
async function probe(): Promise<void> {
  const graph = buildLandmarks68();
  const planes = Float32Array.from({ length: 3 * 112 * 112 }, (_, index) => (index * 7919) % 256);
  const answer = async (provider: 'cuda' | 'cpu') => {
    const session = await InferenceSession.create(graph, { executionProviders: [provider] });
    const outputs = await session.run({ input: new Tensor('float32', planes, [1, 3, 112, 112]) });
    return outputs.landmarks!.data as Float32Array;
  };
  const cpu = await answer('cpu');
  const cuda = await answer('cuda');
  const difference = cuda.reduce(
    (largest, value, index) => Math.max(largest, Math.abs(value - cpu[index]!)),
    0,
  );
  if (!(difference <= LARGEST_DIFFERENCE)) throw new Error(`CUDA and CPU differ by ${difference}`);
  process.stdout.write(`largest difference from the CPU's answer: ${difference}`);
}

/**
 * @param again fetch the libraries even where they are here, because they may be damaged
 * @returns the exit code: 0 where CUDA gave the CPU's answer on this machine
 */
function installCuda(again: boolean, write: (line: string) => void): number {
  const backends = listSupportedBackends().map((backend) => backend.name as string);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    write(
      `onnxruntime-node brings CUDA for linux x64 only; this is ${process.platform} ${process.arch}. PROVIDER=webgpu may do.`,
    );
    return 1;
  }
  if (!backends.includes('cuda')) {
    write(`this build of onnxruntime-node has no CUDA backend; it has ${backends.join(', ')}.`);
    return 1;
  }
  const packageFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const libraryFolder = join(packageFolder, 'bin', 'napi-v6', 'linux', 'x64');
  const absent = () => PROVIDER_LIBRARIES.filter((name) => !existsSync(join(libraryFolder, name)));

  if (absent().length === 0 && !again) {
    write('The provider libraries are here already; npm run cuda -- --again fetches them anew.');
  } else {
    write(
      'Fetching the provider libraries of onnxruntime-node (some hundred megabytes, from its NuGet package) ...',
    );
    const installer = spawnSync(process.execPath, [join(packageFolder, 'script', 'install.js')], {
      // Only `true`, `1` and `ON` force it: the `cuda12` that the script speaks of ends as if nothing were set.
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'true' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const missing = absent();
    if (installer.status !== 0 || missing.length > 0) {
      write(`The installer of onnxruntime-node ended with ${installer.status ?? installer.signal}.`);
      write(`Missing in ${libraryFolder}: ${missing.join(', ') || 'nothing'}.`);
      write(
        'It needs the internet (behind a proxy: GLOBAL_AGENT_HTTPS_PROXY). Without internet, copy these files',
      );
      write(
        'there from another machine with the same version of onnxruntime-node. CUDA is not verified here.',
      );
      return 1;
    }
  }

  const ldd = spawnSync('ldd', [join(libraryFolder, 'libonnxruntime_providers_cuda.so')], {
    encoding: 'utf8',
  });
  const missing = missingLibraries(ldd.stdout ?? '');
  for (const { name, owner } of missing) write(`Missing on this system: ${name}, of ${owner}.`);

  const attempt = spawnSync(process.execPath, [fileURLToPath(import.meta.url), PROBE], {
    encoding: 'utf8',
    timeout: PROBE_TIMEOUT_MS,
  });
  if (attempt.status === 0) {
    write(`CUDA works here: ${attempt.stdout.trim()}.`);
    write('Run this again after every npm ci, which takes the libraries away.');
    return 0;
  }
  write(`A session on CUDA could not be run: ${lastLine(attempt.stderr) || `ended by ${attempt.signal}`}`);
  if (!existsSync('/proc/driver/nvidia/version')) write("NVIDIA's driver is not loaded on this machine.");
  write(
    'The libraries are in place, but not verified on a GPU here; the server goes on with its next provider.',
  );
  return 1;
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /error|fail|cannot/i.test(line));
  return lines.at(0)?.trim() ?? text.trim().split('\n').at(-1) ?? '';
}

if (import.meta.main) {
  if (process.argv[2] === PROBE) {
    await probe();
  } else {
    process.exitCode = installCuda(process.argv.includes('--again'), (line) =>
      process.stdout.write(`${line}\n`),
    );
  }
}

/** OpenCV as a peer, in a Python process beside the bench: where there is a python3 that has cv2. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Capture } from '../simulated-sensor.ts';

export interface OpenCv {
  readonly version: string;
  /** Decibels of the exact unpack against the same capture without noise. */
  readonly plainDecibels: number;
  /** cvtColor with the byte swap that it needs, that often; milliseconds each. */
  unpack(times: number): Promise<readonly number[]>;
  /** What the last `unpack` gave: RGB888. */
  unpacked(): Promise<Uint8Array>;
  /** fastNlMeansDenoisingColored of the exact unpack, windows of 7 and 21 pixels. */
  denoise(strength: number): Promise<{ readonly timeMs: number; readonly decibels: number }>;
  close(): Promise<void>;
}

/** Where Debian's packages put their modules, after whatever the PATH names. */
const interpreters = ['python3', '/usr/bin/python3'];

/** Null where no interpreter has cv2. `plain` is the exact unpack of the capture. */
export async function openOpenCv(made: Capture, plain: Uint8Array): Promise<OpenCv | null> {
  const python = interpreters.find(hasOpenCv);
  if (python === undefined) return null;
  const folder = await mkdtemp(join(tmpdir(), 'opencv-'));
  await writeFile(join(folder, 'frame.rgb565'), made.bytes);
  await writeFile(join(folder, 'plain.rgb'), plain);
  await writeFile(join(folder, 'noiseless.f32'), made.noiseless);
  const script = fileURLToPath(new URL('./opencv-frames.py', import.meta.url));
  const child = spawn(python, [script, folder, String(made.width), String(made.height)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = readAnswers(child);
  const ask = async (line: string) => {
    child.stdin.write(`${line}\n`);
    return answers();
  };
  const { version, plainDecibels } = (await answers()) as { version: string; plainDecibels: number };
  return {
    version,
    plainDecibels,
    unpack: async (times) => ((await ask(`unpack ${times}`)) as { timesMs: number[] }).timesMs,
    unpacked: () => readFile(join(folder, 'unpacked.rgb')),
    denoise: async (strength) => (await ask(`denoise ${strength}`)) as { timeMs: number; decibels: number },
    close: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

function hasOpenCv(python: string): boolean {
  try {
    execFileSync(python, ['-c', 'import cv2, numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** One answer a line; an error where the process ends instead. */
function readAnswers(child: ChildProcess): () => Promise<unknown> {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the OpenCV process ended without an answer');
    return JSON.parse(value);
  };
}

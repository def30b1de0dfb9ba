/** The detector in browsers: which files it needs, made when somebody asks for it first. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { DetectorModel } from '../../models/manifest.ts';
import type {
  DetectorFile,
  DetectorFileSource,
  DetectorFilesRequest,
} from '../../workers/detector-files-protocol.ts';

export interface BrowserDetector {
  readonly model: DetectorModel;
  readonly detector: DetectorFile;
  readonly landmarks: DetectorFile;
  /** ONNX Runtime as WebAssembly: alone, and with WebGPU for browsers that can suspend WebAssembly (JSPI). */
  readonly runtimes: { readonly wasm: DetectorFile; readonly webgpu: DetectorFile };
}

export interface BrowserDetectorSource {
  /** The detector that the server itself runs; `path` is null for the embedded one. */
  readonly inUse: () => Promise<{ readonly model: DetectorModel; readonly path: string | null }>;
  /** May be removed and made anew at any time. */
  readonly folder: string;
}

export interface BrowserDetectors {
  /** What a browser needs to find the same faces as the server does now. The first call takes seconds, on a thread of its own. */
  describe(): Promise<BrowserDetector>;
  /** A file of the last description; null for any other name. */
  file(fileName: string): DetectorFile | null;
  /** Breaks off what is being made: nobody ever sees half of it. */
  close(): Promise<void>;
}

const THREAD_FILE = new URL('../../workers/detector-files-thread.ts', import.meta.url);
const RUNTIME_FOLDER = new URL('.', import.meta.resolve('onnxruntime-web'));
const runtimeFile = (name: string) => fileURLToPath(new URL(name, RUNTIME_FOLDER));

export function createBrowserDetectors({ inUse, folder }: BrowserDetectorSource): BrowserDetectors {
  let made: { readonly id: string; readonly detector: Promise<BrowserDetector> } | null = null;
  let files = new Map<string, DetectorFile>();
  let thread: Worker | null = null;

  async function make(model: DetectorModel, path: string | null): Promise<BrowserDetector> {
    thread = new Worker(THREAD_FILE, {
      workerData: { folder, sources: sourcesOf(path) } satisfies DetectorFilesRequest,
    });
    const found = await answerOf(thread);
    const [detector, landmarks, wasm, webgpu] = found as [
      DetectorFile,
      DetectorFile,
      DetectorFile,
      DetectorFile,
    ];
    files = new Map(found.map((file) => [file.fileName, file]));
    return { model, detector, landmarks, runtimes: { wasm, webgpu } };
  }

  return {
    async describe() {
      const { model, path } = await inUse();
      if (made?.id !== model.id) {
        // One thread at a time: both would sweep the folder.
        const before = made?.detector.catch(() => {}) ?? Promise.resolve();
        const detector = before.then(() => make(model, path));
        const mine = { id: model.id, detector };
        made = mine;
        detector.catch(() => {
          if (made === mine) made = null;
        });
      }
      return made.detector;
    },
    file: (fileName) => files.get(fileName) ?? null,
    async close() {
      await thread?.terminate();
      await made?.detector.catch(() => {});
    },
  };
}

const sourcesOf = (detectorPath: string | null): DetectorFileSource[] => [
  {
    name: 'detector',
    extension: 'onnx',
    from: detectorPath === null ? { graph: 'ssd-small-input' } : { path: detectorPath },
  },
  { name: 'landmarks', extension: 'onnx', from: { graph: 'face-landmark-68' } },
  { name: 'onnx-runtime', extension: 'wasm', from: { path: runtimeFile('ort-wasm-simd-threaded.wasm') } },
  {
    name: 'onnx-runtime-webgpu',
    extension: 'wasm',
    from: { path: runtimeFile('ort-wasm-simd-threaded.jspi.wasm') },
  },
];

function answerOf(thread: Worker): Promise<readonly DetectorFile[]> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('the thread ended without an answer')));
  });
}

/** @returns the bytes to send, and their encoding where they are compressed */
export async function readDetectorFile(
  file: DetectorFile,
  acceptsBrotli: boolean,
): Promise<{ readonly bytes: Buffer; readonly encoding: 'br' | null }> {
  const bytes = await readFile(acceptsBrotli ? file.brotliPath : file.path);
  return { bytes, encoding: acceptsBrotli ? 'br' : null };
}

/** ONNX Runtime in the browser: WebGPU where there is a real adapter, else WebAssembly. Runs in a worker. */
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Graph } from '../../../../workers/session.ts';
import type { DetectorDescription, LoadedFile, Provider } from './detector-protocol.ts';

interface Runtime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: unknown } };
}

export interface GraphOpener {
  readonly provider: Provider;
  readonly whyNotWebgpu: string | null;
  open(file: LoadedFile): Promise<Graph>;
}

/** @throws Error where the runtime cannot be loaded */
export async function createGraphOpener(
  { runtimes }: Pick<DetectorDescription, 'runtimes'>,
  wanted?: Provider,
): Promise<GraphOpener> {
  const whyNotWebgpu =
    wanted === undefined ? await webgpuTrouble() : wanted === 'wasm' ? 'it was not wanted' : null;
  const provider = whyNotWebgpu === null ? 'webgpu' : 'wasm';
  // Two builds of the runtime: the one with WebGPU is a module of its own, and is loaded by nobody who cannot use it.
  const runtime: Runtime =
    provider === 'webgpu' ? await import('onnxruntime-web/jspi') : await import('onnxruntime-web/wasm');
  // More threads need a page that is isolated from all others, which this one is not; a small network gains little by them.
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmPaths = { wasm: new URL(runtimes[provider].url, location.origin).href };
  return {
    provider,
    whyNotWebgpu,
    async open({ url }) {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`${url} was answered ${response.status}`);
      const session = await runtime.InferenceSession.create(new Uint8Array(await response.arrayBuffer()), {
        executionProviders: [provider],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      });
      return graphOf(session, runtime);
    },
  };
}

function graphOf(session: InferenceSession, runtime: Runtime): Graph {
  const input = session.inputNames[0]!;
  return {
    batches: true,
    async run(values, shape) {
      const tensor = new runtime.Tensor('float32', values, shape);
      const outputs = await session.run({ [input]: tensor });
      return Object.fromEntries(
        Object.entries(outputs).map(([name, output]) => [name, output.data as Float32Array]),
      );
    },
    release: () => session.release(),
  };
}

interface GpuAdapter {
  readonly isFallbackAdapter?: boolean;
  readonly info?: { readonly isFallbackAdapter?: boolean };
}

/** Why WebGPU cannot be used here, or null. An adapter in software is slower than WebAssembly. */
async function webgpuTrouble(): Promise<string | null> {
  if (!('Suspending' in WebAssembly)) return 'this browser cannot suspend WebAssembly (JSPI)';
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<GpuAdapter | null> } };
  if (gpu === undefined) return 'this browser has no WebGPU';
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (adapter === null) return 'this browser found no GPU';
  if (adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter) return 'the GPU is one in software';
  return null;
}

/** ONNX Runtime sessions: one graph, one thread, one provider. The native binding, or WebAssembly where it does not load. */
import { readFile } from 'node:fs/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ProviderName } from './protocol.ts';

/** A loaded graph with one input; values are row-major float32. */
export interface Graph {
  /**
   * Runs the graph. It blocks the calling thread until the answer is there.
   * @param input owned by the caller, not kept
   * @param written outputs of an earlier run with the same shape, which this run may write over: without garbage of their size
   * @returns every output by its name; the buffers are the caller's
   * @throws ProviderError where the provider fails
   */
  run(input: Float32Array, shape: readonly number[], written?: GraphOutputs): Promise<GraphOutputs>;
  /** Whether the first dimension of the input may have any length. */
  readonly batches: boolean;
  release(): Promise<void>;
}

export type GraphOutputs = Readonly<Record<string, Float32Array>>;

/** The provider could not load or run a graph; the next one in the order may. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
}

interface Runtime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

/** Opens graphs from ONNX bytes or files for one provider. */
export interface GraphOpener {
  readonly provider: ProviderName;
  /** @param outputs the outputs that are asked for; all of them unless given */
  open(name: string, model: Uint8Array | string, outputs?: readonly string[]): Promise<Graph>;
}

/**
 * Loads the runtime that serves a provider.
 * @throws ProviderError where the runtime's binding cannot be loaded on this machine
 */
export async function createGraphOpener(provider: ProviderName): Promise<GraphOpener> {
  const runtime = await loadRuntime(provider);
  return {
    provider,
    async open(name, model, outputs) {
      try {
        const session = await createSession(runtime, provider, model);
        return wrapSession(name, session, runtime, provider, outputs ?? session.outputNames);
      } catch (error) {
        throw new ProviderError(`${provider} cannot load ${name}: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}

async function loadRuntime(provider: ProviderName): Promise<Runtime> {
  try {
    if (provider === 'wasm') {
      const web = await import('onnxruntime-web/wasm');
      // Threads of the pool are the parallelism; onnxruntime-web's own would only add idle ones.
      web.env.wasm.numThreads = 1;
      return web as unknown as Runtime;
    }
    const native = await import('onnxruntime-node');
    return native as unknown as Runtime;
  } catch (error) {
    throw new ProviderError(`the runtime of ${provider} does not load here: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function createSession(
  runtime: Runtime,
  provider: ProviderName,
  model: Uint8Array | string,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    // Measured: more threads inside a session halve the rate on busy cores; the pool is the parallelism.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // A pattern is kept for each input shape ever seen: with photos of all shapes, memory would grow for days.
    enableMemPattern: false,
    logSeverityLevel: 3,
  };
  const bytes = typeof model === 'string' ? await readFile(model) : model;
  return runtime.InferenceSession.create(bytes, options);
}

function wrapSession(
  name: string,
  session: InferenceSession,
  runtime: Runtime,
  provider: ProviderName,
  outputNames: readonly string[],
): Graph {
  const inputName = session.inputNames[0]!;
  const [inputMetadata] = session.inputMetadata;
  const answersOf = new WeakMap<GraphOutputs, InferenceSession.OnnxValueMapType>();
  return {
    batches: inputMetadata?.isTensor === true && typeof inputMetadata.shape[0] === 'string',
    async run(input, shape, written) {
      try {
        const feeds = { [inputName]: new runtime.Tensor('float32', input, shape) };
        const earlier = written && answersOf.get(written);
        if (earlier) {
          await session.run(feeds, earlier);
          return written;
        }
        const answers = await session.run(feeds, outputNames);
        const outputs: Record<string, Float32Array> = {};
        for (const output of outputNames) outputs[output] = answers[output]!.data as Float32Array;
        // The other runtime copies its outputs out of its own memory in any case.
        if (provider === 'cpu') answersOf.set(outputs, answers);
        return outputs;
      } catch (error) {
        throw new ProviderError(`${provider} cannot run ${name}: ${messageOf(error)}`, { cause: error });
      }
    },
    release: () => session.release(),
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

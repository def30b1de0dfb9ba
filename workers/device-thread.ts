/** The thread that owns a GPU: opens each graph once, and runs batches put together from the runs of all worker threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BatchedGraph, createBatchedGraph } from './batcher.ts';
import type { DeviceAnswer, DeviceGreeting, DeviceRequest, DeviceSetup } from './device-protocol.ts';
import { createGraphOpener, type GraphOpener } from './session.ts';

const MAX_BATCH_ITEMS = 64;

const { provider } = workerData as DeviceSetup;
const graphs = new Map<string, Promise<BatchedGraph>>();
let opener: Promise<GraphOpener> | null = null;

async function openGraph(request: DeviceRequest & { kind: 'open' }): Promise<BatchedGraph> {
  opener ??= createGraphOpener(provider);
  const graph = await (await opener).open(request.name, request.model, request.outputs ?? undefined);
  return createBatchedGraph(graph, graph.batches ? MAX_BATCH_ITEMS : 1);
}

async function answerTo(request: DeviceRequest): Promise<DeviceAnswer> {
  const { id } = request;
  try {
    if (request.kind === 'open') {
      const graph = graphs.get(request.name) ?? openGraph(request);
      graphs.set(request.name, graph);
      await graph;
      return { id, kind: 'opened' };
    }
    const outputs = await (await graphs.get(request.name)!).run(request.input, request.shape);
    return { id, kind: 'ran', outputs };
  } catch (error) {
    return { id, kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

process.on('workerMessage', (greeting: DeviceGreeting) => {
  if (greeting?.kind !== 'facepool-device-port') return;
  const { port } = greeting;
  port.on('message', async (request: DeviceRequest) => {
    const answer = await answerTo(request);
    const buffers =
      answer.kind === 'ran'
        ? Object.values(answer.outputs).map((values) => values.buffer as ArrayBuffer)
        : [];
    port.postMessage(answer, buffers);
  });
});

// Told to end by the main thread when the pool is drained: nothing runs any more.
parentPort!.on('message', () => process.exit(0));

/** Puts runs of one graph that wait together into batches: what a GPU is fast at. */
import type { Graph, GraphOutputs } from './session.ts';

export interface BatchedGraph {
  /** As Graph.run for one or more items; runs of equal item shape that wait at the same time go together. */
  run(input: Float32Array, shape: readonly number[]): Promise<GraphOutputs>;
}

interface Waiting {
  readonly input: Float32Array;
  readonly items: number;
  readonly resolve: (outputs: GraphOutputs) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Nothing waits for company: a run starts at once where the device is free, and what arrives meanwhile makes up the next batch. So
 * batches grow with the load, and an idle device answers without delay.
 * @param maxItems of one batch; 1 for a graph whose batch dimension is fixed
 */
export function createBatchedGraph(graph: Graph, maxItems: number): BatchedGraph {
  /** By the shape of one item, in the order of arrival. */
  const waiting = new Map<string, Waiting[]>();
  let running = false;

  async function runAll(): Promise<void> {
    running = true;
    // The turn's other messages are taken in first: they may fit into the same batch.
    await new Promise(setImmediate);
    for (;;) {
      const next = waiting.entries().next();
      if (next.done) break;
      const [shapeKey, queue] = next.value;
      const batch = takeBatch(queue, maxItems);
      // To the end of the line: another shape has its turn before the rest of this one.
      waiting.delete(shapeKey);
      if (queue.length > 0) waiting.set(shapeKey, queue);
      await runBatch(graph, batch, shapeKey.split('x').map(Number));
      await new Promise(setImmediate);
    }
    running = false;
  }

  return {
    run: (input, shape) =>
      new Promise((resolve, reject) => {
        const [items, ...itemShape] = shape;
        const key = itemShape.join('x');
        const queue = waiting.get(key) ?? [];
        queue.push({ input, items: items!, resolve, reject });
        waiting.set(key, queue);
        if (!running) void runAll();
      }),
  };
}

/** At least one run, however many items it has: the workers never send more than fit. */
function takeBatch(queue: Waiting[], maxItems: number): Waiting[] {
  const batch = [queue.shift()!];
  let items = batch[0]!.items;
  while (queue.length > 0 && items + queue[0]!.items <= maxItems) {
    const next = queue.shift()!;
    batch.push(next);
    items += next.items;
  }
  return batch;
}

async function runBatch(
  graph: Graph,
  batch: readonly Waiting[],
  itemShape: readonly number[],
): Promise<void> {
  const items = batch.reduce((sum, run) => sum + run.items, 0);
  try {
    const outputs = await graph.run(batch.length === 1 ? batch[0]!.input : concatenate(batch), [
      items,
      ...itemShape,
    ]);
    let first = 0;
    for (const run of batch) {
      run.resolve(sliceItems(outputs, first, run.items, items));
      first += run.items;
    }
  } catch (error) {
    for (const run of batch) run.reject(error);
  }
}

function concatenate(batch: readonly Waiting[]): Float32Array {
  const whole = new Float32Array(batch.reduce((sum, { input }) => sum + input.length, 0));
  let offset = 0;
  for (const { input } of batch) {
    whole.set(input, offset);
    offset += input.length;
  }
  return whole;
}

/** Copies: the buffers travel to different threads. */
function sliceItems(outputs: GraphOutputs, first: number, count: number, total: number): GraphOutputs {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, values]) => {
      const itemLength = values.length / total;
      return [name, values.slice(first * itemLength, (first + count) * itemLength)];
    }),
  );
}

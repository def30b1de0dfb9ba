import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatchedGraph } from '../../workers/batcher.ts';
import type { Graph } from '../../workers/session.ts';

/** Doubles every value, and remembers how many items each of its runs had. */
function doubling(): { graph: Graph; batches: number[] } {
  const batches: number[] = [];
  const graph: Graph = {
    batches: true,
    run: async (input, [items]) => {
      batches.push(items!);
      if (input.includes(-1)) throw new Error('bad input');
      return { twice: input.map((value) => 2 * value) };
    },
    release: async () => {},
  };
  return { graph, batches };
}

test('runs that wait together go together, and each gets its own items back', async () => {
  const { graph, batches } = doubling();
  const batched = createBatchedGraph(graph, 64);
  const answers = await Promise.all([
    batched.run(Float32Array.of(1, 2), [1, 2]),
    batched.run(Float32Array.of(3, 4, 5, 6), [2, 2]),
    batched.run(Float32Array.of(7, 8), [1, 2]),
  ]);
  assert.deepEqual(
    answers.map(({ twice }) => [...twice!]),
    [
      [2, 4],
      [6, 8, 10, 12],
      [14, 16],
    ],
  );
  assert.deepEqual(batches, [4]);
});

test('a batch holds no more than the limit, and shapes are not mixed', async () => {
  const { graph, batches } = doubling();
  const batched = createBatchedGraph(graph, 2);
  const runs = [
    ...Array.from({ length: 3 }, () => batched.run(Float32Array.of(1), [1, 1])),
    ...Array.from({ length: 2 }, () => batched.run(Float32Array.of(1, 1), [1, 2])),
  ];
  await Promise.all(runs);
  assert.deepEqual(batches, [2, 2, 1]);
});

test('a graph that takes one item at a time gets one at a time', async () => {
  const { graph, batches } = doubling();
  const batched = createBatchedGraph(graph, 1);
  await Promise.all(Array.from({ length: 3 }, () => batched.run(Float32Array.of(1), [1, 1])));
  assert.deepEqual(batches, [1, 1, 1]);
});

test('a batch that fails fails for those in it, and the next one runs', async () => {
  const { graph } = doubling();
  const batched = createBatchedGraph(graph, 64);
  await assert.rejects(batched.run(Float32Array.of(-1), [1, 1]), /bad input/);
  const { twice } = await batched.run(Float32Array.of(5), [1, 1]);
  assert.deepEqual([...twice!], [10]);
});

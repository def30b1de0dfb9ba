import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  median,
  ratioFigure,
  reachesTarget,
  spreadFigure,
  summarise,
  timeInterleaved,
  verify,
} from '../../bench/harness.ts';

test('the median of an even number of values lies between the middle two, whatever their order', () => {
  assert.equal(median([9, 1, 4]), 4);
  assert.equal(median([10, 2, 4, 8]), 6);
  assert.equal(median([7]), 7);
});

test('a summary keeps the times in the order they were taken', () => {
  const { medianMs, minMs, maxMs, repeats, timesMs } = summarise([3, 1, 2]);
  assert.deepEqual({ medianMs, minMs, maxMs, repeats }, { medianMs: 2, minMs: 1, maxMs: 3, repeats: 3 });
  assert.deepEqual(timesMs, [3, 1, 2]);
});

test('a ratio is the median of the ratios of each round, not the ratio of the medians', () => {
  const figure = ratioFigure('faster', summarise([10, 40, 90]), summarise([5, 10, 30]));
  assert.deepEqual([figure.value, figure.min, figure.max, figure.repeats], [3, 2, 4, 3]);
});

test('a target is reached at its very value, and a figure without one is not judged', () => {
  assert.equal(reachesTarget(spreadFigure('a', 'ms', [20], { atMost: 20 })), true);
  assert.equal(reachesTarget(spreadFigure('a', 'ms', [20.1], { atMost: 20 })), false);
  assert.equal(reachesTarget(spreadFigure('a', 'times', [1.6], { atLeast: 1.7 })), false);
  assert.equal(reachesTarget(spreadFigure('a', 'times', [Number.NaN], { atLeast: 1.7 })), false);
  assert.equal(reachesTarget(spreadFigure('a', 'ms', [20])), null);
});

test('bodies take turns, warm-ups are checked and not counted', async () => {
  const order: string[] = [];
  const checked: string[] = [];
  const contestant = (name: string) => ({
    body: () => {
      order.push(name);
      return name;
    },
    check: (result: string) => void checked.push(result),
  });
  const timings = await timeInterleaved([contestant('a'), contestant('b')], { warmUps: 1, repeats: 2 });
  assert.deepEqual(order, ['a', 'b', 'a', 'b', 'a', 'b']);
  assert.deepEqual(checked, order);
  assert.deepEqual(
    timings.map(({ repeats }) => repeats),
    [2, 2],
  );
});

test('a wrong result ends the benchmark', () => {
  assert.throws(() => verify(false, 'two faces'), /result is wrong: two faces/);
});

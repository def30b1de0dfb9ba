import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCommit } from '../../../server/devices/group-commit.ts';

/** Writes that end when the test says so. */
function heldWrites() {
  const batches: number[][] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const write = (items: readonly number[]) => {
    batches.push([...items]);
    return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }));
  };
  return { batches, ends, write };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what comes while a write runs goes out together with the next one', async () => {
  const { batches, ends, write } = heldWrites();
  const commit = new GroupCommit({ write, limit: 10 });
  const done: number[] = [];
  const add = (item: number) => commit.add(item).then(() => done.push(item));
  const all = [add(1)];
  await turn();
  all.push(add(2), add(3));
  await turn();
  assert.deepEqual([batches, done], [[[1]], []]);
  ends[0]!.resolve();
  await turn();
  assert.deepEqual([batches, done], [[[1], [2, 3]], [1]]);
  ends[1]!.resolve();
  await Promise.all(all);
});

test('a write that fails fails for its own items only', async () => {
  const { ends, write } = heldWrites();
  const commit = new GroupCommit({ write, limit: 10 });
  const first = commit.add(1);
  await turn();
  const second = commit.add(2);
  ends[0]!.reject(new Error('disk full'));
  await assert.rejects(first, /disk full/);
  await turn();
  ends[1]!.resolve();
  await second;
  await commit.settle();
});

test('more than may wait are refused with 429 and counted', async () => {
  const { ends, write } = heldWrites();
  let refused = 0;
  const commit = new GroupCommit({ write, limit: 1, onRefused: () => refused++ });
  const first = commit.add(1);
  await turn();
  const second = commit.add(2);
  await assert.rejects(commit.add(3), { status: 429, code: 'OVERLOADED' });
  assert.equal(refused, 1);
  ends[0]!.resolve();
  await turn();
  ends[1]!.resolve();
  await Promise.all([first, second]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { Backlog, type DropReason } from '../../../server/recognition/backlog.ts';

/** Jobs that run until they are let go, in the order in which they began. */
function controlled(limit: number, concurrency = 1) {
  const started: string[] = [];
  const drops: DropReason[] = [];
  const letGo = new Map<string, () => void>();
  const backlog = new Backlog<string, string>({
    limit,
    concurrency,
    run: (job) =>
      new Promise((resolve, reject) => {
        started.push(job);
        letGo.set(job, () => (job.startsWith('bad') ? reject(new Error(job)) : resolve(`done ${job}`)));
      }),
    onDrop: (reason) => drops.push(reason),
  });
  return { backlog, started, drops, finish: (job: string) => letGo.get(job)!() };
}

const nextTurn = () => new Promise(setImmediate);

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => assert.fail('it was accepted'),
    (error: unknown) => {
      assert.ok(error instanceof ServerError);
      return `${error.status} ${error.code}`;
    },
  );

test('jobs run in the order of their arrival, as many at a time as allowed', async () => {
  const { backlog, started, finish } = controlled(10, 2);
  const answers = ['a', 'b', 'c'].map((job) => backlog.submit(job, null));
  assert.deepEqual(started, ['a', 'b']);
  finish('b');
  assert.equal(await answers[1], 'done b');
  await nextTurn();
  assert.deepEqual(started, ['a', 'b', 'c']);
  finish('a');
  finish('c');
  assert.deepEqual(await Promise.all(answers), ['done a', 'done b', 'done c']);
});

test('a newer job of a source takes the place of the one that waits, and that one is told', async () => {
  const { backlog, started, drops, finish } = controlled(10);
  const running = backlog.submit('first', 'board');
  const older = backlog.submit('older', 'board');
  const other = backlog.submit('other', 'another board');
  const newer = backlog.submit('newer', 'board');
  assert.equal(await codeOf(older), '429 SUPERSEDED');
  for (const job of ['first', 'newer', 'other']) {
    finish(job);
    await nextTurn();
  }
  await Promise.all([running, newer, other]);
  assert.deepEqual(started, ['first', 'newer', 'other']);
  assert.deepEqual(drops, ['superseded']);
});

test('beyond the limit a job is refused with a time to wait, and a known source may still renew its own', async () => {
  const { backlog, drops } = controlled(1);
  void backlog.submit('running', null);
  const waiting = backlog.submit('waiting', 'board');
  const refused = backlog.submit('refused', 'another');
  const renewed = backlog.submit('renewed', 'board');
  await assert.rejects(
    refused,
    (error: ServerError) => error.retryAfterS === 1 && error.code === 'OVERLOADED',
  );
  assert.equal(await codeOf(waiting), '429 SUPERSEDED');
  assert.equal(backlog.depth, 1);
  assert.deepEqual(drops, ['overloaded', 'superseded']);
  void renewed;
});

test('a job that fails tells its own sender and nobody else', async () => {
  const { backlog, finish } = controlled(10);
  const bad = backlog.submit('bad', null);
  const good = backlog.submit('good', null);
  finish('bad');
  await assert.rejects(bad, /bad/);
  finish('good');
  assert.equal(await good, 'done good');
});

test('closing finishes what is there and takes nothing new', async () => {
  const { backlog, finish } = controlled(10);
  const running = backlog.submit('running', null);
  const waiting = backlog.submit('waiting', null);
  let closed = false;
  const closing = backlog.close().then(() => {
    closed = true;
  });
  assert.equal(await codeOf(backlog.submit('late', null)), '503 SHUTTING_DOWN');
  finish('running');
  await running;
  await nextTurn();
  assert.equal(closed, false);
  finish('waiting');
  await waiting;
  await closing;
});

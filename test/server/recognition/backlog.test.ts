import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { Backlog, type DropReason } from '../../../server/recognition/backlog.ts';
import { seededRandom } from '../../kernels/random.ts';

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

function shuffle(names: string[], random: () => number): void {
  for (let i = names.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [names[i], names[j]] = [names[j]!, names[i]!];
  }
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

/** Every board sends a frame a second, `perSecond` of them are looked at; how often each had its turn. */
async function overload(boards: number, perSecond: number, seconds: number, order: 'fixed' | 'changing') {
  const turns = new Map<string, number>();
  let finish = () => {};
  const backlog = new Backlog<string, string>({
    limit: 64,
    concurrency: 1,
    run: (job) =>
      new Promise((resolve) => {
        turns.set(job, (turns.get(job) ?? 0) + 1);
        finish = () => resolve(job);
      }),
  });
  const names = Array.from({ length: boards }, (_, i) => `board ${i}`);
  const random = seededRandom(7);
  for (let second = 0; second < seconds; second++) {
    if (order === 'changing') shuffle(names, random);
    for (const [i, name] of names.entries()) {
      backlog.submit(name, name).catch(() => {});
      assert.ok(backlog.depth <= 64);
      if (i % (boards / perSecond) === 0) {
        finish();
        await nextTurn();
      }
    }
  }
  return names.map((name) => turns.get(name) ?? 0);
}

for (const order of ['fixed', 'changing'] as const)
  test(`a thousand boards share a tenth of what they ask for evenly, where they send in ${order} order`, async () => {
    const turns = await overload(1000, 100, 40, order);
    // Forty seconds are four rounds of all. First come first served alone gives some of them forty turns and most of them none.
    assert.ok(Math.min(...turns) >= 3, `least ${Math.min(...turns)}`);
    assert.ok(Math.max(...turns) <= 6, `most ${Math.max(...turns)}`);
  });

test('a source that sends at full speed has one turn in a round, as everybody', async () => {
  const { backlog, started, finish } = controlled(10);
  void backlog.submit('first', null);
  for (const name of ['a', 'b', 'c']) {
    for (let i = 0; i < 20; i++) backlog.submit(`flood ${i}`, 'flooder').catch(() => {});
    void backlog.submit(name, name);
  }
  for (let i = 0; i < 20; i++) backlog.submit(`flood ${i}`, 'flooder').catch(() => {});
  for (const job of ['first', 'flood 19', 'a', 'b', 'c']) {
    assert.equal(started.at(-1), job);
    finish(job);
    await nextTurn();
  }
});

test('where the line is full, the source that had its turn last gives way to one that waited longer', async () => {
  const { backlog, drops, started, finish } = controlled(2);
  for (const name of ['patient', 'other', 'eager']) void backlog.submit(name, name);
  for (const name of ['patient', 'other']) {
    finish(name);
    await nextTurn();
  }
  const again = backlog.submit('eager again', 'eager');
  void backlog.submit('other again', 'other');
  void backlog.submit('patient again', 'patient');
  assert.equal(await codeOf(again), '429 OVERLOADED');
  assert.deepEqual(drops, ['overloaded']);
  for (const job of ['eager', 'patient again', 'other again']) {
    assert.equal(started.at(-1), job);
    finish(job);
    await nextTurn();
  }
});

test('the source whose last turn is longest ago is next, and single pictures go in turns with sources', async () => {
  const { backlog, started, finish } = controlled(10);
  for (const name of ['early', 'late']) void backlog.submit(name, name);
  finish('early');
  await nextTurn();
  void backlog.submit('early again', 'early');
  void backlog.submit('late again', 'late');
  for (const name of ['single 1', 'single 2', 'single 3']) void backlog.submit(name, null);
  for (const job of ['late', 'single 1', 'early again', 'single 2', 'late again', 'single 3']) {
    assert.equal(started.at(-1), job);
    finish(job);
    await nextTurn();
  }
});

test('boards leave half of the line to single pictures, and single pictures half of it to boards', async () => {
  const { backlog, drops } = controlled(4);
  void backlog.submit('running', null);
  const boards = ['a', 'b', 'c', 'd'].map((name) => backlog.submit(name, name));
  const singles = ['1', '2', '3'].map((name) => backlog.submit(name, null));
  assert.equal(await codeOf(boards[3]!), '429 OVERLOADED');
  assert.equal(await codeOf(boards[2]!), '429 OVERLOADED');
  assert.equal(await codeOf(singles[2]!), '429 OVERLOADED');
  assert.equal(backlog.depth, 4);

  const full = controlled(4);
  void full.backlog.submit('running', null);
  const many = ['1', '2', '3', '4'].map((name) => full.backlog.submit(name, null));
  void full.backlog.submit('a', 'a');
  assert.equal(await codeOf(many[3]!), '429 OVERLOADED');
  assert.deepEqual([drops.length, full.drops], [3, ['overloaded']]);
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

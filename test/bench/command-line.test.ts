import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine, wholeNumber } from '../../bench/command-line.ts';
import { straightLine } from '../../bench/line.ts';

test('names, switches and options may come in any order', () => {
  assert.deepEqual(
    parseCommandLine(['memory', '--count', '500', '--write', 'index', '--strict', '--faces=a=b']),
    {
      names: ['memory', 'index'],
      write: true,
      strict: true,
      options: { count: '500', faces: 'a=b' },
    },
  );
});

test('an option without its value is an error that names it', () => {
  assert.throws(() => parseCommandLine(['--count']), /--count: expected a value after it, received nothing/);
  assert.throws(() => parseCommandLine(['--count', '--write']), /received --write/);
});

test('a number that is none, or out of range, is an error that says what was expected', () => {
  assert.equal(wholeNumber({}, 'count', 7, 1, 10), 7);
  assert.equal(wholeNumber({ count: '10' }, 'count', 7, 1, 10), 10);
  for (const count of ['11', '0', '-1', '1.5', '1e1', 'many', ''])
    assert.throws(
      () => wholeNumber({ count }, 'count', 7, 1, 10),
      /--count: expected a whole number from 1 to 10/,
    );
});

test('a straight line goes through points that lie on one, and through the middle of others', () => {
  assert.deepEqual(
    straightLine([
      [0, 1],
      [2, 5],
      [4, 9],
    ]),
    { slope: 2, intercept: 1 },
  );
  const { slope } = straightLine([
    [0, 0],
    [1, 10],
    [2, 0],
  ]);
  assert.equal(slope, 0);
  assert.throws(() => straightLine([[1, 2]]), /at least two/);
});

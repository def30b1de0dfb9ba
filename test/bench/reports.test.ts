import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Figure, type Report, spreadFigure } from '../../bench/harness.ts';
import { ofNewestDay } from '../../bench/readme-tables.ts';
import { compareReports, readReports, summariseTargets, writeReports } from '../../bench/reports.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facepool-test-reports-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const report = (bench: string, figures: readonly Figure[]): Report => ({
  bench,
  date: '2026-01-02T03:04:05.000Z',
  machine: 'a machine',
  loadAverageAtStart: 0,
  loadAverageAtEnd: 0,
  figures,
  notes: [],
  skipped: [],
});

test('two reports are compared by their medians, with the range that the repeats allow', () => {
  const first = report('index', [spreadFigure('search', 'ms', [9, 10, 12])]);
  const second = report('index', [spreadFigure('search', 'ms', [4, 5, 6])]);
  const [figure] = compareReports([first], [second]).comparisons;
  assert.ok(figure);
  assert.equal(figure.ratio, 0.5);
  assert.equal(figure.lowest, 4 / 12);
  assert.equal(figure.highest, 6 / 9);
  assert.equal(figure.beyondSpread, true);
});

test('a change within the spread of the repeats is not called one', () => {
  const first = report('index', [spreadFigure('search', 'ms', [9, 10, 12])]);
  const second = report('index', [spreadFigure('search', 'ms', [10, 11, 13])]);
  assert.equal(compareReports([first], [second]).comparisons[0]!.beyondSpread, false);
});

test('single values have a ratio and no spread', () => {
  const value = (number: number) =>
    report('memory', [{ name: 'RSS', unit: 'MiB', value: number } satisfies Figure]);
  const [figure] = compareReports([value(100)], [value(110)]).comparisons;
  assert.ok(figure && Math.abs(figure.ratio - 1.1) < 1e-12);
  assert.equal(figure.beyondSpread, null);
});

test('figures of one side only are named, and the same name in two benches is two figures', () => {
  const first = [report('a', [spreadFigure('x', 'ms', [1])]), report('b', [spreadFigure('x', 'ms', [2])])];
  const second = [report('a', [spreadFigure('x', 'ms', [1])]), report('c', [spreadFigure('y', 'ms', [3])])];
  const { comparisons, unmatched } = compareReports(first, second);
  assert.equal(comparisons.length, 1);
  assert.deepEqual(unmatched, ['b: x, ms (only in the first)', 'c: y, ms (only in the second)']);
});

test('targets are counted over all benches, and missed ones named', () => {
  const { line, missed } = summariseTargets([
    report('a', [spreadFigure('fast', 'ms', [1], { atMost: 2 }), spreadFigure('plain', 'ms', [1])]),
    report('b', [spreadFigure('slow', 'ms', [3], { atMost: 2 })]),
  ]);
  assert.equal(line, '1 of 2 targets met');
  assert.deepEqual(missed, ['b: slow']);
});

test('written reports are read back by path and by name', async () => {
  const reports = [report('a', [spreadFigure('x', 'ms', [1, 2, 3])])];
  const path = await writeReports('all', reports, { folder });
  assert.match(path, /\d{4}-\d\d-\d\d-all\.json$/);
  // JSON leaves out what is undefined.
  const asWritten = JSON.parse(JSON.stringify(reports));
  assert.deepEqual(await readReports(path), asWritten);
  assert.deepEqual(await readReports(path.split('/').at(-1)!.replace('.json', ''), folder), asWritten);
});

test('a file that is not there, or holds something else, is said to be so', async () => {
  await assert.rejects(readReports('nothing-there', folder), /nothing-there: expected a file of results/);
  await writeFile(join(folder, 'other.json'), '{"a": 1}');
  await assert.rejects(readReports('other', folder), /expected a report/);
});

const figure = (name: string, value: number): Figure => ({ name, value, unit: 'ms' });

const at = (date: string, durationS: number | undefined, ...figures: Figure[]): Report => ({
  ...report('index', figures),
  date,
  durationS,
});

test('of several reports of the newest day each figure is that of the longest run that has it', () => {
  const [merged, ...others] = ofNewestDay([
    at('2026-01-01T20:00:00.000Z', 900, figure('search', 1), figure('of yesterday', 1)),
    at('2026-01-02T03:00:00.000Z', undefined, figure('search', 2), figure('of that run alone', 2)),
    at('2026-01-02T04:00:00.000Z', 300, figure('search', 3)),
    at('2026-01-02T05:00:00.000Z', 60, figure('search', 4)),
  ]);
  assert.deepEqual(others, []);
  assert.deepEqual(
    merged!.figures.map(({ name, value }) => [name, value]),
    [
      ['search', 3],
      ['of that run alone', 2],
    ],
  );
});

test('of runs that are about equally long the newest counts', () => {
  const [merged] = ofNewestDay([
    at('2026-01-02T04:00:00.000Z', 80, figure('search', 1)),
    at('2026-01-02T05:00:00.000Z', 79, figure('search', 2)),
    at('2026-01-02T03:00:00.000Z', 79, figure('search', 3)),
  ]);
  assert.deepEqual(merged!.figures, [figure('search', 2)]);
});

/** Reports on the disk, and two of them side by side. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './command-line.ts';
import { type Figure, type Report, reachesTarget } from './harness.ts';

export const RESULTS_FOLDER = fileURLToPath(new URL('./results', import.meta.url));

interface ReportSet {
  readonly date: string;
  readonly benches: readonly Report[];
}

/** Writes `<date>-<name>.json` with all of the reports, over what stands there. @returns its path */
export async function writeReports(
  name: string,
  benches: readonly Report[],
  { folder = RESULTS_FOLDER, date = new Date() }: { readonly folder?: string; readonly date?: Date } = {},
): Promise<string> {
  const day = date.toISOString().slice(0, 10);
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${day}-${name}.json`);
  const set: ReportSet = { date: date.toISOString(), benches };
  await writeFile(path, `${JSON.stringify(set, null, 2)}\n`);
  return path;
}

/**
 * @param name a path, or the name of a file in the folder of results, with or without `.json`
 * @throws UsageError where there is no such file, or it holds something else
 */
export async function readReports(name: string, folder: string = RESULTS_FOLDER): Promise<Report[]> {
  const candidates = [name, join(folder, name), join(folder, `${basename(name, '.json')}.json`)];
  for (const path of candidates) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text === null) continue;
    const content = JSON.parse(text) as Partial<ReportSet & Report>;
    if (content.benches) return [...content.benches];
    if (content.figures) return [content as Report];
    throw new UsageError(`${path}: expected a report of npm run bench`);
  }
  throw new UsageError(`${name}: expected a file of results, found none there or in bench/results`);
}

export interface Comparison {
  readonly bench: string;
  readonly name: string;
  readonly unit: string;
  readonly first: number;
  readonly second: number;
  /** Second median through first, and how far apart and how close the repeats would put it. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  /** Whether even the repeats nearest to each other differ in the direction of the medians; null for figures without repeats. */
  readonly beyondSpread: boolean | null;
}

export interface ComparedReports {
  readonly comparisons: readonly Comparison[];
  /** Figures that only one of the two has. */
  readonly unmatched: readonly string[];
}

export function compareReports(first: readonly Report[], second: readonly Report[]): ComparedReports {
  const before = figuresByName(first);
  const after = figuresByName(second);
  const comparisons: Comparison[] = [];
  for (const [key, { bench, figure }] of before) {
    const other = after.get(key)?.figure;
    if (other) comparisons.push(compareFigures(bench, figure, other));
  }
  const unmatched = [
    ...[...before.keys()].filter((key) => !after.has(key)).map((key) => `${key} (only in the first)`),
    ...[...after.keys()].filter((key) => !before.has(key)).map((key) => `${key} (only in the second)`),
  ];
  return { comparisons, unmatched };
}

function figuresByName(reports: readonly Report[]) {
  return new Map(
    reports.flatMap(({ bench, figures }) =>
      figures.map((figure) => [`${bench}: ${figure.name}, ${figure.unit}`, { bench, figure }] as const),
    ),
  );
}

function compareFigures(bench: string, first: Figure, second: Figure): Comparison {
  const ratio = second.value / first.value;
  const repeated = first.min !== undefined && second.min !== undefined;
  const lowest = repeated ? second.min! / first.max! : ratio;
  const highest = repeated ? second.max! / first.min! : ratio;
  return {
    bench,
    name: first.name,
    unit: first.unit,
    first: first.value,
    second: second.value,
    ratio,
    lowest,
    highest,
    beyondSpread: repeated ? lowest > 1 || highest < 1 : null,
  };
}

/** `3 of 4 targets met`, with the names of those that were missed. */
export function summariseTargets(reports: readonly Report[]): { line: string; missed: string[] } {
  const judged = reports.flatMap(({ bench, figures }) =>
    figures.flatMap((figure) => {
      const reached = reachesTarget(figure);
      return reached === null ? [] : [{ name: `${bench}: ${figure.name}`, reached }];
    }),
  );
  const missed = judged.filter(({ reached }) => !reached).map(({ name }) => name);
  return { line: `${judged.length - missed.length} of ${judged.length} targets met`, missed };
}

/** `node bench/readme-tables.ts`: writes the tables of both READMEs that are made from code and from bench/results/. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { CalibrationRow } from '../models/calibration.ts';
import { embedderModels } from '../models/manifest.ts';
import { settingsTable } from '../server/settings.ts';
import { type Figure, format, type Report, reachesTarget, targetWords } from './harness.ts';
import { RESULTS_FOLDER, readReports } from './reports.ts';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const MODELS_README = fileURLToPath(new URL('../models/README.md', import.meta.url));

/** Puts a text between `<!-- name -->` and `<!-- /name -->`. */
export function fillSection(readme: string, name: string, text: string): string {
  const open = `<!-- ${name} -->`;
  const close = `<!-- /${name} -->`;
  const start = readme.indexOf(open);
  const end = readme.indexOf(close);
  if (start === -1 || end < start) throw new Error(`README.md: expected ${open} and ${close}`);
  return `${readme.slice(0, start)}${open}\n${text.trim()}\n${readme.slice(end)}`;
}

async function allReports(): Promise<Report[]> {
  const files = (await readdir(RESULTS_FOLDER)).filter((name) => name.endsWith('.json'));
  return (await Promise.all(files.map((file) => readReports(file)))).flat();
}

/** Of the longest run: as long as that, but for the machine's mood. */
const EQUALLY_LONG = 0.9;

/**
 * Of each bench one report of its newest day. Where that day has several, each figure is that of the longest run which has it, of about
 * equally long ones the newest: a run of all benches is made with fewer repeats than one of a single bench.
 */
export function ofNewestDay(reports: readonly Report[]): Report[] {
  const merged: Report[] = [];
  const dayOf = ({ date }: Report) => date.slice(0, 10);
  for (const [bench, ofBench = []] of Object.entries(Object.groupBy(reports, (report) => report.bench))) {
    const day = ofBench.map(dayOf).sort().at(-1);
    const ofDay = ofBench.filter((report) => dayOf(report) === day);
    const longestS = Math.max(...ofDay.map(({ durationS = 0 }) => durationS));
    const lengthOf = ({ durationS = 0 }: Report) => Math.min(durationS, EQUALLY_LONG * longestS);
    const [longest, ...shorter] = ofDay.sort(
      (a, b) => lengthOf(b) - lengthOf(a) || b.date.localeCompare(a.date),
    );
    const figures = new Map<string, Figure>();
    for (const figure of [longest!, ...shorter].flatMap((report) => report.figures))
      if (!figures.has(figure.name)) figures.set(figure.name, figure);
    merged.push({ ...longest!, bench, figures: [...figures.values()] });
  }
  return merged.sort((a, b) => a.bench.localeCompare(b.bench));
}

/** Every figure that something was promised for, met or not. */
export function figuresTable(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ bench, figures }) =>
    figures.filter(isPromised).map((figure) => figureRow(bench, figure)),
  );
  const machines = [...new Set(reports.map(({ machine, date }) => `${machine}, ${date.slice(0, 10)}`))];
  return [
    `Every figure that something was promised for, of each bench's newest day (${machines.join('; ')}; a shared machine: medians).`,
    '',
    '| bench | figure | measured | promised | |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const isPromised = ({ target }: Figure): boolean =>
  target?.atMost !== undefined || target?.atLeast !== undefined;

function figureRow(bench: string, figure: Figure): string {
  const { name, value, unit, target } = figure;
  return `| ${bench} | ${name} | ${format(value)} ${unit} | ${targetWords(target!)} | ${reachesTarget(figure) ? 'met' : 'missed'} |`;
}

/** What stands behind each embedder's similarities, as the manifest has it. */
export function calibrationTable(): string {
  const rows = embedderModels.flatMap(({ id, calibration }) => [
    ...calibration.rows.map((row) => calibrationRow(id, row.falseMatchRate.toExponential(0), row)),
    calibrationRow(
      id,
      `none seen; stated: at most ${calibration.operatingPoint.falseMatchRate.toExponential(0)}`,
      calibration.operatingPoint,
    ),
  ]);
  return [
    '| embedder | false match rate | similarity | true match rate | impostor trials | genuine trials |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const calibrationRow = (id: string, rate: string, row: CalibrationRow): string =>
  `| ${id} | ${rate} | ${row.similarity.toFixed(3)} | ${row.trueMatchRate.toFixed(3)} | ${row.impostorTrials} | ${row.genuineTrials} |`;

if (import.meta.main) {
  const models = await readFile(MODELS_README, 'utf8');
  await writeFile(MODELS_README, fillSection(models, 'calibration', calibrationTable()));
  let readme = await readFile(README, 'utf8');
  readme = fillSection(readme, 'settings', settingsTable());
  readme = fillSection(readme, 'figures', figuresTable(ofNewestDay(await allReports())));
  await writeFile(README, readme);
}

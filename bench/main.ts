/**
 * `npm run bench`: what was promised, measured. `-- <name> [...]` runs those benches, `-- all` every one and writes one dated file,
 * `-- compare <results> <results>` puts two files side by side. `--write` keeps the results, in one dated file; `--strict` ends with 1
 * where a target was missed; any other `--option value` goes to the benches.
 */
import { fork } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type CommandLine, parseCommandLine, UsageError } from './command-line.ts';
import { format, type Report, Reporter } from './harness.ts';
import { compareReports, readReports, summariseTargets, writeReports } from './reports.ts';

interface Bench {
  readonly title: string;
  run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void>;
}

/** In the order of the promises. */
const USUAL = ['recognition', 'scaling', 'http', 'index', 'startup', 'memory'] as const;

try {
  await main(parseCommandLine(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
}

async function main(line: CommandLine): Promise<void> {
  const { names, strict } = line;
  if (names[0] === 'compare') return compare(names.slice(1));
  const present = await presentBenches();
  const wanted = choose(names, present);
  // A process of its own for each of several: none inherits the heap and the threads of the one before.
  const file = names[0] === 'all' ? 'all' : names.join('-') || 'usual';
  const date = new Date();
  const keep = async (reports: readonly (Report | null)[]): Promise<string> =>
    writeReports(
      file,
      reports.filter((report) => report !== null),
      { date },
    );
  const isKept = !process.send && (names[0] === 'all' || line.write);
  const outcomes =
    wanted.length > 1
      ? await runApart(wanted, line, isKept ? keep : null)
      : [await runHere(wanted[0]!, line)];
  const reports = outcomes.filter((report) => report !== null);
  if (process.send) return;
  const failed = wanted.filter((_, i) => outcomes[i] === null);
  if (failed.length > 0) {
    console.log(`\nended with an error: ${failed.join(', ')}`);
    process.exitCode = 1;
  }
  const { line: summary, missed } = summariseTargets(reports);
  console.log(`\n${summary}${missed.map((name) => `\n  missed: ${name}`).join('')}`);
  if (strict && missed.length > 0) process.exitCode = 1;
  if (isKept) console.log(`written: ${await keep(outcomes)}`);
}

function choose(names: readonly string[], present: readonly string[]): string[] {
  if (names.length === 0) return USUAL.filter((name) => present.includes(name));
  if (names[0] === 'all') {
    const others = present.filter((name) => !(USUAL as readonly string[]).includes(name));
    return [...USUAL.filter((name) => present.includes(name)), ...others];
  }
  for (const name of names)
    if (!present.includes(name))
      throw new UsageError(
        `bench: expected one of ${[...present, 'all', 'compare'].join(', ')}, received ${name}`,
      );
  return [...names];
}

async function presentBenches(): Promise<string[]> {
  const files = await readdir(fileURLToPath(new URL('.', import.meta.url)));
  return files.flatMap((file) => /^([a-z-]+)\.bench\.ts$/.exec(file)?.[1] ?? []).sort();
}

async function runHere(name: string, { options }: CommandLine): Promise<Report> {
  const bench = (await import(new URL(`./${name}.bench.ts`, import.meta.url).href)) as Bench;
  const reporter = new Reporter(name);
  console.log(`  ${bench.title}`);
  await bench.run(reporter, options);
  const report = reporter.report();
  console.log(`  took ${report.durationS} s, load at the end ${report.loadAverageAtEnd.toFixed(2)}`);
  if (process.send) {
    await new Promise<void>((resolve) => process.send!(report, () => resolve()));
    process.disconnect();
  }
  return report;
}

/**
 * Null for a bench that ended with an error; what it printed says which.
 * @param keep called after each, so that an interrupted run of an hour leaves what it had
 */
async function runApart(
  names: readonly string[],
  { options }: CommandLine,
  keep: ((reports: readonly (Report | null)[]) => Promise<unknown>) | null,
): Promise<(Report | null)[]> {
  const reports: (Report | null)[] = [];
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  for (const name of names) {
    reports.push(await runChild([name, ...words]));
    await keep?.(reports);
  }
  return reports;
}

function runChild(words: readonly string[]): Promise<Report | null> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), words, { stdio: 'inherit' });
    let report: Report | null = null;
    child.on('message', (message) => {
      report = message as Report;
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code === 0 ? report : null));
  });
}

async function compare(names: readonly string[]): Promise<void> {
  const [first, second] = names;
  if (first === undefined || second === undefined || names.length > 2)
    throw new UsageError(`compare: expected two files of results, received ${names.length}`);
  const { comparisons, unmatched } = compareReports(await readReports(first), await readReports(second));
  console.log(`\nsecond median / first median, and the range that the repeats allow`);
  let bench = '';
  for (const figure of comparisons) {
    if (figure.bench !== bench) console.log(`\n${figure.bench}`);
    bench = figure.bench;
    const range =
      figure.beyondSpread === null
        ? 'single values'
        : `${figure.lowest.toFixed(2)} to ${figure.highest.toFixed(2)}${figure.beyondSpread ? ', beyond the spread' : ''}`;
    console.log(
      `  ${figure.name}: ${format(figure.first)} -> ${format(figure.second)} ${figure.unit}, ratio ${figure.ratio.toFixed(3)} (${range})`,
    );
  }
  for (const name of unmatched) console.log(`  ${name}`);
}

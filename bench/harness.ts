/** How every benchmark measures and reports: warm-up, repeats, medians with their spread, the conditions, one JSON per run. */
import { cpus, loadavg, totalmem } from 'node:os';

/** One figure of a run. `target` is what it has to reach, if anything was promised. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Smallest and largest of the repeats, where there were several. */
  readonly min?: number;
  readonly max?: number;
  readonly repeats?: number;
  readonly target?: { readonly atMost?: number; readonly atLeast?: number };
}

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly repeats: number;
  /** Each repeat, in the order they were run. */
  readonly timesMs: readonly number[];
}

export interface TimingOptions {
  readonly warmUps?: number;
  readonly repeats?: number;
}

/** Runs a body several times after a warm-up; what it gives back is handed to `check`, so that nothing is measured that is wrong. */
export async function timeRepeats<T>(
  body: () => T | Promise<T>,
  check: (result: T) => void,
  { warmUps = 3, repeats = 15 }: TimingOptions = {},
): Promise<Timing> {
  for (let i = 0; i < warmUps; i++) check(await body());
  const timesMs: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const result = await body();
    timesMs.push(performance.now() - start);
    check(result);
  }
  return summarise(timesMs);
}

/** Several bodies in turn, A B A B ...: what the machine does meanwhile meets all of them alike. */
export async function timeInterleaved<T>(
  bodies: readonly { readonly body: () => T | Promise<T>; readonly check: (result: T) => void }[],
  { warmUps = 2, repeats = 9 }: TimingOptions = {},
): Promise<Timing[]> {
  const timesMs: number[][] = bodies.map(() => []);
  for (let round = 0; round < warmUps + repeats; round++) {
    for (const [i, { body, check }] of bodies.entries()) {
      const start = performance.now();
      const result = await body();
      if (round >= warmUps) timesMs[i]!.push(performance.now() - start);
      check(result);
    }
  }
  return timesMs.map(summarise);
}

export function summarise(timesMs: readonly number[]): Timing {
  const sorted = [...timesMs].sort((first, second) => first - second);
  return {
    medianMs: median(sorted),
    minMs: sorted[0]!,
    maxMs: sorted.at(-1)!,
    repeats: sorted.length,
    timesMs,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((first, second) => first - second);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const timingFigure = (name: string, timing: Timing, target?: Figure['target']): Figure => ({
  name,
  unit: 'ms',
  value: timing.medianMs,
  min: timing.minMs,
  max: timing.maxMs,
  repeats: timing.repeats,
  target,
});

/** What a repeat of one body took against the repeat of another in the same round of `timeInterleaved`. */
export function ratioFigure(name: string, slower: Timing, faster: Timing, target?: Figure['target']): Figure {
  const ratios = slower.timesMs.map((timeMs, i) => timeMs / faster.timesMs[i]!);
  return spreadFigure(name, 'times', ratios, target);
}

/** The median of several measurements, with the smallest and the largest. */
export const spreadFigure = (
  name: string,
  unit: string,
  values: readonly number[],
  target?: Figure['target'],
): Figure => ({
  name,
  unit,
  value: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
  repeats: values.length,
  target,
});

/** @throws Error where a benchmark's result is not what it has to be: its time would mean nothing */
export function verify(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`the benchmark's result is wrong: ${what}`);
}

export interface Report {
  readonly bench: string;
  readonly date: string;
  readonly machine: string;
  readonly loadAverageAtStart: number;
  readonly loadAverageAtEnd: number;
  /** Missing in results of before it was kept. */
  readonly durationS?: number;
  readonly figures: readonly Figure[];
  /** Conditions in words. */
  readonly notes: readonly string[];
  /** What could not be measured here, and why. */
  readonly skipped: readonly string[];
}

/** Prints figures as they come and collects them. */
export class Reporter {
  readonly #figures: Figure[] = [];
  readonly #notes: string[] = [];
  readonly #skipped: string[] = [];
  readonly #bench: string;
  readonly #loadAverageAtStart = loadavg()[0]!;
  readonly #startMs = performance.now();

  constructor(bench: string) {
    this.#bench = bench;
    console.log(`\n${bench} (${machine()}, load ${this.#loadAverageAtStart.toFixed(2)})`);
  }

  note(line: string): void {
    this.#notes.push(line);
    console.log(`  ${line}`);
  }

  skip(what: string): void {
    this.#skipped.push(what);
    console.log(`  skipped: ${what}`);
  }

  /** Keeps a figure for the file of results without printing it. */
  record(figure: Figure): void {
    this.#figures.push(figure);
  }

  add(figure: Figure): void {
    this.record(figure);
    const spread =
      figure.min === undefined
        ? ''
        : ` (${format(figure.min)} to ${format(figure.max!)}, ${figure.repeats} runs)`;
    console.log(`  ${figure.name}: ${format(figure.value)} ${figure.unit}${spread}${verdict(figure)}`);
  }

  report(): Report {
    return {
      bench: this.#bench,
      date: new Date().toISOString(),
      machine: machine(),
      loadAverageAtStart: this.#loadAverageAtStart,
      loadAverageAtEnd: loadavg()[0]!,
      durationS: Math.round((performance.now() - this.#startMs) / 1000),
      figures: this.#figures,
      notes: this.#notes,
      skipped: this.#skipped,
    };
  }
}

/** Whether a figure reaches its target; null where it has none. */
export function reachesTarget({ value, target }: Figure): boolean | null {
  if (target?.atMost !== undefined) return value <= target.atMost;
  if (target?.atLeast !== undefined) return value >= target.atLeast;
  return null;
}

function verdict(figure: Figure): string {
  const reached = reachesTarget(figure);
  if (reached === null) return '';
  return `, ${targetWords(figure.target!)}: ${reached ? 'met' : 'MISSED'}`;
}

/** What was promised; a third, or a limit that was itself measured, with no more digits than tell anything. */
export function targetWords({ atMost, atLeast }: NonNullable<Figure['target']>): string {
  const limit = Number((atMost ?? atLeast)!.toPrecision(4));
  return atMost === undefined ? `at least ${limit}` : `at most ${limit}`;
}

export const format = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(2) : value.toPrecision(3);

export const machine = (): string =>
  `${cpus().length} x ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;

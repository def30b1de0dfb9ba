/** A line over time, and around means a band from the least to the most. Plain SVG: the views need nothing of a chart library but this. */
import { useMemo, useState } from 'preact/hooks';
import { timeWords } from '../clock.ts';

export interface PlotPoint {
  readonly atMs: number;
  readonly value: number;
  /** Of what the value is the mean of; the value itself where it is none. */
  readonly least: number;
  readonly most: number;
}

export interface PlotProps {
  readonly name: string;
  /** In the order of time; at least one. */
  readonly points: readonly PlotPoint[];
  readonly fromMs: number;
  readonly untilMs: number;
}

const WIDTH = 600;
const HEIGHT = 120;
/** More than the pixels of a small plot: what is between cannot be seen. */
const MOST_COLUMNS = 300;
/** A silence so many times as long as usual is a gap in the line. */
const GAP_FACTOR = 5;

export function Plot({ name, points, fromMs, untilMs }: PlotProps) {
  const [pointed, setPointed] = useState<PlotPoint | null>(null);
  const { least, most } = useMemo(() => rangeOf(points), [points]);
  const x = (atMs: number) => (WIDTH * (atMs - fromMs)) / (untilMs - fromMs);
  const y = (value: number) => HEIGHT - 4 - ((HEIGHT - 8) * (value - least)) / (most - least || 1);
  const { line, band } = useMemo(() => {
    const lines = linesOf(thinned(points));
    const through = (part: readonly PlotPoint[], of: (point: PlotPoint) => number) =>
      part.map((each) => `${x(each.atMs).toFixed(1)} ${y(of(each)).toFixed(1)}`).join('L');
    return {
      line: lines.map((part) => `M${through(part, ({ value }) => value)}`).join(''),
      band: lines
        .filter((part) => part.some(({ least, most }) => least < most))
        .map(
          (part) =>
            `M${through(part, ({ most }) => most)}L${through(part.toReversed(), ({ least }) => least)}Z`,
        )
        .join(''),
    };
  }, [points, fromMs, untilMs]);
  const last = points.at(-1)!;
  const shown = pointed ?? last;

  function point(event: PointerEvent): void {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    const atMs = fromMs + ((event.clientX - left) / width) * (untilMs - fromMs);
    setPointed(points.reduce((a, b) => (Math.abs(b.atMs - atMs) < Math.abs(a.atMs - atMs) ? b : a)));
  }

  return (
    <figure class="card plot">
      <figcaption>
        <span class="strong">{name}</span>
        <span class="plot-value">
          {numberWords(shown.value)} <span class="muted small">{timeWords(shown.atMs)}</span>
        </span>
      </figcaption>
      <div class="plot-area" onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${name}: now ${numberWords(last.value)}, least ${numberWords(least)}, most ${numberWords(most)}, ${points.length} values`}
        >
          <path class="plot-grid" d={`M0 4H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 4}H${WIDTH}`} />
          <path class="plot-band" d={band} />
          <path class="plot-line" d={line} />
          {pointed && <path class="plot-cursor" d={`M${x(pointed.atMs)} 0V${HEIGHT}`} />}
        </svg>
        <span class="plot-most">{numberWords(most)}</span>
        <span class="plot-least">{numberWords(least)}</span>
      </div>
      <p class="plot-times muted small">
        <span>{timeWords(fromMs)}</span>
        <span>{timeWords(untilMs)}</span>
      </p>
    </figure>
  );
}

function rangeOf(points: readonly PlotPoint[]): { least: number; most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const point of points) {
    least = Math.min(least, point.least);
    most = Math.max(most, point.most);
  }
  return { least, most };
}

/** Of each column the least and the most: peaks stay, however many points there are. */
function thinned(points: readonly PlotPoint[]): readonly PlotPoint[] {
  if (points.length <= 2 * MOST_COLUMNS) return points;
  const perColumn = points.length / MOST_COLUMNS;
  const kept: PlotPoint[] = [];
  for (let column = 0; column < MOST_COLUMNS; column++) {
    const part = points.slice(Math.floor(column * perColumn), Math.floor((column + 1) * perColumn));
    const low = part.reduce((a, b) => (b.value < a.value ? b : a));
    const high = part.reduce((a, b) => (b.value > a.value ? b : a));
    kept.push(...(low.atMs <= high.atMs ? [low, high] : [high, low]));
  }
  return kept;
}

function linesOf(points: readonly PlotPoint[]): PlotPoint[][] {
  const pauses = points.slice(1).map(({ atMs }, i) => atMs - points[i]!.atMs);
  const usual = pauses.toSorted((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 0;
  const lines: PlotPoint[][] = [];
  for (const [i, each] of points.entries()) {
    if (i === 0 || pauses[i - 1]! > Math.max(1, usual) * GAP_FACTOR) lines.push([]);
    lines.at(-1)!.push(each);
  }
  return lines;
}

/** As many digits as tell something. */
function numberWords(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString();
  return String(Number(value.toPrecision(4)));
}

/** Numbers out of measurements, whatever shape a board gives them. */

export interface Reading {
  readonly receivedAt: string;
  /** As the board sent it. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Where `data` holds means: the least and the most of each number, by its path. */
  readonly least?: Readonly<Record<string, number>>;
  readonly most?: Readonly<Record<string, number>>;
}

export interface SeriesPoint {
  readonly atMs: number;
  readonly value: number;
  /** The same but for means. */
  readonly least: number;
  readonly most: number;
}

export interface Series {
  /** Path of the field: `temperature`, `air.humidity`. */
  readonly name: string;
  /** In the order of time. */
  readonly points: readonly SeriesPoint[];
}

const NOT_MEASURED = new Set(['deviceId', 'timestamp']);
const MAX_DEPTH = 3;
const MAX_SERIES = 24;

/** @param readings newest first */
export function seriesOf(readings: readonly Reading[]): Series[] {
  const series = new Map<string, SeriesPoint[]>();
  for (const { receivedAt, data, least, most } of readings.toReversed()) {
    const atMs = Date.parse(receivedAt);
    for (const [name, value] of numbersIn(data, '', 0)) {
      const points = series.get(name) ?? [];
      if (points.length === 0 && series.size >= MAX_SERIES) continue;
      points.push({ atMs, value, least: least?.[name] ?? value, most: most?.[name] ?? value });
      series.set(name, points);
    }
  }
  return [...series].map(([name, points]) => ({ name, points })).sort((a, b) => a.name.localeCompare(b.name));
}

function* numbersIn(data: object, prefix: string, depth: number): Generator<[string, number]> {
  for (const [name, value] of Object.entries(data)) {
    if (depth === 0 && NOT_MEASURED.has(name)) continue;
    if (typeof value === 'number' && Number.isFinite(value)) yield [prefix + name, value];
    else if (typeof value === 'object' && value !== null && depth < MAX_DEPTH)
      yield* numbersIn(value, `${prefix}${name}.`, depth + 1);
  }
}

/**
 * A gentle local tone step, as a yardstick: dark parts of a coarse grid are brightened, with a bound. Enhancement leaves it out, and the
 * figures of `quality` say why: where the light is even it takes decibels, and a frame alone does not tell shade from dark things.
 */
import type { Picture } from '../kernels/picture.ts';

const [columns, rows] = [4, 3];
const exponent = 0.3;
const mostGain = 1.5;

/** The picture with each cell raised towards the median cell by (median / mean)^0.3, at most x 1.5, bilinear between cells. */
export function withLocalTone({ width, height, data }: Picture): Picture {
  const gains = smoothed(cellMeans(width, height, data), (mean, median) =>
    Math.min(mostGain, Math.max(1, (median / Math.max(8, mean)) ** exponent)),
  );
  const toned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    const [row, down] = between(((y + 0.5) * rows) / height - 0.5, rows);
    for (let x = 0; x < width; x++) {
      const [column, across] = between(((x + 0.5) * columns) / width - 0.5, columns);
      const at = row * columns + column;
      const upper = gains[at]! + across * (gains[at + 1]! - gains[at]!);
      const lower = gains[at + columns]! + across * (gains[at + columns + 1]! - gains[at + columns]!);
      const gain = upper + down * (lower - upper);
      const i = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) toned[i + c] = Math.min(255, Math.round(data[i + c]! * gain));
    }
  }
  return { width, height, data: toned };
}

/** The cell before that place, and how far on towards the next. */
function between(place: number, cells: number): [cell: number, share: number] {
  const inside = Math.min(cells - 1, Math.max(0, place));
  const cell = Math.min(cells - 2, Math.floor(inside));
  return [cell, inside - cell];
}

/** Mean luma (BT.601) of every cell. */
function cellMeans(width: number, height: number, data: Uint8Array): Float64Array {
  const sums = new Float64Array(columns * rows);
  const counts = new Float64Array(columns * rows);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * 3;
      const cell = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
      sums[cell]! += 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!;
      counts[cell]!++;
    }
  }
  return sums.map((sum, cell) => sum / counts[cell]!);
}

/** Gains of the cells, each the mean of its neighbours' and its own. */
function smoothed(means: Float64Array, gainOf: (mean: number, median: number) => number): Float64Array {
  const median = means.slice().sort()[means.length >> 1]!;
  const gains = means.map((mean) => gainOf(mean, median));
  return gains.map((_, cell) => {
    const near = gains.filter(
      (_, other) =>
        Math.abs((other % columns) - (cell % columns)) <= 1 &&
        Math.abs(Math.floor(other / columns) - Math.floor(cell / columns)) <= 1,
    );
    return near.reduce((sum, gain) => sum + gain, 0) / near.length;
  });
}

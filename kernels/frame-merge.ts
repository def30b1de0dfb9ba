/** Merging a frame with what its camera showed before: where nothing moved, and nowhere else. */
import {
  cellVariances,
  changeFields,
  changesOf,
  type ExpectedNoise,
  independentValues,
} from './cell-noise.ts';
import type { EnhanceWorkspace, Plane } from './enhance-kernels.ts';
import { type FrameHistory, maxMergedFrames } from './frame-history.ts';
import { learnPassing, learnSpectrum } from './learnt-noise.ts';

export interface MergeReport {
  /** Share of the picture's cells that were merged with earlier frames. */
  readonly stillShare: number;
  /** Frames per cell, on average. */
  readonly meanFrames: number;
}

/** Mean square change of a cell of white noise relative to what is expected, up to which it counts as still: four standard deviations. */
const stillRatio = 1.7;
/** The same for its neighbours: an edge that moves into the cell next time shows there first. */
const stillNeighbourRatio = 2.6;
/** Square of a cell's mean change, relative to its expected variance: small faint changes add up there. */
const stillMeanRatio = 10;
/** Share of still cells from which on a frame teaches what noise looks like. */
const teachingShare = 0.7;
/** Colour differences have noise that depends on the colour more than the model knows; what moves shows in S as well. */
const chromaSlack = 2;

/** Merges the workspace's frame into `history`, and replaces it by the merged one. */
export function mergeWithHistory(
  workspace: EnhanceWorkspace,
  history: FrameHistory,
  noise: ExpectedNoise,
): MergeReport {
  const columns = workspace.width / 8;
  const rows = workspace.height / 8;
  const { kernels, planes } = workspace;
  planes.forEach((plane, i) => {
    workspace.bytes.set(history.planes[i]!, plane.merged - 16);
  });
  const ratios = new Float32Array(columns * rows);
  if (history.frames === 0) ratios.fill(Number.POSITIVE_INFINITY);
  else {
    for (const plane of planes) {
      kernels.cellChanges(plane.frame, plane.merged, plane.stride, plane.width, plane.height, plane.changes);
    }
    const variances = cellVariances(workspace, history.counts, noise);
    planes.forEach((plane, i) => {
      raiseRatios(
        workspace,
        plane,
        history.statistics(i),
        history.counts,
        variances[i]!,
        noise.spectra[i]!,
        ratios,
      );
    });
    const isStill = (cell: number) => ratios[cell]! <= stillRatio;
    let still = 0;
    for (let cell = 0; cell < ratios.length; cell++) if (isStill(cell)) still++;
    // Where much moves, what looks still moves a little as well.
    if (still >= teachingShare * ratios.length) {
      planes.forEach((plane, i) => {
        learnSpectrum(workspace, plane, history.statistics(i), isStill);
      });
    }
  }
  const report = chooseShares(
    workspace.integers16(workspace.shares, columns * rows),
    history.counts,
    ratios,
    columns,
    rows,
  );
  planes.forEach((plane, i) => {
    const shift = i === 0 ? 3 : 2;
    kernels.mergePlane(
      plane.frame,
      plane.merged,
      plane.stride,
      plane.width,
      plane.height,
      workspace.shares,
      columns,
      shift,
    );
    history.planes[i]!.set(
      workspace.bytes.subarray(plane.merged - 16, plane.merged - 16 + plane.mergedBytes),
    );
  });
  history.frames++;
  return report;
}

/** Raises each cell's ratio to what this plane shows, and learns which share of its noise changes from frame to frame. */
function raiseRatios(
  workspace: EnhanceWorkspace,
  plane: Plane,
  statistics: Float32Array,
  counts: Uint8Array,
  variances: Float32Array,
  spectrum: Float32Array,
  ratios: Float32Array,
): void {
  const step = workspace.width / plane.width;
  const columns = workspace.width / 8;
  const planeColumns = plane.width / 8;
  const planeCells = variances.length;
  const changes = changesOf(workspace, plane);
  const squares = new Float32Array(planeCells);
  const means = new Float32Array(planeCells);
  const lowFrequency = Math.max(1, spectrum[1]!);
  for (let y = 0, i = 0; i < planeCells; y++) {
    for (let x = 0, cell = y * step * columns; x < planeColumns; x++, i++, cell += step) {
      const noise = 64 * variances[i]! * (1 + 1 / Math.max(1, counts[cell]!));
      squares[i] = changes[changeFields * i]! / noise;
      means[i] = changes[changeFields * i + 1]! ** 2 / (noise * lowFrequency);
    }
  }
  const passing = learnPassing(statistics, medianOfSome(squares));
  // Uneven noise varies more from cell to cell, by the square root of this; slow motion hides there as well, so half of it is allowed.
  const narrowness = (independentValues(spectrum) / 64) ** 0.25;
  // Where much of the picture is clipped or does not dither, the median change is small, and says nothing about the rest.
  const expected = Math.max(1, passing) * (step === 1 ? 1 : chromaSlack);
  for (let y = 0, i = 0; i < planeCells; y++) {
    for (let x = 0, cell = y * step * columns; x < planeColumns; x++, i++, cell += step) {
      const ratio = Math.max(
        1 + (squares[i]! / expected - 1) * narrowness,
        (means[i]! * stillRatio) / stillMeanRatio / expected,
      );
      if (ratio > ratios[cell]!) ratios[cell] = ratio;
      if (step === 1) continue;
      for (const other of [cell + 1, cell + columns, cell + columns + 1])
        if (ratio > ratios[other]!) ratios[other] = ratio;
    }
  }
}

/** The median of about a thousand values spread over all of them: none of them is NaN. */
function medianOfSome(values: Float32Array): number {
  const step = Math.max(1, Math.floor(values.length / 1000));
  const some = new Float32Array(Math.ceil(values.length / step));
  for (let i = 0; i < some.length; i++) some[i] = values[i * step]!;
  return nthSmallest(some, some.length >> 1);
}

/**
 * What would stand at `place` in ascending order; the values change places. Hoare's selection: sorting all of them takes ten times as
 * long.
 */
function nthSmallest(values: Float32Array, place: number): number {
  let [left, right] = [0, values.length - 1];
  while (left < right) {
    const pivot = values[(left + right) >> 1]!;
    let [low, high] = [left, right];
    while (low <= high) {
      while (values[low]! < pivot) low++;
      while (values[high]! > pivot) high--;
      if (low > high) break;
      const value = values[low]!;
      values[low++] = values[high]!;
      values[high--] = value;
    }
    if (place <= high) right = high;
    else if (place >= low) left = low;
    else break;
  }
  return values[place]!;
}

/** Writes the new frame's share of each cell, x 32,768, and the new counts. */
function chooseShares(
  shares: Int16Array,
  counts: Uint8Array,
  ratios: Float32Array,
  columns: number,
  rows: number,
): MergeReport {
  // What moves is rare where merging is of use: it marks its neighbours, not the other way round.
  const restless = new Uint8Array(ratios.length);
  for (let cell = 0; cell < ratios.length; cell++) {
    if (ratios[cell]! > stillRatio) restless[cell] = 1;
    if (ratios[cell]! <= stillNeighbourRatio) continue;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
      for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++)
        restless[y * columns + x] = 1;
    }
  }
  let [still, frames] = [0, 0];
  for (let cell = 0; cell < ratios.length; cell++) {
    const count = restless[cell] ? 1 : Math.min(maxMergedFrames, counts[cell]! + 1);
    shares[cell] = Math.min(32_767, Math.round(32_768 / count));
    counts[cell] = count;
    if (!restless[cell]) still++;
    frames += count;
  }
  return { stillShare: still / ratios.length, meanFrames: frames / ratios.length };
}

/** Gives each block of the full plane's grid as many frames as the least merged cell that it touches. */
export function spreadCounts(workspace: EnhanceWorkspace, counts: Uint8Array): void {
  const columns = workspace.width / 8;
  const rows = workspace.height / 8;
  const { levelColumns, levelRows, bytes } = workspace;
  for (let y = 0; y < levelRows; y++) {
    const top = Math.max(0, (y - 1) >> 1) * columns;
    const bottom = Math.min(rows - 1, y >> 1) * columns;
    for (let x = 0; x < levelColumns; x++) {
      const left = Math.max(0, (x - 1) >> 1);
      const right = Math.min(columns - 1, x >> 1);
      const upper = Math.min(counts[top + left]!, counts[top + right]!);
      bytes[workspace.counts + y * levelColumns + x] = Math.min(
        upper,
        counts[bottom + left]!,
        counts[bottom + right]!,
      );
    }
  }
}

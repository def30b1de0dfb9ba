/** Merging a frame with what its camera showed before: where nothing moved, and nowhere else. */
import type { EnhanceWorkspace, Plane } from './enhance-kernels.ts';
import { type FrameHistory, maxMergedFrames } from './frame-history.ts';
import { learnPassing, learnSpectrum } from './learnt-noise.ts';

export interface MergeReport {
  /** Share of the picture's cells that were merged with earlier frames. */
  readonly stillShare: number;
  /** Frames per cell, on average. */
  readonly meanFrames: number;
}

/** What noise alone does. */
export interface ExpectedNoise {
  /** Variance of red, green and blue at each code 0 to 255, rounding included: [3][256]. */
  readonly channels: readonly Float32Array[];
  /** Per plane S, D, E: factor on what follows from that. */
  readonly scales: readonly number[];
  /** Per plane: variance of the lowest frequencies relative to the mean of all, 1 for white noise. */
  readonly lowFrequencies: readonly number[];
}

/** Mean square change of a cell relative to what noise alone makes, up to which it counts as still. */
const stillRatio = 1.7;
/** The same for its neighbours: an edge that moves into the cell next time shows there first. */
const stillNeighbourRatio = 2.6;
/** Square of a cell's mean change, relative to its expected variance: small faint changes add up there. */
const stillMeanRatio = 14;
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
    const variances = cellVariances(workspace, noise);
    planes.forEach((plane, i) => {
      raiseRatios(
        workspace,
        plane,
        history.statistics(i),
        history.counts,
        variances[i]!,
        noise.lowFrequencies[i]!,
        ratios,
      );
    });
    planes.forEach((plane, i) => {
      learnSpectrum(workspace, plane, history.statistics(i), (cell) => ratios[cell]! <= stillRatio);
    });
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

const changeFields = 3;

function changesOf(workspace: EnhanceWorkspace, plane: Plane): Int32Array {
  return workspace.integers32(plane.changes, changeFields * (plane.width / 8) * (plane.height / 8));
}

/** The variance to expect of S in each of its cells, and of D and E in theirs of twice the size, from the colour there. */
function cellVariances(workspace: EnhanceWorkspace, { channels, scales }: ExpectedNoise): Float32Array[] {
  const [s, d, e] = workspace.planes.map((plane) => changesOf(workspace, plane)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const columns = workspace.width / 8;
  const halfColumns = columns / 2;
  const variances = [
    new Float32Array(s.length / 3),
    new Float32Array(d.length / 3),
    new Float32Array(d.length / 3),
  ];
  const at = (channel: number, value: number) =>
    channels[channel]![value < 0 ? 0 : value > 255 ? 255 : Math.round(value)]!;
  for (let cell = 0; cell < variances[0]!.length; cell++) {
    const half = (Math.floor(cell / columns) >> 1) * halfColumns + ((cell % columns) >> 1);
    const mean = (s[3 * cell + 2]! / 64 + 382) / 3;
    const blueYellow = d[3 * half + 2]! / 64 / 4;
    const green = e[3 * half + 2]! / 64 / 6;
    const red = at(0, mean + blueYellow + green);
    const middle = at(1, mean - 2 * green);
    const blue = at(2, mean - blueYellow + green);
    variances[0]![cell] = scales[0]! * (red + middle + blue);
    // A quarter from each of the four cells.
    variances[1]![half]! += (scales[1]! * (red + blue)) / 4;
    variances[2]![half]! += (scales[2]! * (red + 4 * middle + blue)) / 16;
  }
  return variances;
}

/** Raises each cell's ratio to what this plane shows, and learns which share of its noise changes from frame to frame. */
function raiseRatios(
  workspace: EnhanceWorkspace,
  plane: Plane,
  statistics: Float32Array,
  counts: Uint8Array,
  variances: Float32Array,
  lowFrequency: number,
  ratios: Float32Array,
): void {
  const step = workspace.width / plane.width;
  const columns = workspace.width / 8;
  const planeColumns = plane.width / 8;
  const planeCells = variances.length;
  const changes = changesOf(workspace, plane);
  const squares = new Float32Array(planeCells);
  const means = new Float32Array(planeCells);
  for (let i = 0; i < planeCells; i++) {
    const cell = Math.floor(i / planeColumns) * step * columns + (i % planeColumns) * step;
    const expected = 64 * variances[i]! * (1 + 1 / Math.max(1, counts[cell]!));
    squares[i] = changes[changeFields * i]! / expected;
    means[i] = changes[changeFields * i + 1]! ** 2 / (expected * lowFrequency);
  }
  const passing = learnPassing(statistics, medianOfSome(squares));
  const slack = step === 1 ? 1 : chromaSlack;
  for (let i = 0; i < planeCells; i++) {
    const ratio = Math.max(squares[i]!, (means[i]! * stillRatio) / stillMeanRatio) / (passing * slack);
    const first = Math.floor(i / planeColumns) * step * columns + (i % planeColumns) * step;
    for (let y = 0; y < step; y++) {
      for (let x = 0; x < step; x++) {
        const cell = first + y * columns + x;
        if (ratio > ratios[cell]!) ratios[cell] = ratio;
      }
    }
  }
}

/** The median of about a thousand values spread over all of them. */
function medianOfSome(values: Float32Array): number {
  const step = Math.max(1, Math.floor(values.length / 1000));
  const some = new Float32Array(Math.ceil(values.length / step));
  for (let i = 0; i < some.length; i++) some[i] = values[i * step]!;
  return some.sort()[some.length >> 1]!;
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

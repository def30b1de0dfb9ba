/** What noise alone does to the cells of 8x8 elements that frames are compared in. */
import type { EnhanceWorkspace, Plane } from './enhance-kernels.ts';

/** What noise alone does. */
export interface ExpectedNoise {
  /** Variance of red, green and blue at each code 0 to 255, rounding included: [3][256]. */
  readonly channels: readonly Float32Array[];
  /** Per plane S, D, E: factor on what follows from that. */
  readonly scales: readonly number[];
  /** Per plane: the spectrum [64] relative to the mean of the higher frequencies, all 1 for white noise. */
  readonly spectra: readonly Float32Array[];
}

/** Fields of cellChanges per cell. */
export const changeFields = 4;

export function changesOf(workspace: EnhanceWorkspace, plane: Plane): Int32Array {
  return workspace.integers32(plane.changes, changeFields * (plane.width / 8) * (plane.height / 8));
}

/** Cells darker than this are taken to be no more varied than these: their noise hardly depends on their brightness. */
const leastMean = 8;

/**
 * The variance to expect of S in each of its cells, and of D and E in theirs of twice the size. It depends on brightness so steeply
 * that the mean of a cell with dark and bright parts says little: it is taken at the mean plus and minus the standard deviation.
 */
export function cellVariances(
  workspace: EnhanceWorkspace,
  counts: Uint8Array,
  { channels, scales }: ExpectedNoise,
): [Float32Array, Float32Array, Float32Array] {
  const [s, d, e] = workspace.planes.map((plane) => changesOf(workspace, plane)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const columns = workspace.width / 8;
  const halfColumns = columns / 2;
  const cells = s.length / changeFields;
  const variances: [Float32Array, Float32Array, Float32Array] = [
    new Float32Array(cells),
    new Float32Array(cells / 4),
    new Float32Array(cells / 4),
  ];
  const [reds, greens, blues] = channels as [Float32Array, Float32Array, Float32Array];
  const [scaleS, scaleD, scaleE] = scales as [number, number, number];
  const [varianceS, varianceD, varianceE] = variances;
  for (let cell = 0; cell < cells; cell++) {
    const half = (Math.floor(cell / columns) >> 1) * halfColumns + ((cell % columns) >> 1);
    const meanS = s[changeFields * cell + 2]! / 64;
    const mean = (meanS + 382) / 3;
    const blueYellow = d[changeFields * half + 2]! / 64 / 4;
    const green = e[changeFields * half + 2]! / 64 / 6;
    const r = mean + blueYellow + green;
    const g = mean - 2 * green;
    const b = mean - blueYellow + green;
    // What varies within the cell is the scene, and what noise the merged frames still have.
    const noise = (scaleS * (at(reds, r) + at(greens, g) + at(blues, b))) / Math.max(1, counts[cell]!);
    const scene = Math.max(0, s[changeFields * cell + 3]! / 64 - meanS ** 2 - noise);
    const spread = Math.sqrt(scene) / 3 / Math.max(leastMean, mean);
    const red = (at(reds, r * (1 + spread)) + at(reds, r * (1 - spread))) / 2;
    const middle = (at(greens, g * (1 + spread)) + at(greens, g * (1 - spread))) / 2;
    const blue = (at(blues, b * (1 + spread)) + at(blues, b * (1 - spread))) / 2;
    varianceS[cell] = scaleS * (red + middle + blue);
    // A quarter from each of the four cells.
    varianceD[half]! += (scaleD * (red + blue)) / 4;
    varianceE[half]! += (scaleE * (red + 4 * middle + blue)) / 16;
  }
  return variances;
}

/** Of a code beyond 0 to 255 that of the nearest; rounded by cutting off, which costs no branch that noise makes unpredictable. */
const at = (variances: Float32Array, code: number): number =>
  variances[code < 0 ? 0 : code > 255 ? 255 : (code + 0.5) | 0]!;

/** How many independent values a cell's 64 elements are worth: noise whose spectrum is uneven varies more from cell to cell. */
export function independentValues(spectrum: ArrayLike<number>): number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < 64; i++) {
    sum += spectrum[i]!;
    squares += spectrum[i]! ** 2;
  }
  return sum ** 2 / squares;
}

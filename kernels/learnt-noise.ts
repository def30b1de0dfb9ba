/** What a still camera's frames teach about its noise: its spectrum, and how much of it changes from frame to frame. */
import type { EnhanceWorkspace, Plane } from './enhance-kernels.ts';
import type { FrameHistory } from './frame-history.ts';
import { higherWeights } from './noise-estimate.ts';
import { squaredSpectrum } from './squared-spectrum.ts';

/** Places in a history's statistics: sums of 64, their weight, the passing share. */
const weightAt = 64;
const passingAt = 65;
/** A median above this means that most of the picture moved, and says nothing about noise. */
const maxPassing = 1.6;
const minPassing = 0.05;

/** Takes in the median change of a plane's cells relative to the noise expected; gives what is known then. */
export function learnPassing(statistics: Float32Array, median: number): number {
  const known = statistics[passingAt]!;
  if (median <= maxPassing) {
    const passing = Math.max(minPassing, median);
    statistics[passingAt] = known === 0 ? passing : 0.8 * known + 0.2 * passing;
  }
  return statistics[passingAt]! || 1;
}

/** Blocks from which on a learnt spectrum is better than the frame's own: of five still frames. */
export const minLearntBlocks = 300;
/** Blocks from which on another one hardly changes a spectrum: of 1,024 the error of each of its numbers is some 4 %. */
const settledBlocks = 1024;
/** The past is kept of so many, some 200 frames: a sensor that warms up or changes its gain is followed. */
const maxWeight = 2048;

/** Blocks that are looked at per frame: many until a spectrum is known, few once it is settled. */
function blocksPerFrame(weight: number): number {
  if (weight < minLearntBlocks) return 64;
  return weight < settledBlocks ? 24 : 8;
}

const higherShares = higherWeights.map((weight) => (weight === 0 ? 0 : 1 / 58));

/** The difference of two still frames is noise and nothing else: adds its spectrum to what is known. */
export function learnSpectrum(
  workspace: EnhanceWorkspace,
  plane: Plane,
  statistics: Float32Array,
  isStill: (cell: number) => boolean,
): void {
  const step = workspace.width / plane.width;
  const columns = workspace.width / 8;
  const planeColumns = plane.width / 8;
  const planeCells = planeColumns * (plane.height / 8);
  const row = plane.stride / 2;
  const frame = workspace.integers16(plane.frame, row * plane.height);
  const merged = workspace.integers16(plane.merged, row * plane.height);
  const block = new Float32Array(64);
  const most = blocksPerFrame(statistics[weightAt]!);
  const stride = Math.max(1, Math.floor(planeCells / (most * 2)));
  // Another start for every frame, so that all cells have their turn.
  const start = Math.floor(statistics[weightAt]!) % stride;
  for (let i = start, used = 0; i < planeCells && used < most; i += stride) {
    const x = i % planeColumns;
    const y = Math.floor(i / planeColumns);
    if (!isStill(y * step * columns + x * step)) continue;
    const at = y * 8 * row + x * 8;
    for (let j = 0; j < 64; j++) {
      const k = at + (j >> 3) * row + (j & 7);
      block[j] = frame[k]! - merged[k]! / 32;
    }
    const squares = squaredSpectrum(block);
    // Relative to the mean of the coefficients that the frame's own variance is taken from.
    let energy = 0;
    for (let j = 0; j < 64; j++) energy += squares[j]! * higherShares[j]!;
    if (energy <= 0) continue;
    used++;
    statistics[weightAt]!++;
    for (let j = 1; j < 64; j++) statistics[j]! += squares[j]! / energy;
  }
  if (statistics[weightAt]! > maxWeight) for (let j = 0; j <= weightAt; j++) statistics[j]! /= 2;
}

/** A plane's learnt spectrum [64], relative to the mean of the higher frequencies, and the number of blocks that it was learnt from. */
export function learntSpectrum(
  history: FrameHistory,
  plane: number,
): { spectrum: Float32Array; blocks: number } {
  const statistics = history.statistics(plane);
  const blocks = statistics[weightAt]!;
  return {
    spectrum: statistics.slice(0, 64).map((sum, i) => (i === 0 || blocks === 0 ? 1 : sum / blocks)),
    blocks,
  };
}

/** The share of a plane's noise that changes from frame to frame; what rounding leaves behind does not. */
export function passingShare(history: FrameHistory, plane: number): number {
  return Math.min(1, history.statistics(plane)[passingAt]! || 1);
}

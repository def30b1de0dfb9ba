import type { LumaStatistics } from './picture.ts';

/** What is summed over a grey picture: both implementations hand these over. */
export interface LumaSums {
  readonly sum: number;
  readonly squares: number;
  readonly bright: number;
  readonly dark: number;
  readonly laplacian: number;
  readonly laplacianSquares: number;
}

/** Statistics of a square grey picture from its sums; a picture without inner pixels has a Laplacian variance of 0. */
export function lumaStatistics(sums: LumaSums, sizePx: number): LumaStatistics {
  const count = sizePx * sizePx;
  const inner = Math.max(0, sizePx - 2) ** 2;
  const mean = sums.sum / count;
  const laplacianMean = inner === 0 ? 0 : sums.laplacian / inner;
  return {
    mean,
    standardDeviation: Math.sqrt(Math.max(0, sums.squares / count - mean ** 2)),
    laplacianVariance: inner === 0 ? 0 : Math.max(0, sums.laplacianSquares / inner - laplacianMean ** 2),
    brightShare: sums.bright / count,
    darkShare: sums.dark / count,
  };
}

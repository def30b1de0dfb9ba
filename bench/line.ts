/** A straight line through points, by least squares. */

export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** @throws RangeError for fewer than two points, or points all at one x */
export function straightLine(points: readonly (readonly [x: number, y: number])[]): Line {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  let [covariance, variance] = [0, 0];
  for (const [x, y] of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  if (!(variance > 0)) throw new RangeError('points: expected at least two at different x');
  const slope = covariance / variance;
  return { slope, intercept: meanY - slope * meanX };
}

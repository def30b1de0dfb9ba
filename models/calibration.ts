/** What stands behind an embedder's similarities: how often they are wrong. */

export interface CalibrationRow {
  readonly falseMatchRate: number;
  /** Plain cosine of two lifted embeddings from which on they count as one person. */
  readonly similarity: number;
  readonly trueMatchRate: number;
  readonly impostorTrials: number;
  readonly genuineTrials: number;
}

export interface Calibration {
  /**
   * The default threshold, and the false match rate that is stated for it: an upper bound, since what was measured there is lower. Its
   * true match rate and its trials are measured.
   */
  readonly operatingPoint: CalibrationRow;
  /** As measured: falling false match rate, rising similarity; at least two. */
  readonly rows: readonly CalibrationRow[];
  /** Which faces, and what was done to them. */
  readonly conditions: string;
}

/** The plain cosine at which every embedder's stated operating point lies. */
export const OPERATING_SIMILARITY = 0.85;

/**
 * The plain cosine to ask for so that two different people are taken for one at most this often.
 *
 * Down to the rate of the operating point it follows the measured rows, linear in the logarithm of the rate; above the first row's
 * rate the first row's similarity stays. Below the operating point it starts from 0.85, though the rows lie lower, and rises with the
 * steepest slope among them: the rows come from few people, and who enrols thousands has harder pairs among them. It ends at 1.
 *
 * @param falseMatchRate of one comparison, above 0 and below 1
 * @throws RangeError for a rate outside of that
 */
export function similarityAtFalseMatchRate(calibration: Calibration, falseMatchRate: number): number {
  if (!(falseMatchRate > 0 && falseMatchRate < 1)) {
    throw new RangeError(`falseMatchRate: expected a number above 0 and below 1, received ${falseMatchRate}`);
  }
  const { rows, operatingPoint } = calibration;
  const decadesBelow = Math.log10(operatingPoint.falseMatchRate / falseMatchRate);
  if (decadesBelow > 0) {
    return Math.min(1, operatingPoint.similarity + steepestPerDecade(rows) * decadesBelow);
  }
  let previous = rows[0]!;
  for (const next of rows) {
    if (falseMatchRate >= next.falseMatchRate) {
      if (next === previous) return next.similarity;
      const share =
        Math.log(previous.falseMatchRate / falseMatchRate) /
        Math.log(previous.falseMatchRate / next.falseMatchRate);
      return previous.similarity + share * (next.similarity - previous.similarity);
    }
    previous = next;
  }
  return operatingPoint.similarity;
}

function steepestPerDecade(rows: readonly CalibrationRow[]): number {
  let steepest = 0;
  for (const [i, next] of rows.entries()) {
    const previous = rows[i - 1];
    if (previous === undefined) continue;
    const decades = Math.log10(previous.falseMatchRate / next.falseMatchRate);
    steepest = Math.max(steepest, (next.similarity - previous.similarity) / decades);
  }
  return steepest;
}

export function row(
  falseMatchRate: number,
  similarity: number,
  trueMatchRate: number,
  impostorTrials: number,
  genuineTrials: number,
): CalibrationRow {
  return { falseMatchRate, similarity, trueMatchRate, impostorTrials, genuineTrials };
}

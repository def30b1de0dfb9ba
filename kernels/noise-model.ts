/**
 * How much noise a small CMOS sensor makes at each brightness and gain. Constants: OV2640 data sheet, S/N 40 dB and range 50 dB,
 * which give a full well of 10,000 electrons and 31 electrons of read noise, 10 before and 30 behind the gain stage.
 */

const fullWellElectrons = 10_000;
const noiseBeforeGainElectrons = 10;
const noiseAfterGainElectrons = 30;
const gamma = 2.2;

/** Steps of the 8-bit scale between two neighbouring codes: 5 and 6 bits, or 8. */
export const quantisationStep = { fiveBits: 255 / 31, sixBits: 255 / 63, eightBits: 1 } as const;

/** The gains that tables are kept for: sqrt(2) apart, from 1/2 to 128. */
export const modelGains: readonly number[] = Array.from({ length: 17 }, (_, i) => 2 ** ((i - 2) / 2));

/** Gaussian quantiles of equal probability. */
const quantiles = Array.from({ length: 24 }, (_, i) => normalQuantile((i + 0.5) / 24));

/**
 * Variance of one channel in 8-bit codes (squared), before rounding, at each mean code 0 to 255. Taken through gamma and clipping
 * numerically: the slope of the gamma curve near black makes a formula useless.
 */
export function channelVariances(gain: number): Float32Array {
  const means: number[] = [];
  const variances: number[] = [];
  for (let step = 0; step <= 96; step++) {
    const light = (step / 96) ** 2.2;
    const sigma = Math.sqrt(
      (gain * light) / fullWellElectrons +
        ((noiseBeforeGainElectrons * gain) / fullWellElectrons) ** 2 +
        (noiseAfterGainElectrons / fullWellElectrons) ** 2,
    );
    let [sum, squares] = [0, 0];
    for (const quantile of quantiles) {
      // Not clipped at white: a little too much noise there is the safe side.
      const code = 255 * Math.max(0, light + sigma * quantile) ** (1 / gamma);
      sum += code;
      squares += code * code;
    }
    const mean = sum / quantiles.length;
    means.push(mean);
    variances.push(Math.max(0, squares / quantiles.length - mean * mean));
  }
  const table = new Float32Array(256);
  for (let code = 0, i = 0; code < 256; code++) {
    while (i < means.length - 2 && means[i + 1]! < code) i++;
    const share = Math.min(1, Math.max(0, (code - means[i]!) / (means[i + 1]! - means[i]!)));
    table[code] = variances[i]! + share * (variances[i + 1]! - variances[i]!);
  }
  return table;
}

/** Mean code of what is black: noise below it is clipped, and what is above remains. */
export function blackLevel(gain: number): number {
  const sigma = Math.hypot(noiseBeforeGainElectrons * gain, noiseAfterGainElectrons) / fullWellElectrons;
  let sum = 0;
  for (const quantile of quantiles) sum += 255 * Math.max(0, sigma * quantile) ** (1 / gamma);
  return sum / quantiles.length;
}

/** Variance that rounding to steps of that size adds to a signal without noise. */
export const roundingVariance = (step: number) => step ** 2 / 12;

/**
 * What rounding leaves behind however many frames are merged: noise of that variance dithers, and the mean of dithered frames misses
 * the true value by a sine of amplitude step / pi x exp(-2 pi^2 variance / step^2) (Widrow and Kollar).
 */
export function lastingVariance(step: number, variance: number): number {
  const amplitude = (step / Math.PI) * Math.exp((-2 * Math.PI ** 2 * variance) / step ** 2);
  return amplitude ** 2 / 2;
}

/** Inverse of the normal distribution function. */
function normalQuantile(p: number): number {
  // Bisection is fast enough for two dozen values, and needs no table of constants.
  let [low, high] = [-8, 8];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalDistribution(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Abramowitz and Stegun 26.2.17, off by less than 7.5e-8. */
function normalDistribution(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x < 0 ? tail : 1 - tail;
}

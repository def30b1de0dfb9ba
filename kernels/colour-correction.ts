/**
 * White balance, black, exposure, colour and highlights of a denoised frame: what to do to it, and how sure that is. The same everywhere in
 * the frame: a local tone step (bench/local-tone.ts) gains in shade, and loses in even light, which a frame does not tell apart.
 */
import { blackLevel } from './noise-model.ts';
import { type ColourHints, type ColourSamples, type WhiteBalance, whiteBalance } from './white-balance.ts';

export interface ColourCorrection {
  /** Rows: new red, green and blue from the old ones, all of them with their gamma. */
  readonly matrix: readonly (readonly [number, number, number])[];
  /** What is taken off every channel first. */
  readonly black: number;
  /** Lift of the middle, 0 to 1; knee, reach and shoulder as in assembly/compose.ts. */
  readonly lift: number;
  readonly knee: number;
  readonly reach: number;
  readonly shoulder: number;
  readonly whiteBalance: WhiteBalance;
  readonly exposureGain: number;
  /** The gain that the frame would need, whether or not there is something to see in it. */
  readonly neededGain: number;
  readonly matrixStrength: number;
}

/**
 * Undoes what colour filters like those of small sensors mix (rows 0.86 0.11 0.03, 0.07 0.86 0.07, 0.03 0.13 0.84 in linear light):
 * least squares over an even grid of colours, between values with gamma; rows scaled to add up to 1, so that white stays white.
 */
const unmixing = [
  [1.31, -0.237, -0.073],
  [-0.172, 1.35, -0.178],
  [-0.068, -0.283, 1.351],
] as const;
const unmixingStrength = 0.85;

/** The brightest 0.2 % of a well exposed picture reach this. */
const whitePercentile = 0.998;
const whiteTarget = 256;
/** Of the grey that noise makes of black, that much is taken off: all of it would take dark colours along. */
const blackShare = 0.2;
const darkPercentile = 0.02;
/** A frame with hardly any contrast shows a wall, not something white: it becomes light grey at most. */
const evenTarget = 150;
const evenContrast = 1.1;
const variedContrast = 1.3;
/** Frames whose brightest pixels are above this are well exposed already; the correction fades out over the stretch. */
const brightFrom = 172;
const brightTo = 195;
/** Dark and noisy frames are brightened less: what is left of their noise would show more than the scene. */
const maxExposureGain = 4;
const maxNoisyExposureGain = 2.6;

/**
 * The brightest pixels of a frame of nothing but noise are below three times the grey that noise makes of black; there is nothing there
 * that brightening would show, and it is done in full from the second figure on.
 */
const nothingSeenUpTo = 2.8;
const somethingSeenFrom = 3.6;

/** Leaves everything as it was captured. */
export const noCorrection: ColourCorrection = {
  matrix: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  black: 0,
  lift: 0,
  knee: 255,
  reach: 0,
  shoulder: 0,
  whiteBalance: { source: 'none', gains: [1, 1, 1] },
  exposureGain: 1,
  neededGain: 1,
  matrixStrength: 0,
};

export function planCorrection({ count, values: seen }: ColourSamples, hints: ColourHints): ColourCorrection {
  const black = blackOf({ count, values: seen }, hints.gain);
  const values = new Float32Array(seen.length);
  for (let i = 0; i < values.length; i++) values[i] = Math.max(0, seen[i]! - black);
  const balance = whiteBalance({ count, values }, hints);
  // Histograms, in whole codes: a balanced value may exceed 255.
  const brightest = new Uint32Array(1024);
  const brightestBefore = new Uint32Array(1024);
  const lumas = new Uint32Array(1024);
  const [red, green, blue] = balance.gains;
  for (let i = 0; i < 3 * count; i += 3) {
    const r = values[i]!;
    const g = values[i + 1]!;
    const b = values[i + 2]!;
    // Rounded by cutting off: none is negative, and Math.round costs a branch that noise makes unpredictable.
    brightestBefore[(Math.max(r, g, b) + 0.5) | 0]!++;
    brightest[Math.min(1023, (Math.max(r * red, g * green, b * blue) + 0.5) | 0)]!++;
    lumas[(0.299 * r + 0.587 * g + 0.114 * b + 0.5) | 0]!++;
  }
  const at = (histogram: Uint32Array, share: number) => percentile(histogram, count * share);
  const white = Math.max(8, at(brightest, whitePercentile));
  const whiteBefore = Math.max(8, at(brightestBefore, whitePercentile));
  const fade = fadeOf(whiteBefore);
  const contrast = white / Math.max(1, at(brightest, 0.5));
  const varied = Math.min(1, Math.max(0, (contrast - evenContrast) / (variedContrast - evenContrast)));
  const target = evenTarget + varied * (whiteTarget - evenTarget);
  const most = Math.min(
    maxExposureGain,
    Math.max(maxNoisyExposureGain, maxExposureGain - 0.7 * Math.log2(hints.gain / 4)),
  );
  const wanted = Math.min(most, Math.max(1, target / white));
  // A balanced frame that was bright enough keeps its brightness.
  const neededGain = (1 - fade) * wanted + fade * Math.max(1, whiteBefore / white);
  const overBlack = (whiteBefore + black) / blackLevel(hints.gain);
  const seenShare = limitedShare((overBlack - nothingSeenUpTo) / (somethingSeenFrom - nothingSeenUpTo));
  const exposureGain = 1 + seenShare * (neededGain - 1);

  const matrixStrength =
    unmixingStrength * Math.min(1, Math.max(0.3, 1.3 - Math.log2(Math.max(1, hints.gain)) * 0.15));
  const matrix = unmixing.map((row, channel) =>
    row.map(
      (factor, from) =>
        (matrixStrength * factor + (1 - matrixStrength) * (from === channel ? 1 : 0)) *
        balance.gains[from]! *
        exposureGain,
    ),
  ) as unknown as ColourCorrection['matrix'];

  const median = at(lumas, 0.5) * exposureGain;
  return {
    matrix,
    black,
    lift: fade < 1 ? Math.min(0.35, Math.max(0, (40 - median) / 80)) * (1 - fade) * seenShare : 0,
    ...shoulderFor(at(brightest, 1) * exposureGain),
    whiteBalance: balance,
    exposureGain,
    neededGain,
    matrixStrength,
  };
}

/** Black comes out grey where there is noise; nothing is taken off a frame that is bright enough or has nothing dark. */
function blackOf({ count, values }: ColourSamples, gain: number): number {
  const brightest = new Uint32Array(256);
  const means = new Uint32Array(256);
  for (let i = 0; i < 3 * count; i += 3) {
    const r = values[i]!;
    const g = values[i + 1]!;
    const b = values[i + 2]!;
    brightest[(Math.max(r, g, b) + 0.5) | 0]!++;
    means[((r + g + b) / 3 + 0.5) | 0]!++;
  }
  const bright = fadeOf(percentile(brightest, count * whitePercentile));
  return (1 - bright) * Math.min(blackShare * blackLevel(gain), percentile(means, count * darkPercentile));
}

/** 1 for a frame that is well exposed already. */
const fadeOf = (white: number): number => limitedShare((white - brightFrom) / (brightTo - brightFrom));

const limitedShare = (share: number): number => Math.min(1, Math.max(0, share));

/** The value that `rank` of the counted ones do not exceed. */
function percentile(histogram: Uint32Array, rank: number): number {
  let below = 0;
  for (let value = 0; value < histogram.length; value++) {
    below += histogram[value]!;
    if (below >= rank && below > 0) return value;
  }
  return histogram.length - 1;
}

/** Bends what would reach beyond white so that its top arrives at white with a slope of 0 at the least. */
function shoulderFor(top: number): Pick<ColourCorrection, 'knee' | 'reach' | 'shoulder'> {
  const end = Math.min(310, top);
  if (end <= 257) return { knee: 255, reach: 0, shoulder: 0 };
  const knee = Math.min(225, 510 - end);
  const reach = end - knee;
  return { knee, reach, shoulder: (end - 255) / reach ** 2 };
}

/** composePicture's parameter block: 20 16-bit integers. */
export function correctionBlock(correction: ColourCorrection): Int16Array {
  const block = new Int16Array(20);
  const limited = (value: number) => Math.max(-32_768, Math.min(32_767, Math.round(value)));
  correction.matrix.forEach(([r, g, b], channel) => {
    const sum = r + g + b;
    const d = (r - b) / 2;
    const e = (r - 2 * g + b) / 6;
    const constant = 32 * (382 / 3 - correction.black) * sum;
    block.set([(4096 * sum) / 3, 4096 * 2 * d, 4096 * 4 * e, constant].map(limited), channel * 4);
  });
  const { lift, knee, reach, shoulder } = correction;
  // Pixels are x 32 there; the kernel squares 8 x 32 t, and divides by 32,768 twice.
  block.set([lift * 32_768, knee * 32, reach * 32, (shoulder * 32_768 ** 2) / (32 * 64)].map(limited), 12);
  block.set([8160, 1024, 4096, 8192], 16);
  return block;
}

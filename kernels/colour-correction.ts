/** White balance, exposure, colour and highlights of a denoised frame: what to do to it, and how sure that is. */

/** Pixels 0 to 255 of a denoised frame, a few thousand spread over it: [count, 3], interleaved. */
export interface ColourSamples {
  readonly count: number;
  readonly values: Float32Array;
}

export interface ColourHints {
  /** Factors in linear light that would make grey grey, from the sensor, not applied by it yet; or null. */
  readonly illuminantGains: readonly [number, number, number] | null;
  /** Whether the sensor's own white balance has run: then what colour is left is the scene's. */
  readonly sensorBalanced: boolean;
  /** The frame's gain as estimated: a colour matrix amplifies noise. */
  readonly gain: number;
}

export interface ColourCorrection {
  /** Rows: new red, green and blue from the old ones, all of them with their gamma. */
  readonly matrix: readonly (readonly [number, number, number])[];
  /** Lift of the middle, 0 to 1; knee, reach and shoulder as in assembly/compose.ts. */
  readonly lift: number;
  readonly knee: number;
  readonly reach: number;
  readonly shoulder: number;
  readonly whiteBalance: {
    readonly source: 'headers' | 'frame' | 'none';
    readonly gains: readonly [number, number, number];
  };
  readonly exposureGain: number;
  readonly matrixStrength: number;
}

const gamma = 2.2;

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

/** Leaves everything as it was captured. */
export const noCorrection: ColourCorrection = {
  matrix: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  lift: 0,
  knee: 255,
  reach: 0,
  shoulder: 0,
  whiteBalance: { source: 'none', gains: [1, 1, 1] },
  exposureGain: 1,
  matrixStrength: 0,
};

export function planCorrection({ count, values }: ColourSamples, hints: ColourHints): ColourCorrection {
  const balance = whiteBalance({ count, values }, hints);
  // Histograms, in whole codes: a balanced value may exceed 255.
  const brightest = new Uint32Array(1024);
  const brightestBefore = new Uint32Array(1024);
  const lumas = new Uint32Array(1024);
  const [red, green, blue] = balance.gains;
  for (let i = 0; i < 3 * count; i += 3) {
    const [r, g, b] = [values[i]!, values[i + 1]!, values[i + 2]!];
    // Rounded by cutting off: none is negative, and Math.round costs a branch that noise makes unpredictable.
    brightestBefore[(Math.max(r, g, b) + 0.5) | 0]!++;
    brightest[Math.min(1023, (Math.max(r * red, g * green, b * blue) + 0.5) | 0)]!++;
    lumas[(0.299 * r + 0.587 * g + 0.114 * b + 0.5) | 0]!++;
  }
  const at = (histogram: Uint32Array, share: number) => percentile(histogram, count * share);
  const white = Math.max(8, at(brightest, whitePercentile));
  const whiteBefore = Math.max(8, at(brightestBefore, whitePercentile));
  const fade = Math.min(1, Math.max(0, (whiteBefore - brightFrom) / (brightTo - brightFrom)));
  const contrast = white / Math.max(1, at(brightest, 0.5));
  const varied = Math.min(1, Math.max(0, (contrast - evenContrast) / (variedContrast - evenContrast)));
  const target = evenTarget + varied * (whiteTarget - evenTarget);
  const most = Math.min(
    maxExposureGain,
    Math.max(maxNoisyExposureGain, maxExposureGain - 0.7 * Math.log2(hints.gain / 4)),
  );
  const wanted = Math.min(most, Math.max(1, target / white));
  // A balanced frame that was bright enough keeps its brightness.
  const exposureGain = (1 - fade) * wanted + fade * Math.max(1, whiteBefore / white);

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
    lift: fade < 1 ? Math.min(0.35, Math.max(0, (40 - median) / 80)) * (1 - fade) : 0,
    ...shoulderFor(at(brightest, 1) * exposureGain),
    whiteBalance: balance,
    exposureGain,
    matrixStrength,
  };
}

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

type Gains = readonly [number, number, number];

function whiteBalance(samples: ColourSamples, hints: ColourHints): ColourCorrection['whiteBalance'] {
  if (hints.illuminantGains) {
    const [r, g, b] = hints.illuminantGains;
    return { source: 'headers', gains: [(r / g) ** (1 / gamma), 1, (b / g) ** (1 / gamma)] };
  }
  const gains = hints.sensorBalanced ? null : estimatedBalance(samples);
  return gains ? { source: 'frame', gains } : { source: 'none', gains: [1, 1, 1] };
}

/**
 * Shades of grey (Finlayson and Trezzi 2004) with power 8, then the most probable light given that scenes with people are redder than
 * grey, and that lights spread mostly from blue to orange; nothing where the light is near white.
 */
function estimatedBalance({ count, values }: ColourSamples): Gains | null {
  const sums = [0, 0, 0];
  let used = 0;
  for (let i = 0; i < count; i++) {
    const brightest = Math.max(values[3 * i]!, values[3 * i + 1]!, values[3 * i + 2]!);
    if (brightest >= 250 || brightest <= 10) continue;
    used++;
    for (let channel = 0; channel < 3; channel++) {
      const squared = (values[3 * i + channel]! / 128) ** 2;
      sums[channel]! += squared * squared * squared * squared;
    }
  }
  if (used < 50 || sums.some((sum) => sum <= 0)) return null;
  const [r, g, b] = sums.map((sum) => sum ** (1 / 8)) as [number, number, number];
  const [red, blue] = mostProbable(Math.log(g / r), Math.log(g / b));
  const distance = Math.hypot(red, blue);
  const sure = Math.min(1, Math.max(0, (distance - 0.1) / 0.06));
  return sure === 0 ? null : [Math.exp(red * sure), 1, Math.exp(blue * sure)];
}

/** Second moments of the logarithms of the gains that lights need: red, blue, both. */
const lights = { red: 0.01, blue: 0.0256, both: -0.0074 };
/** What scenes with people add to the estimate: on average, and the variance about that. */
const sceneRedness = -0.07;
const scenes = { red: 0.006, blue: 0.004 };

/** lights (lights + scenes)^-1 times the estimate without the scenes' own colour. */
function mostProbable(estimatedRed: number, blue: number): [red: number, blue: number] {
  const red = estimatedRed - sceneRedness;
  const a = lights.red + scenes.red;
  const d = lights.blue + scenes.blue;
  const determinant = a * d - lights.both ** 2;
  const x = (d * red - lights.both * blue) / determinant;
  const y = (a * blue - lights.both * red) / determinant;
  return [lights.red * x + lights.both * y, lights.both * x + lights.blue * y];
}

/** composePicture's parameter block: 20 16-bit integers. */
export function correctionBlock(correction: ColourCorrection): Int16Array {
  const block = new Int16Array(20);
  const limited = (value: number) => Math.max(-32_768, Math.min(32_767, Math.round(value)));
  correction.matrix.forEach(([r, g, b], channel) => {
    const sum = r + g + b;
    const d = (r - b) / 2;
    const e = (r - 2 * g + b) / 6;
    block.set([(4096 * sum) / 3, 4096 * 2 * d, 4096 * 4 * e, (32 * 382 * sum) / 3].map(limited), channel * 4);
  });
  const { lift, knee, reach, shoulder } = correction;
  // Pixels are x 32 there; the kernel squares 8 x 32 t, and divides by 32,768 twice.
  block.set([lift * 32_768, knee * 32, reach * 32, (shoulder * 32_768 ** 2) / (32 * 64)].map(limited), 12);
  block.set([8160, 1024, 4096, 8192], 16);
  return block;
}

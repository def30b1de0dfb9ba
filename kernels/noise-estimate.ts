/** How much noise a frame has, from the frame itself: the flattest blocks at each brightness show it. */

/** sqrt(8) times the orthonormal DCT becomes the transform's output through these: a[0] = 1, a[u] = sqrt(2) cos(u pi / 16). */
export const transformFactors: readonly number[] = Array.from({ length: 8 }, (_, u) =>
  u === 0 ? 1 : Math.SQRT2 * Math.cos((u * Math.PI) / 16),
);

/** DCT blocks of one plane as blockSpectra gives them, and the brightness 0 to 255 of each. */
export interface BlockSpectra {
  readonly count: number;
  /** [count, 8 across, 8 down], each 4 a[u] a[v] times the orthonormal coefficient. */
  readonly coefficients: Int16Array;
  /** Mean square of each block's coefficients, orthonormal, without the lowest frequencies. */
  readonly energies: Float32Array;
  readonly levels: Uint8Array;
}

export interface PlaneNoise {
  /** Variance in flat blocks per brightness bin (of 32 levels each), and how many blocks spoke for it. */
  readonly binVariances: Float64Array;
  readonly binBlocks: Float64Array;
  /** Relative variance of each coefficient [across x 8 + down], mean 1 without the constant one. */
  readonly spectrum: Float32Array;
}

export const levelBins = 8;
/** Share of the blocks of a bin that are taken for flat. */
const flatShare = 0.2;
/** What the flattest fifth of blocks of pure noise show is that much too little: 58 coefficients, mean of the lowest fifth. */
const selectionBias = 1.33;

/** Squares of the orthonormal coefficients are output squared times these. */
const energyWeights = Float32Array.from(
  { length: 64 },
  (_, i) => 1 / (4 * transformFactors[i >> 3]! * transformFactors[i & 7]!) ** 2,
);

/** The same without the lowest frequencies, which show the scene even in flat blocks; the mean of the other 58. */
export const higherWeights = energyWeights.map((weight, i) => ((i >> 3) + (i & 7) < 3 ? 0 : weight / 58));

export function estimatePlaneNoise({ count, coefficients, energies, levels }: BlockSpectra): PlaneNoise {
  const bins: number[][] = Array.from({ length: levelBins }, () => []);
  for (let block = 0; block < count; block++) {
    // Clipped blocks have no noise, and say nothing about others.
    if (levels[block]! >= 3 && levels[block]! <= 244) bins[levels[block]! >> 5]!.push(block);
  }
  const binVariances = new Float64Array(levelBins);
  const binBlocks = new Float64Array(levelBins);
  const sums = new Float64Array(64);
  for (const [bin, blocks] of bins.entries()) {
    if (blocks.length < 8) continue;
    const sorted = new Float32Array(blocks.length);
    for (let i = 0; i < blocks.length; i++) sorted[i] = energies[blocks[i]!]!;
    sorted.sort();
    const flatCount = Math.ceil(blocks.length * flatShare);
    const highest = sorted[flatCount - 1]!;
    let mean = 0;
    for (let i = 0; i < flatCount; i++) mean += sorted[i]! / flatCount;
    binVariances[bin] = mean * selectionBias;
    binBlocks[bin] = blocks.length;
    if (mean <= 0) continue;
    const share = 1 / mean;
    for (const block of blocks) {
      if (energies[block]! > highest) continue;
      for (let i = 0, at = block * 64; i < 64; i++, at++) {
        const c = coefficients[at]!;
        sums[i]! += c * c * share;
      }
    }
  }
  const spectrum = new Float32Array(64);
  for (let i = 0; i < 64; i++) spectrum[i] = sums[i]! * energyWeights[i]!;
  return { binVariances, binBlocks, spectrum: normaliseSpectrum(spectrum) };
}

/** Both directions alike, no low frequency much above its neighbours, mean 1. */
function normaliseSpectrum(sums: Float32Array): Float32Array {
  const spectrum = new Float32Array(64);
  for (let i = 1; i < 64; i++) spectrum[i] = (sums[i]! + sums[(i & 7) * 8 + (i >> 3)]!) / 2;
  const ring = (spectrum[3]! + spectrum[10]! + spectrum[17]! + spectrum[24]!) / 4;
  for (const i of [1, 2, 8, 9, 16]) spectrum[i] = Math.min(spectrum[i]!, 1.3 * ring);
  // Over the same coefficients as the variances of the bins.
  const mean = spectrum.reduce((sum, value, i) => ((i >> 3) + (i & 7) < 3 ? sum : sum + value), 0) / 58;
  if (!(mean > 0)) return spectrum.fill(1);
  return spectrum.map((value, i) => (i === 0 ? 1 : value / mean));
}

/**
 * The spectrum to reckon with: white unless low frequencies are clearly stronger than high ones, as interpolated colours make them.
 * What a single frame shows of a nearly even spectrum is chance and the scene, and costs a quarter of a decibel.
 */
export function trustedSpectrum(spectrum: Float32Array): Float32Array {
  let [low, lowCount, high, highCount] = [0, 0, 0, 0];
  for (let i = 1; i < 64; i++) {
    const ring = (i >> 3) + (i & 7);
    if (ring === 3 || ring === 4) {
      low += spectrum[i]!;
      lowCount++;
    } else if (ring >= 9) {
      high += spectrum[i]!;
      highCount++;
    }
  }
  const tilt = low / lowCount / Math.max(1e-3, high / highCount);
  const trust = Math.min(1, Math.max(0, (tilt - 1.5) / 1));
  return spectrum.map((value) => 1 + trust * (value - 1));
}

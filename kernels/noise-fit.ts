/** From what a frame shows to the tables that the kernels need: the noise of each opponent plane at each brightness. */
import { levelBins, type PlaneNoise, transformFactors } from './noise-estimate.ts';
import { channelVariances, modelGains, roundingVariance } from './noise-model.ts';

/** Variance that rounding adds to red, green and blue at each code 0 to 255. */
export type RoundingVariances = readonly [Float64Array, Float64Array, Float64Array];

/** Of the same steps at every code, in 8-bit codes: [255 / 31, 255 / 63, 255 / 31] for RGB565. */
export function evenRounding(steps: readonly [number, number, number]): RoundingVariances {
  const [red, green, blue] = steps.map((step) => new Float64Array(256).fill(roundingVariance(step)));
  return [red!, green!, blue!];
}

export interface NoiseFit {
  /** Index into modelGains: the gain whose curve fits best. */
  readonly gainIndex: number;
  /** Per plane S, D, E: measured variance relative to that gain's. */
  readonly scales: readonly [number, number, number];
  /** Whether the gain came from the sensor's own word, and the frame does not contradict it. */
  readonly fromSensor: boolean;
}

/** Measured relative to predicted variance within which the sensor's word is believed: the scene adds to it, nothing takes away. */
const leastBelieved = 0.4;
const mostBelieved = 4;
/** What is measured beyond this factor is put down to the scene where the sensor's word is believed. */
const mostBelievedScale = 1.3;

/** Variance curves of S, D and E for every model gain; the planes' brightness is that of S / 3. */
export class NoiseCurves {
  readonly #channels = modelGains.map((gain) => channelVariances(gain));

  /** Variance of one channel at each code, rounding included. */
  channel(channel: number, gainIndex: number, rounding: RoundingVariances): Float32Array {
    const [variances, added] = [this.#channels[gainIndex]!, rounding[channel]!];
    const table = new Float32Array(256);
    for (let code = 0; code < 256; code++) table[code] = variances[code]! + added[code]!;
    return table;
  }

  /** `scale` times the variance of a plane at each brightness. */
  table(
    plane: number,
    gainIndex: number,
    scale: number,
    ratios: readonly number[],
    rounding: RoundingVariances,
  ): Float32Array {
    const table = new Float32Array(256);
    for (let level = 0; level < 256; level++) {
      table[level] = scale * this.variance(plane, gainIndex, level, ratios, rounding);
    }
    return table;
  }

  /** `ratios`: the mean of each channel relative to the mean of all: a bluish picture has noisier blues. */
  variance(
    plane: number,
    gainIndex: number,
    level: number,
    ratios: readonly number[],
    rounding: RoundingVariances,
  ): number {
    const table = this.#channels[gainIndex]!;
    // Spelt out, and rounded by cutting off: it runs some thousand times a frame, and arrays would be garbage.
    const redCode = Math.min(255, (level * ratios[0]! + 0.5) | 0);
    const greenCode = Math.min(255, (level * ratios[1]! + 0.5) | 0);
    const blueCode = Math.min(255, (level * ratios[2]! + 0.5) | 0);
    const red = table[redCode]! + rounding[0][redCode]!;
    const green = table[greenCode]! + rounding[1][greenCode]!;
    const blue = table[blueCode]! + rounding[2][blueCode]!;
    // D is held doubled and E as it is, both as means of four pixels.
    if (plane === 0) return red + green + blue;
    return plane === 1 ? red + blue : (red + 4 * green + blue) / 4;
  }
}

/**
 * Chooses the gain whose curve follows the measured variances of S best, and each plane's scale. A gain that the sensor names is
 * taken where the measurement does not contradict it.
 */
export function fitNoise(
  curves: NoiseCurves,
  planes: readonly PlaneNoise[],
  ratios: readonly number[],
  rounding: RoundingVariances,
  sensorGain: number | null,
): NoiseFit {
  const compare = (plane: number, gainIndex: number) => {
    let [logs, distance, weights] = [0, 0, 0];
    for (let bin = 0; bin < levelBins; bin++) {
      const weight = Math.min(50, planes[plane]!.binBlocks[bin]!);
      if (weight === 0) continue;
      const measured = Math.max(0.25, planes[plane]!.binVariances[bin]!);
      const log = Math.log(measured / curves.variance(plane, gainIndex, bin * 32 + 16, ratios, rounding));
      logs += weight * log;
      distance += weight * Math.abs(log);
      weights += weight;
    }
    return weights === 0
      ? { ratio: 1, distance: 0 }
      : { ratio: Math.exp(logs / weights), distance: distance / weights };
  };
  let gainIndex = 0;
  for (let index = 1; index < modelGains.length; index++) {
    if (compare(0, index).distance < compare(0, gainIndex).distance) gainIndex = index;
  }
  const limit = (value: number) => Math.min(6, Math.max(0.15, value));
  if (sensorGain !== null) {
    const named = nearestGain(sensorGain);
    const { ratio } = compare(0, named);
    if (ratio > leastBelieved && ratio < mostBelieved) {
      const factor = Math.min(1, mostBelievedScale / ratio);
      const [s, d, e] = [0, 1, 2].map((plane) => limit(compare(plane, named).ratio * factor)) as [
        number,
        number,
        number,
      ];
      return { gainIndex: named, scales: [s, d, e], fromSensor: true };
    }
  }
  const [s, d, e] = [0, 1, 2].map((plane) => limit(compare(plane, gainIndex).ratio)) as [
    number,
    number,
    number,
  ];
  return { gainIndex, scales: [s, d, e], fromSensor: false };
}

function nearestGain(gain: number): number {
  let best = 0;
  for (let index = 1; index < modelGains.length; index++) {
    if (Math.abs(Math.log(modelGains[index]! / gain)) < Math.abs(Math.log(modelGains[best]! / gain)))
      best = index;
  }
  return best;
}

/** Multipliers of the kernels' transform, as 15-bit fractions; see assembly/dct.ts. */
const multipliers = [23_170, 12_540, 17_734, 10_045, 13_573, 4_989, 2_700, 20_091];

/** shrinkPlane's table: thresholds of `lambda` standard deviations x 512, for noise of that spectrum; the constant part is kept. */
export function thresholdTable(lambda: number, spectrum: ArrayLike<number>): Int16Array {
  const table = new Int16Array(72);
  for (let i = 1; i < 64; i++) {
    const factor = 4 * transformFactors[i >> 3]! * transformFactors[i & 7]!;
    table[i] = Math.min(32_767, Math.round(512 * lambda * factor * Math.sqrt(spectrum[i]!)));
  }
  table.set(multipliers, 64);
  return table;
}

/**
 * Merging leaves fine detail that a single frame's threshold would take for noise: three quarters of the variance served 8 still frames at
 * gain 1 to 16 best. Two or three merged frames may hide slow motion. */
const mergedMargin = (frames: number): number => Math.max(0.75, 1 - 0.08 * (frames - 1));

/**
 * noiseMap's table: noise level x 64 for 1 to `maxFrames` (16 at most) merged frames, at each brightness. `passing` is the share of the variance that
 * changes from frame to frame, and so shrinks when they are merged.
 */
export function noiseTable(
  variance: (level: number) => number,
  passing: number,
  maxFrames: number,
): Uint16Array {
  const table = new Uint16Array(maxFrames * 256);
  // The root of a product is the product of the roots: 272 of them in place of 4096.
  const single = new Float64Array(256);
  for (let level = 0; level < 256; level++) single[level] = 64 * Math.sqrt(variance(level));
  for (let frames = 1; frames <= maxFrames; frames++) {
    const left = frames === 1 ? 1 : mergedMargin(frames) * (passing / frames + (1 - passing));
    const factor = Math.sqrt(left);
    const first = (frames - 1) * 256;
    for (let level = 0; level < 256; level++)
      table[first + level] = Math.min(16_000, (single[level]! * factor + 0.5) | 0);
  }
  return table;
}

/** What enhancement is told about a sensor, and what it tells about a frame. */
import { type ColourCorrection, noCorrection } from './colour-correction.ts';
import type { MergeReport } from './frame-merge.ts';
import type { NoiseFit } from './noise-fit.ts';
import { modelGains } from './noise-model.ts';

/** What the sensor says about itself; null where it says nothing. Nothing here is taken on trust. */
export interface SensorState {
  /** Analogue gain, 1 = none. */
  readonly gain: number | null;
  /** Whether the sensor's own white balance ran; null where unknown. */
  readonly whiteBalanced: boolean | null;
  /** Factors of red, green and blue, in linear light, that would make grey grey and are not applied yet. */
  readonly illuminantGains: readonly [number, number, number] | null;
  /** Whether the sensor applied its gamma curve, or sent linear light; null where unknown. */
  readonly gammaApplied: boolean | null;
}

export const unknownSensorState: SensorState = {
  gain: null,
  whiteBalanced: null,
  illuminantGains: null,
  gammaApplied: null,
};

/** Shrinkage of overlapping DCT blocks, or the cheaper local Wiener filter. */
export type DenoisingMethod = 'dct' | 'wiener';

export function checkMethod(method: string): void {
  if (method !== 'dct' && method !== 'wiener') {
    throw new RangeError(`method: expected 'dct' or 'wiener', received ${JSON.stringify(method)}`);
  }
}

/** What is known for making a good picture of a frame. */
export interface FrameEnhancement {
  readonly sensor: SensorState;
  readonly method: DenoisingMethod;
  /** What is remembered of a device's still scenes, in shared memory (kernels/frame-history.ts); null where nothing is merged. */
  readonly history: SharedArrayBuffer | null;
}

export interface EnhancementReport {
  readonly noise: {
    readonly method: DenoisingMethod;
    readonly source: 'headers' | 'frame';
    /** The gain whose noise the frame has. */
    readonly gain: number;
    /** Standard deviation of (R + G + B) / 3 at middle grey, in 8-bit codes. */
    readonly sigma: number;
    readonly spectrum: 'white' | 'frame' | 'learnt';
  };
  readonly merged: MergeReport | null;
  /** Whether the frame got a gamma curve (exponent 1 / 2.2) because its headers say that it is linear. */
  readonly gamma: { readonly source: 'headers' | 'none'; readonly applied: boolean };
  readonly whiteBalance: ColourCorrection['whiteBalance'];
  /** Factor on values with their gamma. */
  readonly exposureGain: number;
  readonly colourMatrixStrength: number;
  /** Codes taken off every channel: the grey that noise makes of black. */
  readonly black: number;
  readonly lift: number;
  /** False for a very dark frame that few others were merged with: its faces can be found, but not told apart. */
  readonly legible: boolean;
  /** Fields of the sensor state that the frame contradicts. */
  readonly notBelieved: readonly string[];
}

/** Throws RangeError where a field is not what it can be. */
export function checkSensorState({ gain, illuminantGains }: SensorState): void {
  if (gain !== null && !(gain >= 0.25 && gain <= 512)) {
    throw new RangeError(`sensor.gain: expected a factor from 0.25 to 512, received ${gain}`);
  }
  if (illuminantGains !== null && !illuminantGains.every((factor) => factor >= 0.1 && factor <= 10)) {
    throw new RangeError(
      `sensor.illuminantGains: expected three factors from 0.1 to 10, received ${illuminantGains}`,
    );
  }
}

export function describeEnhancement(
  sensor: SensorState,
  fit: NoiseFit,
  method: DenoisingMethod,
  variances: Float32Array,
  spectrum: EnhancementReport['noise']['spectrum'],
  merged: MergeReport | null,
  correction: ColourCorrection,
  legible: boolean,
  isLinear: boolean,
): EnhancementReport {
  const { whiteBalance } = correction;
  const wasCorrected = correction !== noCorrection;
  return {
    noise: {
      method,
      source: fit.fromSensor ? 'headers' : 'frame',
      gain: modelGains[fit.gainIndex]!,
      sigma: Math.sqrt(variances[128]!) / 3,
      spectrum,
    },
    merged,
    gamma: { source: isLinear ? 'headers' : 'none', applied: isLinear },
    whiteBalance,
    exposureGain: correction.exposureGain,
    colourMatrixStrength: correction.matrixStrength,
    black: correction.black,
    lift: correction.lift,
    legible,
    notBelieved: [
      ...(sensor.gain !== null && !fit.fromSensor ? ['gain'] : []),
      ...(sensor.illuminantGains !== null && wasCorrected && whiteBalance.source !== 'headers'
        ? ['illuminantGains']
        : []),
      ...(sensor.gammaApplied === false && !isLinear ? ['gamma'] : []),
    ],
  };
}

/** What a raw frame is enhanced with: what its headers say of the sensor, and what is remembered of the device. */

import { FrameHistories } from '../../kernels/frame-history.ts';
import type { FrameEnhancement } from '../../workers/protocol.ts';

/** Of the headers, what enhancement has a use for; a value is missing where its header was. */
export interface SensorHints {
  readonly gain?: number;
  /** The driver's index: the gain is index + 1. */
  readonly agcGain?: number;
  readonly awb?: boolean;
  readonly awbGains?: readonly [r: number, g: number, b: number];
  /** 0 automatic, 1 to 4 a fixed mode, whose gains the sensor applies. */
  readonly wbMode?: number;
  /** False for linear data. */
  readonly gamma?: boolean;
}

export interface FrameEnhancer {
  /**
   * @param deviceId null for a board that sends none: several may share the name that it gets, so nothing is merged for it
   * @returns null where frames are left as they come
   */
  prepare(
    deviceId: string | null,
    frame: { readonly width: number; readonly height: number },
    hints: SensorHints,
  ): FrameEnhancement | null;
  /** Devices that are remembered, and the bytes that this takes. */
  readonly devices: number;
  readonly bytes: number;
}

const MAX_REMEMBERED_DEVICES = 500;
const MAX_REMEMBERED_BYTES = 512 * 2 ** 20;
/** After a pause the scene, the light and the board's place may be others. */
const MAX_PAUSE_MS = 5 * 60_000;
const GAIN_RANGE = [0.25, 512] as const;
const BALANCE_RANGE = [0.1, 10] as const;

export function createFrameEnhancer(mode: 'full' | 'fast' | 'off'): FrameEnhancer {
  const histories = new FrameHistories({
    maxDevices: MAX_REMEMBERED_DEVICES,
    maxBytes: MAX_REMEMBERED_BYTES,
    maxPauseMs: MAX_PAUSE_MS,
  });
  return {
    prepare(deviceId, { width, height }, hints) {
      if (mode === 'off') return null;
      // The cheap tier remembers nothing of a device: neither the time that merging takes, nor the memory.
      if (mode === 'fast') return { sensor: sensorStateOf(hints), method: 'wiener', history: null };
      const history = deviceId === null ? null : histories.get(deviceId, width, height, performance.now());
      return { sensor: sensorStateOf(hints), method: 'dct', history: history?.buffer ?? null };
    },
    get devices() {
      return histories.devices;
    },
    get bytes() {
      return histories.bytes;
    },
  };
}

/**
 * Gains that the sensor has applied, by its automatic or by a fixed mode, are in the picture already. Only with its white balance off
 * and no mode set are those it reports still to be applied.
 */
export function sensorStateOf({
  gain,
  agcGain,
  awb,
  awbGains,
  wbMode = 0,
  gamma,
}: SensorHints): FrameEnhancement['sensor'] {
  const factor = gain ?? (agcGain === undefined ? null : agcGain + 1);
  return {
    gain: factor === null ? null : within(factor, GAIN_RANGE),
    whiteBalanced: awb ?? null,
    illuminantGains:
      awb === false && wbMode === 0 && awbGains
        ? [
            within(awbGains[0], BALANCE_RANGE),
            within(awbGains[1], BALANCE_RANGE),
            within(awbGains[2], BALANCE_RANGE),
          ]
        : null,
    gammaApplied: gamma ?? null,
  };
}

const within = (value: number, [least, most]: readonly [number, number]): number =>
  Math.min(most, Math.max(least, value));

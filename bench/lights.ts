/** The lights that pictures are judged under. */
import { type SensorState, unknownSensorState } from '../kernels/enhancement-report.ts';
import { type CaptureSettings, crosstalk, illuminants } from './simulated-sensor.ts';

export type Light = Pick<CaptureSettings, 'gain' | 'exposure' | 'illuminant' | 'shade'>;

export const goodLight: Light = { gain: 1, exposure: 1, illuminant: 'neutral' };

export const badLights: readonly Light[] = [
  { gain: 4, exposure: 0.4, illuminant: 'neutral' },
  { gain: 4, exposure: 0.4, illuminant: 'tungsten' },
  { gain: 1, exposure: 1, illuminant: 'tungsten' },
  { gain: 16, exposure: 0.15, illuminant: 'neutral' },
  { gain: 16, exposure: 0.15, illuminant: 'tungsten' },
  { gain: 16, exposure: 0.15, illuminant: 'fluorescent' },
];

/** One half in the shade. */
export const unevenLights: readonly Light[] = [
  { gain: 1, exposure: 1, illuminant: 'neutral', shade: 0.2 },
  { gain: 4, exposure: 0.7, illuminant: 'neutral', shade: 0.1 },
];

export const nameOf = ({ gain, exposure, illuminant, shade }: Light): string =>
  `gain ${gain}, light ${exposure}, ${illuminant}${shade === undefined ? '' : `, half of it ${shade} of that`}`;

/** What a sensor knows that measures its light: factors that make grey grey as its filters see it. */
export function knownLight({ gain, illuminant }: Light): SensorState {
  const light = illuminants[illuminant];
  const [r, g, b] = crosstalk.map((row) => 1 / (row[0] * light[0] + row[1] * light[1] + row[2] * light[2]));
  return { ...unknownSensorState, gain, whiteBalanced: false, illuminantGains: [r!, g!, b!] };
}

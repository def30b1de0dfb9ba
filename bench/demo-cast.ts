/** Boards and people of the demo site, out of the sample photos. */
import type { CaptureSettings } from './simulated-sensor.ts';

export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Board {
  readonly id: string;
  readonly name: string;
  readonly sample: number;
  /** What it sees of the sample photo; 4 to 3. */
  readonly view: Region;
  /** Null for a board that sends JPEG. */
  readonly sensor: Partial<CaptureSettings> | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly wifiRssi: number;
}

export const FRAME = { width: 640, height: 480 };

export const BOARDS: readonly Board[] = [
  {
    id: 'esp32-front-door',
    name: 'Front door',
    sample: 6,
    view: { left: 120, top: 240, width: 840, height: 630 },
    sensor: { gain: 4, exposure: 0.7, illuminant: 'fluorescent' },
    wifiRssi: -58,
  },
  {
    id: 'esp32-reception',
    name: 'Reception',
    sample: 3,
    view: { left: 960, top: 110, width: 860, height: 645 },
    sensor: { gain: 8, exposure: 0.45, illuminant: 'tungsten' },
    headers: { 'X-Sensor-Model': 'OV2640', 'X-Sensor-Gain': '8', 'X-Sensor-Exposure-Lines': '1200' },
    wifiRssi: -49,
  },
  {
    id: 'esp32-staircase',
    name: 'Staircase',
    sample: 5,
    view: { left: 330, top: 40, width: 1320, height: 990 },
    sensor: { gain: 2 },
    wifiRssi: -71,
  },
  {
    id: 'esp32-workshop',
    name: 'Workshop',
    sample: 1,
    view: { left: 1180, top: 60, width: 720, height: 540 },
    sensor: { gain: 16, exposure: 0.5, mosaic: 'bayer' },
    headers: { 'X-Sensor-Model': 'OV3660', 'X-Sensor-Agc-Gain': '15' },
    wifiRssi: -83,
  },
  {
    id: 'esp32-loading-bay',
    name: 'Loading bay',
    sample: 6,
    view: { left: 1040, top: 170, width: 860, height: 645 },
    sensor: { gain: 1 },
    wifiRssi: -64,
  },
  {
    id: 'esp32-lounge',
    name: 'Lounge',
    sample: 2,
    view: { left: 760, top: 60, width: 1000, height: 750 },
    sensor: null,
    wifiRssi: -55,
  },
];

/** By sample photo and place of the face, from the left. */
export const PEOPLE: readonly { name: string; sample: number; face: number }[] = [
  { name: 'Ada Berg', sample: 3, face: 1 },
  { name: 'Chloe Martin', sample: 3, face: 2 },
  { name: 'Lina Ortega', sample: 6, face: 0 },
  { name: 'Noor Haddad', sample: 6, face: 1 },
  { name: 'Emma Clarke', sample: 6, face: 3 },
  { name: 'Mia Santos', sample: 5, face: 4 },
  { name: 'Grace Lin', sample: 5, face: 3 },
];

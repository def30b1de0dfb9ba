/**
 * A simulated OV2640: what it makes of a scene, from photons to RGB565. Source of the figures: OV2640 data sheet (S/N 40 dB, range
 * 50 dB), which gives a full well of about 10,000 electrons and 31 electrons of read noise at gain 1.
 */
import type { Picture } from '../kernels/picture.ts';
import { seededNormal, seededRandom } from '../test/kernels/random.ts';

const fullWellElectrons = 10_000;
const noiseBeforeGainElectrons = 10;
const noiseAfterGainElectrons = 30;
const gamma = 2.2;

/** Relative strength of red, green and blue in the light. */
export const illuminants = {
  neutral: [1, 1, 1],
  tungsten: [1, 0.72, 0.42],
  fluorescent: [0.78, 1, 0.7],
} as const;

/** What the colour filters let through: rows are sensor channels, columns the scene's red, green and blue. */
export const crosstalk = [
  [0.86, 0.11, 0.03],
  [0.07, 0.86, 0.07],
  [0.03, 0.13, 0.84],
] as const;

export interface CaptureSettings {
  /** Analogue gain, 1 or more. */
  readonly gain: number;
  /** Light that reaches the sensor relative to the right exposure, after the gain. */
  readonly exposure: number;
  readonly illuminant: keyof typeof illuminants;
  /** `none`: three samples a pixel, so white noise. `bayer`: one sample a pixel, the rest interpolated bilinearly. */
  readonly mosaic: 'none' | 'bayer';
  /** Factors that the sensor's white balance applies in linear light, after the noise. */
  readonly whiteBalance: readonly [number, number, number];
  /** Light at the left edge relative to the right one, as beside a window; 1, even light, where it is missing. */
  readonly shade?: number;
  /** Whether the sensor sends linear light instead of applying its gamma curve; false where it is missing. */
  readonly linear?: boolean;
  readonly seed: number;
}

export const plainCapture: CaptureSettings = {
  gain: 1,
  exposure: 1,
  illuminant: 'neutral',
  mosaic: 'none',
  whiteBalance: [1, 1, 1],
  seed: 1,
};

export interface Capture {
  readonly width: number;
  readonly height: number;
  /** RGB565, high byte first. */
  readonly bytes: Uint8Array;
  /** The same capture without noise and quantisation: values 0 to 255, interleaved. */
  readonly noiseless: Float32Array;
}

/** What a sensor sends of a scene given as an sRGB photo; the same settings give the same bytes. */
export function capture(photo: Picture, settings: CaptureSettings): Capture {
  const { width, height } = photo;
  const scene = lightOnSensor(photo, settings);
  const noiseless = finish(interpolate(scene, width, height, settings), settings);
  const noisy = finish(interpolate(addNoise(scene, settings), width, height, settings), settings);
  return { width, height, bytes: toRgb565(noisy), noiseless };
}

/** Linear light per pixel and channel, 1 at saturation. */
function lightOnSensor(
  { width, data }: Picture,
  { exposure, illuminant, shade = 1 }: CaptureSettings,
): Float32Array {
  const linear = Float32Array.from({ length: 256 }, (_, v) =>
    v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
  );
  const light = illuminants[illuminant];
  const scene = new Float32Array(data.length);
  const lightAt = Float64Array.from({ length: width }, (_, x) => {
    // Shade ends over the middle third.
    const share = Math.min(1, Math.max(0, (3 * x) / width - 1));
    return exposure * (shade + (1 - shade) * share * share * (3 - 2 * share));
  });
  for (let i = 0; i < data.length; i += 3) {
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let c = 0; c < 3; c++) sum += crosstalk[channel]![c]! * linear[data[i + c]!]! * light[c]!;
      scene[i + channel] = sum * lightAt[(i / 3) % width]!;
    }
  }
  return scene;
}

function addNoise(scene: Float32Array, { gain, seed }: CaptureSettings): Float32Array {
  const normal = seededNormal(seed);
  const random = seededRandom(seed + 1);
  const poisson = (mean: number) => {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let count = -1;
    for (let product = 1; product > Math.exp(-mean); count++) product *= random();
    return count;
  };
  return scene.map((light) => {
    const electrons = poisson((light * fullWellElectrons) / gain) + noiseBeforeGainElectrons * normal();
    return (electrons * gain) / fullWellElectrons + (noiseAfterGainElectrons / fullWellElectrons) * normal();
  });
}

/** Keeps one channel per pixel (RGGB) and interpolates the other two bilinearly, edges repeated. */
function interpolate(
  scene: Float32Array,
  width: number,
  height: number,
  { mosaic }: CaptureSettings,
): Float32Array {
  if (mosaic === 'none') return scene;
  const result = new Float32Array(scene.length);
  const channelAt = (x: number, y: number) => (y % 2 === 0 ? (x % 2 === 0 ? 0 : 1) : x % 2 === 0 ? 1 : 2);
  const reflect = (i: number, size: number) => (i < 0 ? -i : i >= size ? 2 * size - 2 - i : i);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let [sum, count] = [0, 0];
        if (channelAt(x, y) === channel) [sum, count] = [scene[(y * width + x) * 3 + channel]!, 1];
        else {
          for (let dy = -1; dy <= 1; dy++) {
            for (let dx = -1; dx <= 1; dx++) {
              const [nx, ny] = [reflect(x + dx, width), reflect(y + dy, height)];
              // A green pixel has four green neighbours across its edges; those at its corners are of its own kind.
              if (channelAt(nx, ny) !== channel || (channel === 1 && dx !== 0 && dy !== 0)) continue;
              sum += scene[(ny * width + nx) * 3 + channel]!;
              count++;
            }
          }
        }
        result[(y * width + x) * 3 + channel] = sum / count;
      }
    }
  }
  return result;
}

/** White balance, clipping and, unless the sensor sends linear light, gamma: 0 to 255, not rounded. */
function finish(scene: Float32Array, { whiteBalance, linear }: CaptureSettings): Float32Array {
  const exponent = linear ? 1 : 1 / gamma;
  return scene.map((light, i) => 255 * Math.min(1, Math.max(0, light * whiteBalance[i % 3]!)) ** exponent);
}

function toRgb565(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / 3) * 2);
  for (let i = 0; 3 * i < values.length; i++) {
    const red = Math.round((values[3 * i]! * 31) / 255);
    const green = Math.round((values[3 * i + 1]! * 63) / 255);
    const blue = Math.round((values[3 * i + 2]! * 31) / 255);
    bytes[2 * i] = (red << 3) | (green >> 3);
    bytes[2 * i + 1] = ((green & 7) << 5) | blue;
  }
  return bytes;
}

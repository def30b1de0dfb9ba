/** The colour of the light: what the sensor says of it, as far as the frame does not contradict it, or what the frame shows. */

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

export interface WhiteBalance {
  readonly source: 'headers' | 'frame' | 'none';
  readonly gains: readonly [number, number, number];
}

const gamma = 2.2;

type Gains = readonly [number, number, number];
type Light = readonly [red: number, blue: number];

/** How far what the sensor says may lie from what the frame shows, in logarithms: a factor of 2.7 in linear light. */
const mostBelievedDistance = 0.45;

/** Factors on red, green and blue with their gamma, and where they come from. */
export function whiteBalance(samples: ColourSamples, hints: ColourHints): WhiteBalance {
  const light = probableLight(samples);
  if (hints.illuminantGains) {
    const [r, g, b] = hints.illuminantGains;
    const [red, blue] = [Math.log(r / g) / gamma, Math.log(b / g) / gamma];
    if (light === null || Math.hypot(red - light[0], blue - light[1]) < mostBelievedDistance)
      return { source: 'headers', gains: [Math.exp(red), 1, Math.exp(blue)] };
  }
  const gains = hints.sensorBalanced || light === null ? null : certainBalance(light);
  return gains ? { source: 'frame', gains } : { source: 'none', gains: [1, 1, 1] };
}

/**
 * Shades of grey (Finlayson and Trezzi 2004) with power 8, then the most probable light given that scenes with people are redder than
 * grey, and that lights spread mostly from blue to orange; null where there is nothing to see. Logarithms of the gains of red and blue.
 */
function probableLight({ count, values }: ColourSamples): Light | null {
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
  return mostProbable(Math.log(g / r), Math.log(g / b));
}

/** Nothing where the light is near white. */
function certainBalance([red, blue]: Light): Gains | null {
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
function mostProbable(estimatedRed: number, blue: number): Light {
  const red = estimatedRed - sceneRedness;
  const a = lights.red + scenes.red;
  const d = lights.blue + scenes.blue;
  const determinant = a * d - lights.both ** 2;
  const x = (d * red - lights.both * blue) / determinant;
  const y = (a * blue - lights.both * red) / determinant;
  return [lights.red * x + lights.both * y, lights.both * x + lights.blue * y];
}

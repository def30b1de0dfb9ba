/** Frames that a sensor sent without a gamma curve: they get one as they are read, and are then like any other. */
import type { RoundingVariances } from './noise-fit.ts';
import type { ColourSamples } from './white-balance.ts';

/** The noise model's curve; it also looks like what the sensors themselves apply. */
const gamma = 2.2;

const codeOf = (light: number): number => 255 * light ** (1 / gamma);

/** 8-bit codes of linear light to codes with gamma. */
export const gammaTable: Uint8Array = Uint8Array.from({ length: 256 }, (_, v) => Math.round(codeOf(v / 255)));

/** Of linear frames of well exposed scenes the lower quarter and half stay below; with gamma already applied most are above both. */
const mostLowerQuartile = 34;
const mostMedian = 70;

/** The way back: what gammaTable's codes were before. */
const lightOf = Float32Array.from({ length: 256 }, (_, code) => 255 * (code / 255) ** gamma);

/**
 * Whether pixels that gammaTable has been applied to were linear before. False for those too bright for that: a second gamma curve washes
 * them out. A dark frame could be either, and passes.
 */
export function wereLinear({ count, values }: ColourSamples): boolean {
  let [dark, dim] = [0, 0];
  for (let i = 0; i < 3 * count; i += 3) {
    const mean = (lightAt(values[i]!) + lightAt(values[i + 1]!) + lightAt(values[i + 2]!)) / 3;
    if (mean <= mostLowerQuartile) dark++;
    if (mean <= mostMedian) dim++;
  }
  return dark > count >> 2 || dim > count >> 1;
}

const lightAt = (code: number): number => lightOf[(code + 0.5) | 0]!;

/**
 * Variance that rounding in linear light leaves in each code with gamma, for rounding steps of the three channels in 8-bit codes. Even
 * steps become large ones near black.
 */
export function linearRounding(steps: readonly [number, number, number]): RoundingVariances {
  return [roundingTable(steps[0]), roundingTable(steps[1]), roundingTable(steps[2])];
}

/** By step: there are three, and each takes longer to make than a small frame to read. */
const roundingTables = new Map<number, Float64Array>();

function roundingTable(step: number): Float64Array {
  const known = roundingTables.get(step);
  if (known) return known;
  const samples = 16;
  const table = Float64Array.from({ length: 256 }, (_, code) => {
    const light = (code / 255) ** gamma;
    let [sum, squares] = [0, 0];
    for (let i = 0; i < samples; i++) {
      const within = light + (((i + 0.5) / samples - 0.5) * step) / 255;
      const value = codeOf(Math.min(1, Math.max(0, within)));
      sum += value;
      squares += value * value;
    }
    const mean = sum / samples;
    // And once more, to whole codes.
    return Math.max(0, squares / samples - mean * mean) + 1 / 12;
  });
  roundingTables.set(step, table);
  return table;
}

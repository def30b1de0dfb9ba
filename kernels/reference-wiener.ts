/** assembly/wiener.ts in plain TypeScript. */
import { saturate16 } from './reference-dct.ts';

const { fround } = Math;

/** `args` are wienerPlane's, without the scratch. */
export function wienerReference(planes: Int16Array, args: readonly number[]): void {
  const [plane, target, stride, width, height, sigmas] = args as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const columns = width / 4 + 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [sum, squares] = [0, 0];
      for (let dy = -2; dy <= 2; dy++) {
        for (let dx = -2; dx <= 2; dx++) {
          const value = planes[(plane + (y + dy) * stride) / 2 + x + dx]!;
          sum += value;
          squares += value * value;
        }
      }
      const block = (2 * (y >> 3) + 1) * columns + 2 * (x >> 3) + 1;
      const sigma = fround(planes[sigmas / 2 + block]! / 64);
      const noise = fround(fround(fround(sigma * sigma) * 625) + 1);
      const variance = fround(25 * squares - sum * sum);
      const gain = fround(Math.max(0, fround(variance - noise)) / Math.max(variance, noise));
      const mean = fround(sum * fround(1.28));
      const away = fround(32 * planes[(plane + y * stride) / 2 + x]! - mean);
      planes[(target + y * stride) / 2 + x] = saturate16(roundToEven(fround(mean + fround(gain * away))));
    }
  }
}

function roundToEven(value: number): number {
  const down = Math.floor(value);
  return value - down > 0.5 || (value - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

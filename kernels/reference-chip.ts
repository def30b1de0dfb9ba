/** Cutting a chip, in plain TypeScript: interleaved floats [sizePx, sizePx, 3]. */
import type { ChipPlan } from './chip-plan.ts';
import type { Picture } from './picture.ts';

const { fround } = Math;

export function cutChip(picture: Picture, plan: ChipPlan, sizePx: number): Float32Array {
  let halved = picture;
  for (let level = 0; level < plan.halvings; level++) halved = halve(halved);
  const frame = framed(halved, plan);
  const pixels = new Float32Array(sizePx * sizePx * 3);
  for (let v = 0; v < sizePx; v++) {
    for (let u = 0; u < sizePx; u++) {
      pixels.set(
        plan.supersampled
          ? meanOfFour(frame, plan.map, u, v)
          : sample(frame, plan.map, u, v).map((value) => value / 16_384),
        (v * sizePx + u) * 3,
      );
    }
  }
  return pixels;
}

type Pixel = [number, number, number];

/** Each pixel the mean of four, rounded half up; an odd last column or row counts twice. */
function halve({ width, height, data }: Picture): Picture {
  const halfWidth = (width + 1) >> 1;
  const halfHeight = (height + 1) >> 1;
  const half = new Uint8Array(halfWidth * halfHeight * 3);
  const at = (x: number, y: number, colour: number) =>
    data[(Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 3 + colour]!;
  for (let y = 0; y < halfHeight; y++) {
    for (let x = 0; x < halfWidth; x++) {
      for (let c = 0; c < 3; c++) {
        const sum =
          at(2 * x, 2 * y, c) +
          at(2 * x + 1, 2 * y, c) +
          at(2 * x, 2 * y + 1, c) +
          at(2 * x + 1, 2 * y + 1, c);
        half[(y * halfWidth + x) * 3 + c] = (sum + 2) >> 2;
      }
    }
  }
  return { width: halfWidth, height: halfHeight, data: half };
}

/** The plan's crop inside a black frame, one pixel wide above and on the left, two below and on the right. */
function framed(picture: Picture, { left, top, width, height }: ChipPlan): Picture {
  const data = new Uint8Array((width + 3) * (height + 3) * 3);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * picture.width + left) * 3;
    data.set(picture.data.subarray(start, start + width * 3), ((y + 1) * (width + 3) + 1) * 3);
  }
  return { width: width + 3, height: height + 3, data };
}

/** Bilinear, the weights across in multiples of 1/16,384; the sample times 16,384. */
function sample(frame: Picture, map: Float32Array, u: number, v: number): Pixel {
  const [xu, xv, x0, yu, yv, y0, maxX, maxY] = map as unknown as number[];
  const x = clamp(fround(fround(xu! * u) + fround(fround(xv! * v) + x0!)), maxX!);
  const y = clamp(fround(fround(yu! * u) + fround(fround(yv! * v) + y0!)), maxY!);
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fx = roundToEven(fround(fround(x - column) * 16384));
  const fy = fround(y - row);
  const across = (dy: number, c: number) => {
    const left = ((row + dy) * frame.width + column) * 3 + c;
    return fround(frame.data[left]! * (16384 - fx) + frame.data[left + 3]! * fx);
  };
  const pixel: Pixel = [0, 0, 0];
  for (let c = 0; c < 3; c++) {
    const top = across(0, c);
    pixel[c] = fround(top + fround(fround(across(1, c) - top) * fy));
  }
  return pixel;
}

function meanOfFour(frame: Picture, map: Float32Array, u: number, v: number): Pixel {
  const sums: Pixel = [0, 0, 0];
  for (const dv of [-0.25, 0.25]) {
    for (const du of [-0.25, 0.25]) {
      sample(frame, map, u + du, v + dv).forEach((value, c) => {
        sums[c] = fround(sums[c]! + value);
      });
    }
  }
  return sums.map((sum) => sum / 65_536) as Pixel;
}

const clamp = (x: number, max: number) => Math.min(Math.max(x, 0), max);

function roundToEven(x: number): number {
  const down = Math.floor(x);
  return x - down > 0.5 || (x - down === 0.5 && down % 2 === 1) ? down + 1 : down;
}

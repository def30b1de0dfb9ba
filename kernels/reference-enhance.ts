/**
 * The enhancement kernels in plain TypeScript, over the same kind of memory and with the same arguments: the specification, and the
 * oracle of the tests. All of it is whole numbers, so both give the same bits.
 */

import type { EnhanceExports } from './enhance-kernels.ts';
import { createReferenceKernels } from './reference.ts';
import { composeReference } from './reference-compose.ts';
import {
  blockCoefficients,
  inverse8,
  readMultipliers,
  saturate16,
  times15,
  wrap16,
} from './reference-dct.ts';
import { wienerReference } from './reference-wiener.ts';

export function createReferenceEnhance(): EnhanceExports {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = () => new Uint8Array(memory.buffer);
  const shorts = () => new Int16Array(memory.buffer);
  const words = () => new Int32Array(memory.buffer);
  const pictures = createReferenceKernels();

  /** Stores S, D and E of a picture of three bytes a pixel; `pixel(i, c)` reads it. */
  const split = (
    pixel: (index: number, channel: number) => number,
    width: number,
    height: number,
    [s, sStride, d, e, halfStride]: readonly number[],
  ) => {
    const m = shorts();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        m[(s! + y * sStride!) / 2 + x] = pixel(i, 0) + pixel(i, 1) + pixel(i, 2) - 382;
        if (x % 2 === 1 || y % 2 === 1) continue;
        let [red, green, blue] = [0, 0, 0];
        for (const j of [i, i + 1, i + width, i + width + 1]) {
          red += pixel(j, 0);
          green += pixel(j, 1);
          blue += pixel(j, 2);
        }
        const half = ((y / 2) * halfStride!) / 2 + x / 2;
        m[d! / 2 + half] = (red - blue + 1) >> 1;
        m[e! / 2 + half] = (red - 2 * green + blue + 2) >> 2;
      }
    }
  };

  return {
    memory,
    unpackGrayscale(source, target, pixels) {
      const { data } = pictures.unpackGrayscale(bytes().slice(source, source + pixels), pixels, 1);
      bytes().set(data, target);
    },
    unpackYuv422(source, target, pixels) {
      const { data } = pictures.unpackYuv422(bytes().slice(source, source + pixels * 2), 2, pixels / 2);
      bytes().set(data, target);
    },
    unpackRgb565(source, target, pixels, bigEndian) {
      const codes = bytes().slice(source, source + pixels * 2);
      const { data } = pictures.unpackRgb565(codes, pixels, 1, bigEndian ? 'BE' : 'LE');
      bytes().set(data, target);
    },
    mapBytes(address, count, table) {
      const m = bytes();
      for (let i = address; i < address + count; i++) m[i] = m[table + m[i]!]!;
    },
    splitRgb888(source, width, height, ...planes) {
      const m = bytes();
      split((i, c) => m[source + 3 * i + c]!, width, height, planes);
    },
    splitRgb565(source, width, height, bigEndian, ...planes) {
      const codes = bytes().slice(source, source + width * height * 2);
      const { data } = pictures.unpackRgb565(codes, width, height, bigEndian ? 'BE' : 'LE');
      split((i, c) => data[3 * i + c]!, width, height, planes);
    },
    padPlane(plane, width, height, stride) {
      const m = shorts();
      const at = (x: number, y: number) => (plane + y * stride) / 2 + x;
      for (let y = -8; y < height + 8; y++) {
        for (let x = -8; x < width + 8; x++) {
          m[at(x, y)] = m[at(Math.min(width - 1, Math.max(0, x)), Math.min(height - 1, Math.max(0, y)))]!;
        }
      }
    },
    cellSums(plane, stride, width, height, _scratch, levels) {
      const m = shorts();
      for (let y = -4; y <= height - 4; y += 4) {
        for (let x = -4; x <= width - 4; x += 4) {
          let sum = 32;
          for (let j = 0; j < 64; j++) sum += m[(plane + (y + (j >> 3)) * stride) / 2 + x + (j & 7)]!;
          bytes()[levels++] = Math.max(0, Math.min(255, (((sum >> 6) + 382) * 85 + 128) >> 8));
        }
      }
    },
    noiseMap(levels, counts, levelColumns, columns, rows, step, table, target) {
      const m = new Uint16Array(memory.buffer);
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          const i = y * step * levelColumns + x * step;
          const level = bytes()[levels + i]!;
          m[target / 2 + y * columns + x] = m[table / 2 + (bytes()[counts + i]! - 1) * 256 + level]!;
        }
      }
    },
    blockSpectra(plane, stride, width, height, step, table, weights, target, energies) {
      const multipliers = readMultipliers(shorts().subarray(table / 2));
      const floats = new Float32Array(memory.buffer);
      let blocks = 0;
      for (let y = 0; y + 8 <= height; y += step) {
        for (let x = 0; x + 8 <= width; x += step, blocks++) {
          const coefficients = blockCoefficients(
            shorts(),
            (plane + y * stride) / 2 + x,
            stride / 2,
            multipliers,
          );
          shorts().set(coefficients, target / 2 + blocks * 64);
          floats[energies / 4 + blocks] = energy(
            coefficients,
            floats.subarray(weights / 4, weights / 4 + 64),
          );
        }
      }
      return blocks;
    },
    shrinkPlane(plane, target, stride, width, height, sigmas, table) {
      const m = shorts();
      const thresholds = m.slice(table / 2, table / 2 + 72);
      const multipliers = readMultipliers(thresholds);
      const row = stride / 2;
      const first = target / 2 - 4 * row - 4;
      for (let y = 0; y < height + 8; y++) m.fill(0, first + y * row, first + y * row + width + 8);
      for (let y = 0, block = sigmas / 2; y <= height; y += 4) {
        // Sums across the strip in the order [column][down frequency].
        const sums = new Int16Array((width + 8) * 8);
        const corner = plane / 2 + (y - 4) * row - 4;
        for (let x = 0; x <= width; x += 4, block++) {
          const coefficients = blockCoefficients(m, corner + x, row, multipliers);
          const sigma = m[block]!;
          for (let i = 0; i < 64; i++) {
            const c = coefficients[i]!;
            const threshold = times15(thresholds[i]!, sigma);
            const size = Math.abs(c);
            const left = Math.min(size, 2 * Math.max(0, size - threshold));
            coefficients[i] = times15(c < 0 ? -left : left, 8192);
          }
          for (let v = 0; v < 8; v++) {
            inverse8(
              Array.from({ length: 8 }, (_, u) => coefficients[u * 8 + v]!),
              multipliers,
            ).forEach((value, i) => {
              const at = (x + i) * 8 + v;
              sums[at] = saturate16(sums[at]! + value);
            });
          }
        }
        for (let x = 0; x < width + 8; x++) {
          inverse8(sums.subarray(x * 8, x * 8 + 8), multipliers).forEach((value, i) => {
            const at = first + (y + i) * row + x;
            m[at] = saturate16(m[at]! + value);
          });
        }
      }
    },
    wienerPlane(plane, target, stride, width, height, sigmas) {
      wienerReference(shorts(), [plane, target, stride, width, height, sigmas]);
    },
    smoothPlane(plane, other, stride, width, height, spacing) {
      const m = shorts();
      const row = stride / 2;
      const pass = (from: number, to: number, step: number, rows: readonly [number, number]) => {
        for (let y = rows[0]; y < rows[1]; y++) {
          for (let x = 0; x < width; x++) {
            const at = from / 2 + y * row + x;
            const near = saturate16(m[at - step]! + m[at + step]!);
            const far = saturate16(m[at - 2 * step]! + m[at + 2 * step]!);
            m[to / 2 + y * row + x] = times15(m[at]!, 12_288) + (times15(near, 8192) + times15(far, 2048));
          }
        }
      };
      pass(plane, other, spacing, [-4, height + 4]);
      pass(other, plane, spacing * row, [0, height]);
    },
    sharpenPlane(plane, other, stride, width, height, strength) {
      const m = shorts();
      const row = stride / 2;
      const pass = (from: number, to: number, step: number, rows: readonly [number, number]) => {
        for (let y = rows[0]; y < rows[1]; y++) {
          for (let x = 0; x < width; x++) {
            const at = from / 2 + y * row + x;
            const curve = saturate16(saturate16(m[at]! - m[at - step]!) - saturate16(m[at + step]! - m[at]!));
            m[to / 2 + y * row + x] = saturate16(m[at]! + times15(curve, strength));
          }
        }
      };
      pass(plane, other, 1, [-4, height + 4]);
      pass(other, plane, row, [0, height]);
    },
    cellChanges(plane, merged, stride, width, height, target) {
      const m = shorts();
      const results = words();
      for (let y = 0, at = target / 4; y < height; y += 8) {
        for (let x = 0; x < width; x += 8, at += 4) {
          results.fill(0, at, at + 4);
          for (let j = 0; j < 64; j++) {
            const offset = ((y + (j >> 3)) * stride) / 2 + x + (j & 7);
            const before = saturate16(m[merged / 2 + offset]! + 16) >> 5;
            const change = m[plane / 2 + offset]! - before;
            results[at]! += change * change;
            results[at + 1]! += change;
            results[at + 2]! += before;
            results[at + 3]! += before * before;
          }
        }
      }
    },
    mergePlane(plane, merged, stride, width, height, shares, shareColumns, shift) {
      const m = shorts();
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const offset = (y * stride) / 2 + x;
          const before = m[merged / 2 + offset]!;
          const share = m[shares / 2 + (y >> shift) * shareColumns + (x >> shift)]!;
          const change = saturate16(wrap16(m[plane / 2 + offset]! << 5) - before);
          const after = saturate16(before + times15(change, share));
          m[merged / 2 + offset] = after;
          m[plane / 2 + offset] = saturate16(after + 16) >> 5;
        }
      }
    },
    halvePlane(plane, stride, width, height, target, targetStride) {
      const m = shorts();
      for (let y = 0; y < height / 2; y++) {
        for (let x = 0; x < width / 2; x++) {
          const at = plane / 2 + y * stride + 2 * x;
          const column = (i: number) => saturate16(m[at + i]! + m[at + stride / 2 + i]!);
          m[target / 2 + (y * targetStride) / 2 + x] = (column(0) + column(1) + 2) >> 2;
        }
      }
    },
    guideSums(guide, d, e, stride, width, height, target) {
      const m = shorts();
      const results = words();
      for (let y = 0, at = target / 4; y < height; y += 8) {
        for (let x = 0; x < width; x += 8, at += 6) {
          results.fill(0, at, at + 6);
          for (let j = 0; j < 64; j++) {
            const offset = ((y + (j >> 3)) * stride) / 2 + x + (j & 7);
            const [g, vd, ve] = [guide, d, e].map((plane) => m[plane / 2 + offset]! >> 3) as [
              number,
              number,
              number,
            ];
            [g, g * g, vd, vd * g, ve, ve * g].forEach((value, i) => {
              results[at + i]! += value;
            });
          }
        }
      }
    },
    composePicture(...args) {
      composeReference(shorts(), bytes(), args);
    },
  };
}

const { fround } = Math;

/** Weighted squares in single precision, added in the order of the kernel: eight rows into four lanes, then across. */
function energy(coefficients: Int16Array, weights: Float32Array): number {
  const lanes = new Float32Array(4);
  for (let u = 0; u < 8; u++) {
    for (let lane = 0; lane < 4; lane++) {
      const [low, high] = [u * 8 + lane, u * 8 + lane + 4];
      const square = (i: number) => fround(fround(coefficients[i]! * coefficients[i]!) * weights[i]!);
      lanes[lane] = lanes[lane]! + fround(square(low) + square(high));
    }
  }
  return fround(fround(lanes[0]! + lanes[1]!) + fround(lanes[2]! + lanes[3]!));
}

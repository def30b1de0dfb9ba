/** assembly/compose.ts in plain TypeScript. */
import { saturate16, times15, wrap16 } from './reference-dct.ts';

/** `args` are composePicture's: S, its stride, D, E, guide, slopes, the stride of these three planes, width, height, correction, scratch, target. */
export function composeReference(planes: Int16Array, bytes: Uint8Array, args: readonly number[]): void {
  const [s, sStride, d, e, guide, slopes, halfStride, width, height, correction, , target] = args as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const block = planes.slice(correction / 2, correction / 2 + 20);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const half = { plane: 0, stride: halfStride / 2, x, y };
      const sum = planes[(s + y * sStride) / 2 + x]!;
      const detail = wrap16(sum - wrap16(between4(planes, { ...half, plane: guide / 2 }) << 2));
      const [dSlope, eSlope] = planes.subarray(slopes / 2 + 2 * (x >> 4)) as unknown as [number, number];
      const difference = wrap16(between4(planes, { ...half, plane: d / 2 }) + times15(detail, dSlope));
      const green = wrap16(between4(planes, { ...half, plane: e / 2 }) + times15(detail, eSlope));
      for (let c = 0; c < 3; c++) {
        const [bySum, byDifference, byGreen, constant] = block.subarray(
          c * 4,
          c * 4 + 4,
        ) as unknown as number[];
        const value = sum * bySum! + difference * byDifference! + (green * byGreen! + block[18]! * constant!);
        bytes[target + (y * width + x) * 3 + c] = tone(saturate16(value >> 12), block);
      }
    }
  }
}

/** Between four elements of a half-size plane: 9, 3, 3 and 1 sixteenths of them, at a quarter of the plane's scale. */
function between4(
  planes: Int16Array,
  { plane, stride, x, y }: { plane: number; stride: number; x: number; y: number },
): number {
  const [column, row] = [x >> 1, y >> 1];
  const otherColumn = x % 2 === 0 ? column - 1 : column + 1;
  const otherRow = y % 2 === 0 ? row - 1 : row + 1;
  const at = (px: number, py: number) => planes[plane + py * stride + px]! >> 2;
  const between = (near: number, far: number) => wrap16(3 * near + far + 2) >> 2;
  return between(
    between(at(column, row), at(column, otherRow)),
    between(at(otherColumn, row), at(otherColumn, otherRow)),
  );
}

/** Lift, shoulder, rounding: from pixels x 32 to 0 to 255. */
function tone(value: number, block: Int16Array): number {
  const [lift, knee, reach, shoulder, white, toPixels] = block.subarray(12, 18) as unknown as number[];
  let v = Math.max(0, value);
  v = saturate16(v + times15(wrap16(times15(v, wrap16(white! - v)) << 2), lift!));
  const above = wrap16(Math.min(Math.max(wrap16(v - knee!), 0), reach!) << 3);
  v = saturate16(v - times15(times15(above, above), shoulder!));
  return Math.max(0, Math.min(255, times15(v, toPixels!)));
}

/** The 16-bit transform of assembly/dct.ts in plain TypeScript: lane by lane, wrapping and saturating where the kernel does. */

export const wrap16 = (value: number) => (value << 16) >> 16;
export const saturate16 = (value: number) => Math.min(32_767, Math.max(-32_768, value));

/** Times a 15-bit fraction, rounded. */
export const times15 = (value: number, fraction: number) => saturate16((value * fraction + 0x4000) >> 15);

export interface Multipliers {
  readonly c7071: number;
  readonly c3827: number;
  readonly c5412: number;
  readonly c3066: number;
  readonly c4142: number;
  readonly c1522: number;
  readonly c0824: number;
  readonly c6131: number;
}

/** Eight values to eight coefficients. */
export function forward8(x: ArrayLike<number>, { c7071, c3827, c5412, c3066 }: Multipliers): number[] {
  const [x0, x1, x2, x3, x4, x5, x6, x7] = x as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [s07, s16, s25, s34] = [wrap16(x0 + x7), wrap16(x1 + x6), wrap16(x2 + x5), wrap16(x3 + x4)];
  const [d07, d16, d25, d34] = [wrap16(x0 - x7), wrap16(x1 - x6), wrap16(x2 - x5), wrap16(x3 - x4)];
  const [e0, e1, e2, e3] = [wrap16(s07 + s34), wrap16(s16 + s25), wrap16(s16 - s25), wrap16(s07 - s34)];
  const z1 = times15(wrap16(e2 + e3), c7071);
  const [o0, o1, o2] = [wrap16(d34 + d25), wrap16(d25 + d16), wrap16(d16 + d07)];
  const z5 = times15(wrap16(o0 - o2), c3827);
  const z2 = times15(o0, c5412) + z5;
  const z4 = o2 + times15(o2, c3066) + z5;
  const z3 = times15(o1, c7071);
  const [z11, z13] = [d07 + z3, d07 - z3];
  return [e0 + e1, z11 + z4, e3 + z1, z13 - z2, e0 - e1, z13 + z2, e3 - z1, z11 - z4].map(wrap16);
}

/** Eight coefficients to eight times the values. */
export function inverse8(y: ArrayLike<number>, { c4142, c1522, c0824, c6131 }: Multipliers): number[] {
  const [y0, y1, y2, y3, y4, y5, y6, y7] = y as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [a0, a1, a3, d26] = [y0 + y4, y0 - y4, y2 + y6, wrap16(y2 - y6)];
  const a2 = d26 + times15(d26, c4142) - a3;
  const [e0, e1, e2, e3] = [a0 + a3, a1 + a2, a1 - a2, a0 - a3];
  const [z13, z10, z11, z12] = [wrap16(y5 + y3), wrap16(y5 - y3), wrap16(y1 + y7), wrap16(y1 - y7)];
  const o7 = z11 + z13;
  const d11 = wrap16(z11 - z13);
  const o11 = d11 + times15(d11, c4142);
  const s5 = wrap16(z10 + z12);
  const z5 = s5 + s5 - times15(s5, c1522);
  const o10 = z12 + times15(z12, c0824) - z5;
  const o12 = z5 - (z10 + z10 + times15(z10, c6131));
  const o6 = o12 - o7;
  const o5 = o11 - o6;
  const o4 = o10 + o5;
  return [e0 + o7, e1 + o6, e2 + o5, e3 - o4, e3 + o4, e2 - o5, e1 - o6, e0 - o7].map(wrap16);
}

export function readMultipliers(table: Int16Array): Multipliers {
  const [c7071, c3827, c5412, c3066, c4142, c1522, c0824, c6131] = table.subarray(
    64,
    72,
  ) as unknown as number[];
  return {
    c7071: c7071!,
    c3827: c3827!,
    c5412: c5412!,
    c3066: c3066!,
    c4142: c4142!,
    c1522: c1522!,
    c0824: c0824!,
    c6131: c6131!,
  };
}

/** Coefficients [across x 8 + down] of the block whose first element is `at` in a plane of `stride` elements. */
export function blockCoefficients(
  plane: Int16Array,
  at: number,
  stride: number,
  multipliers: Multipliers,
): Int16Array {
  const down = new Int16Array(64);
  for (let x = 0; x < 8; x++) {
    const column = forward8(
      Array.from({ length: 8 }, (_, y) => plane[at + y * stride + x]!),
      multipliers,
    );
    // Halved between the passes, so that the second one cannot overflow.
    column.forEach((value, v) => {
      down[v * 8 + x] = times15(value, 16_384);
    });
  }
  const coefficients = new Int16Array(64);
  for (let v = 0; v < 8; v++) {
    forward8(down.subarray(v * 8, v * 8 + 8), multipliers).forEach((value, u) => {
      coefficients[u * 8 + v] = value;
    });
  }
  return coefficients;
}

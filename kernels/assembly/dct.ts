// Eight-point DCT of eight columns at once, in 16-bit integers (Arai, Agui and Nakajima 1988; the flow graph as in the IJG's fast
// integer transform). Outputs carry that algorithm's factors: forward gives sqrt(8) a[u] times the orthonormal coefficient, with
// a[0] = 1 and a[u] = sqrt(2) cos(u pi / 16); inverse of forward gives eight times the input.
//
// Each function gives one of eight results, chosen by a constant first argument, so that they stay in registers: what several
// results share is computed once, since the compilers find equal expressions.

import { times } from './times';

/** Coefficient `u` of eight values. */
// @ts-ignore: decorator
@inline export function forward(
  u: i32, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, x7: v128,
  c7071: v128, c3827: v128, c5412: v128, c3066: v128,
): v128 {
  if ((u & 1) == 0) {
    const s07 = i16x8.add(x0, x7);
    const s16 = i16x8.add(x1, x6);
    const s25 = i16x8.add(x2, x5);
    const s34 = i16x8.add(x3, x4);
    if ((u & 3) == 0) {
      const e0 = i16x8.add(s07, s34);
      const e1 = i16x8.add(s16, s25);
      return u == 0 ? i16x8.add(e0, e1) : i16x8.sub(e0, e1);
    }
    const e2 = i16x8.sub(s16, s25);
    const e3 = i16x8.sub(s07, s34);
    const z1 = times(i16x8.add(e2, e3), c7071);
    return u == 2 ? i16x8.add(e3, z1) : i16x8.sub(e3, z1);
  }
  const d07 = i16x8.sub(x0, x7);
  const d16 = i16x8.sub(x1, x6);
  const d25 = i16x8.sub(x2, x5);
  const d34 = i16x8.sub(x3, x4);
  const o0 = i16x8.add(d34, d25);
  const o1 = i16x8.add(d25, d16);
  const o2 = i16x8.add(d16, d07);
  const z5 = times(i16x8.sub(o0, o2), c3827);
  const z3 = times(o1, c7071);
  if (u == 3 || u == 5) {
    const z2 = i16x8.add(times(o0, c5412), z5);
    const z13 = i16x8.sub(d07, z3);
    return u == 5 ? i16x8.add(z13, z2) : i16x8.sub(z13, z2);
  }
  const z4 = i16x8.add(i16x8.add(o2, times(o2, c3066)), z5);
  const z11 = i16x8.add(d07, z3);
  return u == 1 ? i16x8.add(z11, z4) : i16x8.sub(z11, z4);
}

/** Value `i`, times eight, of eight coefficients. */
// @ts-ignore: decorator
@inline export function inverse(
  i: i32, y0: v128, y1: v128, y2: v128, y3: v128, y4: v128, y5: v128, y6: v128, y7: v128,
  c4142: v128, c1522: v128, c0824: v128, c6131: v128,
): v128 {
  const a3 = i16x8.add(y2, y6);
  const d26 = i16x8.sub(y2, y6);
  const a2 = i16x8.sub(i16x8.add(d26, times(d26, c4142)), a3);
  const a0 = i16x8.add(y0, y4);
  const a1 = i16x8.sub(y0, y4);
  const e0 = i16x8.add(a0, a3);
  const e1 = i16x8.add(a1, a2);
  const e2 = i16x8.sub(a1, a2);
  const e3 = i16x8.sub(a0, a3);
  const z13 = i16x8.add(y5, y3);
  const z10 = i16x8.sub(y5, y3);
  const z11 = i16x8.add(y1, y7);
  const z12 = i16x8.sub(y1, y7);
  const o7 = i16x8.add(z11, z13);
  const d11 = i16x8.sub(z11, z13);
  const o11 = i16x8.add(d11, times(d11, c4142));
  const s5 = i16x8.add(z10, z12);
  const z5 = i16x8.sub(i16x8.add(s5, s5), times(s5, c1522));
  const o10 = i16x8.sub(i16x8.add(z12, times(z12, c0824)), z5);
  const o12 = i16x8.sub(z5, i16x8.add(i16x8.add(z10, z10), times(z10, c6131)));
  const o6 = i16x8.sub(o12, o7);
  const o5 = i16x8.sub(o11, o6);
  const o4 = i16x8.add(o10, o5);
  if (i == 0) return i16x8.add(e0, o7);
  if (i == 1) return i16x8.add(e1, o6);
  if (i == 2) return i16x8.add(e2, o5);
  if (i == 3) return i16x8.sub(e3, o4);
  if (i == 4) return i16x8.add(e3, o4);
  if (i == 5) return i16x8.sub(e2, o5);
  if (i == 6) return i16x8.sub(e1, o6);
  return i16x8.sub(e0, o7);
}

/**
 * Coefficients down eight columns of eight values, times a fraction (a half or less, so that a second pass cannot overflow), and turned: the
 * eight of a column lie side by side, 16 bytes for each column, at `to`.
 */
// @ts-ignore: decorator
@inline export function turnedColumns(
  from: usize, stride: usize, to: usize, c7071: v128, c3827: v128, c5412: v128, c3066: v128, fraction: v128,
): void {
  const x0 = v128.load(from);
  const x1 = v128.load(from + stride);
  const x2 = v128.load(from + stride * 2);
  const x3 = v128.load(from + stride * 3);
  const x4 = v128.load(from + stride * 4);
  const x5 = v128.load(from + stride * 5);
  const x6 = v128.load(from + stride * 6);
  const x7 = v128.load(from + stride * 7);
  const d0 = times(forward(0, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  const d1 = times(forward(1, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  const d2 = times(forward(2, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  const d3 = times(forward(3, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  const d4 = times(forward(4, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  const d5 = times(forward(5, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  const d6 = times(forward(6, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  const d7 = times(forward(7, x0, x1, x2, x3, x4, x5, x6, x7, c7071, c3827, c5412, c3066), fraction);
  v128.store(to, transposed(0, d0, d1, d2, d3, d4, d5, d6, d7));
  v128.store(to, transposed(1, d0, d1, d2, d3, d4, d5, d6, d7), 16);
  v128.store(to, transposed(2, d0, d1, d2, d3, d4, d5, d6, d7), 32);
  v128.store(to, transposed(3, d0, d1, d2, d3, d4, d5, d6, d7), 48);
  v128.store(to, transposed(4, d0, d1, d2, d3, d4, d5, d6, d7), 64);
  v128.store(to, transposed(5, d0, d1, d2, d3, d4, d5, d6, d7), 80);
  v128.store(to, transposed(6, d0, d1, d2, d3, d4, d5, d6, d7), 96);
  v128.store(to, transposed(7, d0, d1, d2, d3, d4, d5, d6, d7), 112);
}

/** Row `i` of eight rows of eight integers, transposed. */
// @ts-ignore: decorator
@inline export function transposed(
  i: i32, r0: v128, r1: v128, r2: v128, r3: v128, r4: v128, r5: v128, r6: v128, r7: v128,
): v128 {
  const upper = i >= 4;
  const a = zipped(r0, r1, upper);
  const b = zipped(r2, r3, upper);
  const c = zipped(r4, r5, upper);
  const d = zipped(r6, r7, upper);
  const last = (i & 2) == 2;
  const p = last ? v128.shuffle<i32>(a, b, 2, 6, 3, 7) : v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const q = last ? v128.shuffle<i32>(c, d, 2, 6, 3, 7) : v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  return (i & 1) == 0 ? v128.shuffle<i64>(p, q, 0, 2) : v128.shuffle<i64>(p, q, 1, 3);
}

// @ts-ignore: decorator
@inline function zipped(a: v128, b: v128, upper: bool): v128 {
  return upper ? i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15) : i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

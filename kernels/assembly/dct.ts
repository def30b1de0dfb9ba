// Eight-point DCT of eight columns at once, in 16-bit integers (Arai, Agui and Nakajima 1988; the flow graph as in the IJG's fast
// integer transform). Outputs carry that algorithm's factors: forward gives sqrt(8) a[u] times the orthonormal coefficient, with
// a[0] = 1 and a[u] = sqrt(2) cos(u pi / 16); inverse of forward gives eight times the input.

// Multiplies by a 15-bit fraction, rounded.
// @ts-ignore: decorator
@inline function times(v: v128, fraction: v128): v128 {
  return i16x8.q15mulr_sat_s(v, fraction);
}

/** Reads rows at `from`, writes rows at `to`. */
// @ts-ignore: decorator
@inline export function forward(
  from: usize, fromStride: usize, to: usize, toStride: usize,
  c7071: v128, c3827: v128, c5412: v128, c3066: v128,
): void {
  const x0 = v128.load(from);
  const x1 = v128.load(from + fromStride);
  const x2 = v128.load(from + fromStride * 2);
  const x3 = v128.load(from + fromStride * 3);
  const x4 = v128.load(from + fromStride * 4);
  const x5 = v128.load(from + fromStride * 5);
  const x6 = v128.load(from + fromStride * 6);
  const x7 = v128.load(from + fromStride * 7);
  const s07 = i16x8.add(x0, x7);
  const d07 = i16x8.sub(x0, x7);
  const s16 = i16x8.add(x1, x6);
  const d16 = i16x8.sub(x1, x6);
  const s25 = i16x8.add(x2, x5);
  const d25 = i16x8.sub(x2, x5);
  const s34 = i16x8.add(x3, x4);
  const d34 = i16x8.sub(x3, x4);
  const e0 = i16x8.add(s07, s34);
  const e3 = i16x8.sub(s07, s34);
  const e1 = i16x8.add(s16, s25);
  const e2 = i16x8.sub(s16, s25);
  v128.store(to, i16x8.add(e0, e1));
  v128.store(to + toStride * 4, i16x8.sub(e0, e1));
  const z1 = times(i16x8.add(e2, e3), c7071);
  v128.store(to + toStride * 2, i16x8.add(e3, z1));
  v128.store(to + toStride * 6, i16x8.sub(e3, z1));
  const o0 = i16x8.add(d34, d25);
  const o1 = i16x8.add(d25, d16);
  const o2 = i16x8.add(d16, d07);
  const z5 = times(i16x8.sub(o0, o2), c3827);
  const z2 = i16x8.add(times(o0, c5412), z5);
  const z4 = i16x8.add(i16x8.add(o2, times(o2, c3066)), z5);
  const z3 = times(o1, c7071);
  const z11 = i16x8.add(d07, z3);
  const z13 = i16x8.sub(d07, z3);
  v128.store(to + toStride * 5, i16x8.add(z13, z2));
  v128.store(to + toStride * 3, i16x8.sub(z13, z2));
  v128.store(to + toStride, i16x8.add(z11, z4));
  v128.store(to + toStride * 7, i16x8.sub(z11, z4));
}

// @ts-ignore: decorator
@inline function accumulate(to: usize, v: v128): void {
  v128.store(to, i16x8.add_sat_s(v128.load(to), v));
}

/** Reads rows at `from`, adds to rows at `to`. */
// @ts-ignore: decorator
@inline export function inverse(
  from: usize, fromStride: usize, to: usize, toStride: usize,
  c4142: v128, c1522: v128, c0824: v128, c6131: v128,
): void {
  const y0 = v128.load(from);
  const y1 = v128.load(from + fromStride);
  const y2 = v128.load(from + fromStride * 2);
  const y3 = v128.load(from + fromStride * 3);
  const y4 = v128.load(from + fromStride * 4);
  const y5 = v128.load(from + fromStride * 5);
  const y6 = v128.load(from + fromStride * 6);
  const y7 = v128.load(from + fromStride * 7);
  const a0 = i16x8.add(y0, y4);
  const a1 = i16x8.sub(y0, y4);
  const a3 = i16x8.add(y2, y6);
  const d26 = i16x8.sub(y2, y6);
  const a2 = i16x8.sub(i16x8.add(d26, times(d26, c4142)), a3);
  const e0 = i16x8.add(a0, a3);
  const e3 = i16x8.sub(a0, a3);
  const e1 = i16x8.add(a1, a2);
  const e2 = i16x8.sub(a1, a2);
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
  accumulate(to, i16x8.add(e0, o7));
  accumulate(to + toStride * 7, i16x8.sub(e0, o7));
  accumulate(to + toStride, i16x8.add(e1, o6));
  accumulate(to + toStride * 6, i16x8.sub(e1, o6));
  accumulate(to + toStride * 2, i16x8.add(e2, o5));
  accumulate(to + toStride * 5, i16x8.sub(e2, o5));
  accumulate(to + toStride * 4, i16x8.add(e3, o4));
  accumulate(to + toStride * 3, i16x8.sub(e3, o4));
}

/** Transposes 8x8 integers from 16-byte rows at `from` to 16-byte rows at `to`, each (value + `rounding`) >> `shift`. */
// @ts-ignore: decorator
@inline export function transpose(from: usize, to: usize, rounding: v128, shift: i32): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from, 16);
  const r2 = v128.load(from, 32);
  const r3 = v128.load(from, 48);
  const r4 = v128.load(from, 64);
  const r5 = v128.load(from, 80);
  const r6 = v128.load(from, 96);
  const r7 = v128.load(from, 112);
  const a0 = i16x8.shuffle(r0, r1, 0, 8, 1, 9, 2, 10, 3, 11);
  const a1 = i16x8.shuffle(r2, r3, 0, 8, 1, 9, 2, 10, 3, 11);
  const a2 = i16x8.shuffle(r4, r5, 0, 8, 1, 9, 2, 10, 3, 11);
  const a3 = i16x8.shuffle(r6, r7, 0, 8, 1, 9, 2, 10, 3, 11);
  const b0 = i16x8.shuffle(r0, r1, 4, 12, 5, 13, 6, 14, 7, 15);
  const b1 = i16x8.shuffle(r2, r3, 4, 12, 5, 13, 6, 14, 7, 15);
  const b2 = i16x8.shuffle(r4, r5, 4, 12, 5, 13, 6, 14, 7, 15);
  const b3 = i16x8.shuffle(r6, r7, 4, 12, 5, 13, 6, 14, 7, 15);
  storeTransposed(to, a0, a1, a2, a3, rounding, shift);
  storeTransposed(to + 64, b0, b1, b2, b3, rounding, shift);
}

// @ts-ignore: decorator
@inline function storeTransposed(to: usize, a0: v128, a1: v128, a2: v128, a3: v128, rounding: v128, shift: i32): void {
  const p = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
  const q = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
  const r = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7);
  const s = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
  v128.store(to, shifted(v128.shuffle<i64>(p, q, 0, 2), rounding, shift));
  v128.store(to, shifted(v128.shuffle<i64>(p, q, 1, 3), rounding, shift), 16);
  v128.store(to, shifted(v128.shuffle<i64>(r, s, 0, 2), rounding, shift), 32);
  v128.store(to, shifted(v128.shuffle<i64>(r, s, 1, 3), rounding, shift), 48);
}

// @ts-ignore: decorator
@inline function shifted(v: v128, rounding: v128, shift: i32): v128 {
  return shift == 0 ? v : i16x8.shr_s(i16x8.add(v, rounding), shift);
}

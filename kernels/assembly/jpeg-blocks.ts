// Forward DCT and quantisation of one block.

import { forward, turnedColumns } from './dct';
import { picked, times } from './times';

// Multipliers of the transform x 32,768 (0.7071, 0.3827, 0.5412, 0.3066), and an eighth.
const FACTORS = memory.data<u16>([23170, 12540, 17734, 10045, 4096]);

// Magnitude of a coefficient's quotient, rounded half up.
// @ts-ignore: decorator
@inline function quotient(c: v128, quantisers: usize, u: usize, shift: i32): v128 {
  const raised = i16x8.add(i16x8.abs(c), v128.load(quantisers + u, 128));
  return i16x8.shr_s(times(raised, v128.load(quantisers + u)), shift);
}

// With the sign of the coefficient.
// @ts-ignore: decorator
@inline function signed(q: v128, c: v128): v128 {
  const sign = i16x8.shr_s(c, 15);
  return i16x8.sub(v128.xor(q, sign), sign);
}

// Of 16 bytes of a block those that are among 16 of the order of coding, in that order.
// @ts-ignore: decorator
@inline function ordered(bytes: v128, order: usize): v128 {
  return picked(bytes, v128.load(order));
}

/**
 * Quantises the block of 8x8 16-bit integers at `source`: 64 of them to `block`, in the order [across][down]. `quantisers` holds, in the
 * same order, 64 multipliers, then 64 numbers that are added before: see Quantiser in jpeg-tables.ts.
 * `order` holds, for each 16 coefficients in the order of coding, the bytes to take from each 16 of the block (128: none).
 * Gives a bit for each coefficient that is not 0, the first of the order of coding in bit 0.
 */
export function quantiseBlock(source: usize, stride: usize, quantisers: usize, shift: i32, order: usize, block: usize): u64 {
  const c7071 = v128.load16_splat(FACTORS);
  const c3827 = v128.load16_splat(FACTORS, 2);
  const c5412 = v128.load16_splat(FACTORS, 4);
  const c3066 = v128.load16_splat(FACTORS, 6);
  // The transform's input is x 16: with an eighth taken between the passes its output, x 16 a[u] a[v], has just room in 16 bits.
  turnedColumns(source, stride, block, c7071, c3827, c5412, c3066, v128.load16_splat(FACTORS, 8));
  const t0 = v128.load(block);
  const t1 = v128.load(block, 16);
  const t2 = v128.load(block, 32);
  const t3 = v128.load(block, 48);
  const t4 = v128.load(block, 64);
  const t5 = v128.load(block, 80);
  const t6 = v128.load(block, 96);
  const t7 = v128.load(block, 112);
  const c0 = forward(0, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q0 = quotient(c0, quantisers, 0, shift);
  v128.store(block, signed(q0, c0));
  const c1 = forward(1, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q1 = quotient(c1, quantisers, 16, shift);
  v128.store(block, signed(q1, c1), 16);
  const c2 = forward(2, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q2 = quotient(c2, quantisers, 32, shift);
  v128.store(block, signed(q2, c2), 32);
  const c3 = forward(3, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q3 = quotient(c3, quantisers, 48, shift);
  v128.store(block, signed(q3, c3), 48);
  const c4 = forward(4, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q4 = quotient(c4, quantisers, 64, shift);
  v128.store(block, signed(q4, c4), 64);
  const c5 = forward(5, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q5 = quotient(c5, quantisers, 80, shift);
  v128.store(block, signed(q5, c5), 80);
  const c6 = forward(6, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q6 = quotient(c6, quantisers, 96, shift);
  v128.store(block, signed(q6, c6), 96);
  const c7 = forward(7, t0, t1, t2, t3, t4, t5, t6, t7, c7071, c3827, c5412, c3066);
  const q7 = quotient(c7, quantisers, 112, shift);
  v128.store(block, signed(q7, c7), 112);
  const zero = i8x16.splat(0);
  const b0 = i8x16.ne(i8x16.narrow_i16x8_s(q0, q1), zero);
  const b1 = i8x16.ne(i8x16.narrow_i16x8_s(q2, q3), zero);
  const b2 = i8x16.ne(i8x16.narrow_i16x8_s(q4, q5), zero);
  const b3 = i8x16.ne(i8x16.narrow_i16x8_s(q6, q7), zero);
  // None of the first 16 is among the two highest frequencies across, and none of the last 16 among the two lowest.
  const first = v128.or(v128.or(ordered(b0, order), ordered(b1, order + 16)), ordered(b2, order + 32));
  const second = v128.or(
    v128.or(ordered(b0, order + 64), ordered(b1, order + 80)), v128.or(ordered(b2, order + 96), ordered(b3, order + 112)));
  const third = v128.or(
    v128.or(ordered(b0, order + 128), ordered(b1, order + 144)), v128.or(ordered(b2, order + 160), ordered(b3, order + 176)));
  const fourth = v128.or(v128.or(ordered(b1, order + 208), ordered(b2, order + 224)), ordered(b3, order + 240));
  return <u64>(<u32>i8x16.bitmask(first) | (<u32>i8x16.bitmask(second) << 16))
    | (<u64>(<u32>i8x16.bitmask(third) | (<u32>i8x16.bitmask(fourth) << 16)) << 32);
}

/**
 * Eight 16-bit integers times 15-bit fractions, rounded half up. The relaxed form is one instruction on every machine; machines may
 * differ in -32,768 times -32,768 alone, and no fraction here is that.
 */
// @ts-ignore: decorator
@inline export function times(v: v128, fraction: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i16x8.relaxed_q15mulr_s(v, fraction) : i16x8.q15mulr_sat_s(v, fraction);
}

/** Bytes of `v` by their index; indices are 0 to 15, or 128 for a zero: for those the relaxed form is the same everywhere. */
// @ts-ignore: decorator
@inline export function picked(v: v128, indices: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(v, indices) : i8x16.swizzle(v, indices);
}

// The channels of eight RGB565 codes, as 16-bit integers: round(v x 255 / 31) and round(v x 255 / 63), exact for all 65,536 codes.
// A channel's bits stay where they are in their lane, and one rounded multiplication brings them to 0 to 255: the fractions are the
// only ones that are right for every value.

import { times } from './times';

// Loaded before the loops: as constants of the code they would be made anew for every use, which doubles the time.
const NUMBERS = memory.data<u16>([0x07c0, 4212, 0x07e0, 4145, 0x1f00, 1053]);
const SWAP = memory.data<u8>([1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14]);

// @ts-ignore: decorator
@inline export function number565(i: usize): v128 {
  return v128.load16_splat(NUMBERS + (i << 1));
}
// @ts-ignore: decorator
@inline export function swap565(): v128 {
  return v128.load(SWAP);
}

// @ts-ignore: decorator
@inline export function red565(codes: v128, mask: v128, fraction: v128): v128 {
  return times(v128.and(i16x8.shr_u(codes, 5), mask), fraction);
}
// @ts-ignore: decorator
@inline export function green565(codes: v128, mask: v128, fraction: v128): v128 {
  return times(v128.and(codes, mask), fraction);
}
/** `swapped`: the codes with their bytes exchanged, which saves a shift. */
// @ts-ignore: decorator
@inline export function blue565(swapped: v128, mask: v128, fraction: v128): v128 {
  return times(v128.and(swapped, mask), fraction);
}

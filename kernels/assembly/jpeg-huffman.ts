// Entropy coding of quantised blocks (ITU-T T.81, F.1.2), baseline: first as words of 32 bits, without a branch on how full a word is,
// which no processor can foresee; then to bytes.

import { picked } from './times';

/** Where the scan stands: bits that are not written yet, and the DC coefficients before. */
// @ts-ignore: decorator
@unmanaged
export class Scan {
  /** The last `count` (below 32) of them are still to be written. */
  bits: u64;
  count: i32;
  /** Where the next word goes, and the next byte of the file. */
  words: u32;
  target: u32;
  luma: i32;
  cb: i32;
  cr: i32;
  /** See quantiseBlock. */
  lumaShift: i32;
  chromaShift: i32;
}

// How many bits a number other than 0 needs without its sign, and for 0 none.
// @ts-ignore: decorator
@inline function sizeOf(value: i32, sign: i32): i32 {
  return 32 - clz((value ^ sign) - sign);
}

// Code and bits of a number in one. A negative number's bits are those of one less (T.81, F.1.2.1.1).
// @ts-ignore: decorator
@inline function coded(entry: u32, value: i32, sign: i32, size: i32): u64 {
  return (entry >> 5) | <u32>((value + sign) & ((1 << size) - 1));
}

// The word that is whole at 32 bits and more; with fewer, something that the next one is written over.
// @ts-ignore: decorator
@inline function storeWord(words: usize, bits: u64, count: i32): void {
  store<u32>(words, <u32>(bits >> (count - 32)));
}

// The address after it.
// @ts-ignore: decorator
@inline function next(words: usize, count: i32): usize {
  return words + ((count >> 3) & 4);
}

/**
 * Codes the block that quantiseBlock made, with the bits that it gave. `dcCodes` and `acCodes` hold 32-bit integers: code with room for
 * the number's bits behind it, x 32, plus the length of both, by size and by run x 16 + size. `places` holds where in the block, in
 * bytes, each coefficient lies in the order of coding. Gives the DC coefficient. Writes at most 208 bytes, and 4 that do not count.
 */
export function encodeBlock(
  block: usize, present: u64, before: i32, dcCodes: usize, acCodes: usize, places: usize, scan: Scan,
): i32 {
  let bits = scan.bits;
  let count = scan.count;
  let words: usize = scan.words;
  const dc = <i32>load<i16>(block);
  const difference = dc - before;
  let sign = difference >> 31;
  let size = sizeOf(difference, sign);
  let entry = load<u32>(dcCodes + (<usize>size << 2));
  // Behind what is left, below 32 bits, there is room: no code and number together have more than 27.
  bits = (bits << (entry & 31)) | coded(entry, difference, sign, size);
  count += entry & 31;
  storeWord(words, bits, count);
  words = next(words, count);
  count &= 31;
  present &= ~1;
  let last = 0;
  while (present) {
    const place = <i32>ctz(present);
    present &= present - 1;
    let run = place - last - 1;
    last = place;
    while (run > 15) {
      entry = load<u32>(acCodes, 0xf0 << 2);
      bits = (bits << (entry & 31)) | (entry >> 5);
      count += entry & 31;
      storeWord(words, bits, count);
      words = next(words, count);
      count &= 31;
      run -= 16;
    }
    const value = <i32>load<i16>(block + load<u8>(places + place));
    sign = value >> 31;
    size = sizeOf(value, sign);
    entry = load<u32>(acCodes + (<usize>((run << 4) | size) << 2));
    bits = (bits << (entry & 31)) | coded(entry, value, sign, size);
    count += entry & 31;
    storeWord(words, bits, count);
    words = next(words, count);
    count &= 31;
  }
  if (last != 63) {
    entry = load<u32>(acCodes);
    bits = (bits << (entry & 31)) | (entry >> 5);
    count += entry & 31;
    storeWord(words, bits, count);
    words = next(words, count);
    count &= 31;
  }
  scan.bits = bits;
  scan.count = count;
  scan.words = <u32>words;
  return dc;
}

// The first byte of a word is its highest.
const BIG_ENDIAN = memory.data<u8>([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]);

// A byte 0xff of data is followed by a zero: it would be a marker.
// @ts-ignore: decorator
@inline function storeStuffed(target: usize, byte: u8): usize {
  store<u8>(target, byte);
  if (byte != 255) return target + 1;
  store<u8>(target, 0, 1);
  return target + 2;
}

function stuffed(words: usize, bytes: usize, target: usize): usize {
  for (let i: usize = 0; i < bytes; i++) target = storeStuffed(target, load<u8>(words + (i ^ 3)));
  return target;
}

/** Writes the words from `words` on to the scan's target: at most two bytes for each of theirs, and 16 that do not count. */
export function writeWords(words: usize, scan: Scan): void {
  const order = v128.load(BIG_ENDIAN);
  const end: usize = scan.words;
  let target: usize = scan.target;
  for (; words + 16 <= end; words += 16) {
    const bytes = picked(v128.load(words), order);
    if (v128.any_true(i8x16.eq(bytes, i8x16.splat(-1)))) target = stuffed(words, 16, target);
    else {
      v128.store(target, bytes);
      target += 16;
    }
  }
  scan.target = <u32>stuffed(words, end - words, target);
}

/** Writes what is left of the bits, the last byte filled up with ones: at most eight bytes. */
export function endScan(scan: Scan): void {
  let count = scan.count + 7;
  let target: usize = scan.target;
  const bits = (scan.bits << 7) | 127;
  for (; count >= 8; count -= 8) target = storeStuffed(target, <u8>(bits >> (count - 8)));
  scan.target = <u32>target;
}

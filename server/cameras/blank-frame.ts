/** Tells what a decoder leaves where it had nothing to decode from a picture: even grey where it conceals, even green where it wrote nothing. */
import type { VideoFrame } from './y4m.ts';

/** A grid this fine finds any blank half, and takes microseconds where all pixels would take milliseconds. */
const GRID = 48;
const BLANK_SHARE = 0.5;
const NEUTRAL = 128;
/** Grey 128 of a full-range stream is 126 in the limited range. */
const GREY_TOLERANCE = 3;
/** Zeros of a full-range stream are 16 in the limited range. No scene holds it: it lies outside the colours there are. */
const UNWRITTEN_MAX = 17;

/**
 * Whether half of the picture or more is exactly that grey or that green. A dark room is not: its chroma is neutral and its luma 16.
 * A picture damaged in any other way is not found here but by the decoder's complaints.
 */
export function isBlank({ width, height, bytes }: VideoFrame): boolean {
  const chromaWidth = width >> 1;
  const uStart = width * height;
  const vStart = uStart + chromaWidth * (height >> 1);
  let blank = 0;
  for (let row = 0; row < GRID; row++) {
    const y = Math.floor(((row + 0.5) * height) / GRID);
    for (let column = 0; column < GRID; column++) {
      const x = Math.floor(((column + 0.5) * width) / GRID);
      const chroma = (y >> 1) * chromaWidth + (x >> 1);
      if (isBlankPixel(bytes[y * width + x]!, bytes[uStart + chroma]!, bytes[vStart + chroma]!)) blank++;
    }
  }
  return blank >= GRID * GRID * BLANK_SHARE;
}

function isBlankPixel(y: number, u: number, v: number): boolean {
  if (u <= UNWRITTEN_MAX && v <= UNWRITTEN_MAX && y <= UNWRITTEN_MAX) return true;
  return Math.abs(y - NEUTRAL) <= GREY_TOLERANCE && Math.abs(u - NEUTRAL) <= 1 && Math.abs(v - NEUTRAL) <= 1;
}

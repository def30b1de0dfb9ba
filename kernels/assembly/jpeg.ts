// The JPEG module: RGB888 to the entropy-coded data of a baseline JPEG (ITU-T T.81), 4:2:0. The caller owns all of the memory.

import { quantiseBlock } from './jpeg-blocks';
import { repeatEdge, splitMcu } from './jpeg-colour';
import { encodeBlock, Scan, writeWords } from './jpeg-huffman';

export { endScan } from './jpeg-huffman';

// Where in `tables` what lies, in bytes: as in jpeg-encoder.ts.
const LUMA: usize = 0;
const CHROMA: usize = 256;
const LUMA_DC: usize = 512;
const LUMA_AC: usize = 576;
const CHROMA_DC: usize = 1600;
const CHROMA_AC: usize = 1664;
const ORDER: usize = 2688;
const PLACES: usize = 2944;

/**
 * Codes one row of MCUs: `rows` (1 to 16) rows of `width` pixels at `source`, without padding. What it writes lies at the scan's target:
 * at most 6 x 2 x 208 bytes per MCU. `scratch` holds 1,664 bytes, `words` half of what can be written and 16 more.
 */
export function encodeRow(
  source: usize, width: usize, rows: usize, tables: usize, scan: Scan, scratch: usize, words: usize,
): void {
  const stride = width * 3;
  const cb = scratch + 512;
  const cr = scratch + 640;
  const block = scratch + 768;
  const edge = scratch + 896;
  const lumaShift = scan.lumaShift;
  const chromaShift = scan.chromaShift;
  scan.words = <u32>words;
  for (let x: usize = 0; x < width; x += 16) {
    if (x + 16 <= width && rows == 16) splitMcu(source + x * 3, stride, scratch, cb, cr);
    else {
      repeatEdge(source + x * 3, stride, min<usize>(16, width - x), rows, edge);
      splitMcu(edge, 48, scratch, cb, cr);
    }
    for (let corner: usize = 0; corner < 4; corner++) {
      const from = scratch + ((corner & 1) << 4) + ((corner & 2) << 7);
      const present = quantiseBlock(from, 32, tables + LUMA, lumaShift, tables + ORDER, block);
      scan.luma = encodeBlock(block, present, scan.luma, tables + LUMA_DC, tables + LUMA_AC, tables + PLACES, scan);
    }
    let present = quantiseBlock(cb, 16, tables + CHROMA, chromaShift, tables + ORDER, block);
    scan.cb = encodeBlock(block, present, scan.cb, tables + CHROMA_DC, tables + CHROMA_AC, tables + PLACES, scan);
    present = quantiseBlock(cr, 16, tables + CHROMA, chromaShift, tables + ORDER, block);
    scan.cr = encodeBlock(block, present, scan.cr, tables + CHROMA_DC, tables + CHROMA_AC, tables + PLACES, scan);
  }
  writeWords(words, scan);
}

/** The tables and the header of a baseline JPEG (ITU-T T.81), 4:2:0, and the forms in which both encoders look them up. */

/** The order of coding (T.81, figure A.6): position k holds 8 x row + column, rows being frequencies down. */
export const zigzag: Uint8Array = zigzagOrder();

function zigzagOrder(): Uint8Array {
  const order: number[] = [];
  for (let diagonal = 0; diagonal < 15; diagonal++) {
    const rows = Array.from({ length: 8 }, (_, row) => row).filter(
      (row) => diagonal - row >= 0 && diagonal - row < 8,
    );
    if (diagonal % 2 === 0) rows.reverse();
    order.push(...rows.map((row) => 8 * row + diagonal - row));
  }
  return Uint8Array.from(order);
}

/** T.81, tables K.1 and K.2, in rows. */
const lumaQuantisation = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
  29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103,
  121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const chromaQuantisation = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/** Steps in rows, scaled as the Independent JPEG Group's encoders do, so that a quality means what it means elsewhere. */
function scaled(table: readonly number[], quality: number): number[] {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return table.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))));
}

/** How many codes there are of 1, 2, ... 16 bits, and what they stand for, shortest first. */
interface HuffmanTable {
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}

/** T.81, tables K.3 to K.6: of DC the size, of AC 16 x run + size. */
const lumaDc: HuffmanTable = {
  counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
  symbols: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
};
const chromaDc: HuffmanTable = {
  counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
  symbols: lumaDc.symbols,
};
const lumaAc: HuffmanTable = {
  counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
  symbols: acSymbols([
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
    0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33,
    0x62, 0x72, 0x82,
  ]),
};
const chromaAc: HuffmanTable = {
  counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
  symbols: acSymbols([
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13,
    0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62,
    0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1,
  ]),
};

/** All symbols there are: those with codes below 16 bits, and the others in their own order. */
function acSymbols(short: readonly number[]): number[] {
  const all = [0x00, 0xf0];
  for (let run = 0; run < 16; run++) for (let size = 1; size <= 10; size++) all.push(16 * run + size);
  all.sort((first, second) => first - second);
  return [...short, ...all.filter((symbol) => !short.includes(symbol))];
}

/** By symbol: the code, with room behind it for the bits of a number of the symbol's size, x 32, plus the length of both. */
function codeTable({ counts, symbols }: HuffmanTable, entries: number): Uint32Array {
  const table = new Uint32Array(entries);
  let code = 0;
  let next = 0;
  counts.forEach((count, i) => {
    for (let n = 0; n < count; n++) {
      const symbol = symbols[next++]!;
      const size = symbol & 15;
      table[symbol] = ((code++ << size) << 5) | (i + 1 + size);
    }
    code <<= 1;
  });
  return table;
}

/**
 * Of a component, in the order [across][down]: the magnitude of a transformed coefficient, plus its rounding, times its multiplier, is
 * its quotient x 32,768 x 2^shift.
 */
export interface Quantiser {
  readonly multipliers: Int16Array;
  readonly roundings: Int16Array;
  readonly shift: number;
}

/** The transform's own factor for a frequency: see assembly/dct.ts. */
const transformFactor = (u: number) => (u === 0 ? 1 : Math.SQRT2 * Math.cos((u * Math.PI) / 16));

function quantiser(steps: readonly number[]): Quantiser {
  // One step, in transformed coefficients.
  const units = Array.from({ length: 64 }, (_, i) => {
    const [across, down] = [i >> 3, i & 7];
    return 16 * transformFactor(across) * transformFactor(down) * steps[8 * down + across]!;
  });
  // The largest at which all multipliers have 15 bits.
  const shift = Math.floor(Math.log2((32_767 / 32_768) * Math.min(...units)));
  const multipliers = Int16Array.from(units, (unit) => Math.round((32_768 * 2 ** shift) / unit));
  // Half a step, less the half that the product is rounded with: what is cut off then has been rounded once.
  const roundings = Int16Array.from(units, (unit, i) => Math.round(unit / 2 - 16_384 / multipliers[i]!));
  return { multipliers, roundings, shift };
}

export interface JpegTables {
  readonly luma: Quantiser;
  readonly chroma: Quantiser;
  readonly lumaDc: Uint32Array;
  readonly lumaAc: Uint32Array;
  readonly chromaDc: Uint32Array;
  readonly chromaAc: Uint32Array;
  /** All up to the scan's data, for a picture of 0 x 0 pixels. */
  readonly header: Uint8Array;
}

const codeTables = {
  lumaDc: codeTable(lumaDc, 16),
  lumaAc: codeTable(lumaAc, 256),
  chromaDc: codeTable(chromaDc, 16),
  chromaAc: codeTable(chromaAc, 256),
};

export function jpegTables(quality: number): JpegTables {
  const [luma, chroma] = [scaled(lumaQuantisation, quality), scaled(chromaQuantisation, quality)];
  return { luma: quantiser(luma), chroma: quantiser(chroma), ...codeTables, header: headerOf(luma, chroma) };
}

const segment = (marker: number, ...bytes: readonly number[]) => [
  0xff,
  marker,
  (bytes.length + 2) >> 8,
  (bytes.length + 2) & 255,
  ...bytes,
];

const startOfImage = [0xff, 0xd8];
/** Version 1.01, square pixels, no thumbnail. */
const jfif = segment(0xe0, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0);

function headerOf(luma: readonly number[], chroma: readonly number[]): Uint8Array {
  const inOrder = (steps: readonly number[]) => Array.from(zigzag, (position) => steps[position]!);
  const huffman = (destination: number, { counts, symbols }: HuffmanTable) =>
    segment(0xc4, destination, ...counts, ...symbols);
  return Uint8Array.from([
    ...startOfImage,
    ...jfif,
    ...segment(0xdb, 0, ...inOrder(luma)),
    ...segment(0xdb, 1, ...inOrder(chroma)),
    // Eight bits, height, width; Y of 2x2 samples per MCU with quantisation 0, Cb and Cr of one each with quantisation 1.
    ...segment(0xc0, 8, 0, 0, 0, 0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1),
    ...huffman(0x00, lumaDc),
    ...huffman(0x10, lumaAc),
    ...huffman(0x01, chromaDc),
    ...huffman(0x11, chromaAc),
    ...segment(0xda, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0),
  ]);
}

/** Where in every header the height begins, before the width: behind the two quantisation tables. */
const sizePosition = startOfImage.length + jfif.length + 2 * 69 + 5;

/** Writes the picture's size into a header that begins at `start`. */
export function writeSize(bytes: Uint8Array, start: number, width: number, height: number): void {
  const position = start + sizePosition;
  bytes.set([height >> 8, height & 255, width >> 8, width & 255], position);
}

export const endOfImage = Uint8Array.of(0xff, 0xd9);

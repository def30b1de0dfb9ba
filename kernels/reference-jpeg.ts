/** assembly/jpeg.ts and what it is made of in plain TypeScript: the same bytes. */
import { endOfImage, type JpegTables, type Quantiser, writeSize, zigzag } from './jpeg-tables.ts';
import type { Picture } from './picture.ts';
import { forward8, type Multipliers, times15 } from './reference-dct.ts';

/** Of the forward transform; nothing is transformed back. */
const transform: Multipliers = {
  c7071: 23_170,
  c3827: 12_540,
  c5412: 17_734,
  c3066: 10_045,
  c4142: 0,
  c1522: 0,
  c0824: 0,
  c6131: 0,
};

interface Component {
  readonly plane: Int16Array;
  readonly stride: number;
  readonly quantiser: Quantiser;
  readonly dcCodes: Uint32Array;
  readonly acCodes: Uint32Array;
  /** The DC coefficient of the last block. */
  before: number;
}

export function encodeReferenceJpeg(picture: Picture, tables: JpegTables): Uint8Array {
  const { width, height } = picture;
  const [columns, rows] = [Math.ceil(width / 16), Math.ceil(height / 16)];
  const planes = toPlanes(picture, columns * 16, rows * 16);
  const forChroma = {
    stride: columns * 8,
    quantiser: tables.chroma,
    dcCodes: tables.chromaDc,
    acCodes: tables.chromaAc,
    before: 0,
  };
  const luma = {
    plane: planes.luma,
    stride: columns * 16,
    quantiser: tables.luma,
    dcCodes: tables.lumaDc,
    acCodes: tables.lumaAc,
    before: 0,
  };
  const [cb, cr] = [
    { ...forChroma, plane: planes.cb },
    { ...forChroma, plane: planes.cr },
  ];
  const bits = new BitWriter();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let corner = 0; corner < 4; corner++) {
        encodeBlock(bits, luma, 2 * column + (corner & 1), 2 * row + (corner >> 1));
      }
      encodeBlock(bits, cb, column, row);
      encodeBlock(bits, cr, column, row);
    }
  }
  bits.fillUp();
  const { header } = tables;
  const file = new Uint8Array(header.length + bits.bytes.length + endOfImage.length);
  file.set(header);
  writeSize(file, 0, width, height);
  file.set(bits.bytes, header.length);
  file.set(endOfImage, header.length + bits.bytes.length);
  return file;
}

/** Y - 128 of every pixel, Cb - 128 and Cr - 128 of every four, x 16; sides are filled up to `columns` and `rows` with the last pixels. */
function toPlanes({ width, height, data }: Picture, columns: number, rows: number) {
  const luma = new Int16Array(columns * rows);
  const cb = new Int16Array((columns * rows) / 4);
  const cr = new Int16Array((columns * rows) / 4);
  const sums = [new Int32Array(cb.length), new Int32Array(cr.length)] as const;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const pixel = 3 * (Math.min(y, height - 1) * width + Math.min(x, width - 1));
      const [red, green, blue] = [0, 1, 2].map((channel) => data[pixel + channel]! - 128) as [
        number,
        number,
        number,
      ];
      const exact = times15(red << 8, 612) + times15(green << 8, 1202) + times15(blue << 8, 234);
      const value = (exact + 8) & ~15;
      luma[y * columns + x] = value;
      const half = (y >> 1) * (columns / 2) + (x >> 1);
      sums[0][half]! += (blue << 4) - value;
      sums[1][half]! += (red << 4) - value;
    }
  }
  sums[0].forEach((sum, i) => {
    cb[i] = times15(sum, 4623);
  });
  sums[1].forEach((sum, i) => {
    cr[i] = times15(sum, 5843);
  });
  return { luma, cb, cr };
}

/** In the order [across][down]. */
function quantisedBlock({ plane, stride, quantiser }: Component, column: number, row: number): Int16Array {
  const down = new Int16Array(64);
  const first = row * 8 * stride + column * 8;
  for (let x = 0; x < 8; x++) {
    const values = Array.from({ length: 8 }, (_, y) => plane[first + y * stride + x]!);
    forward8(values, transform).forEach((value, v) => {
      // An eighth, so that the second pass cannot overflow.
      down[v * 8 + x] = times15(value, 4096);
    });
  }
  const block = new Int16Array(64);
  const { multipliers, roundings, shift } = quantiser;
  for (let v = 0; v < 8; v++) {
    forward8(down.subarray(v * 8, v * 8 + 8), transform).forEach((value, u) => {
      const i = u * 8 + v;
      const magnitude = times15(Math.abs(value) + roundings[i]!, multipliers[i]!) >> shift;
      block[i] = value < 0 ? -magnitude : magnitude;
    });
  }
  return block;
}

function encodeBlock(bits: BitWriter, component: Component, column: number, row: number): void {
  const block = quantisedBlock(component, column, row);
  const ordered = Array.from(zigzag, (position) => block[8 * (position & 7) + (position >> 3)]!);
  const [dc, ...ac] = ordered as [number, ...number[]];
  const difference = dc - component.before;
  component.before = dc;
  bits.put(component.dcCodes[sizeOf(difference)]!, difference);
  let run = 0;
  for (const value of ac) {
    if (value === 0) {
      run++;
      continue;
    }
    for (; run > 15; run -= 16) bits.put(component.acCodes[0xf0]!, 0);
    bits.put(component.acCodes[16 * run + sizeOf(value)]!, value);
    run = 0;
  }
  if (run > 0) bits.put(component.acCodes[0]!, 0);
}

/** How many bits a number needs without its sign. */
const sizeOf = (value: number) => 32 - Math.clz32(Math.abs(value));

class BitWriter {
  readonly bytes: number[] = [];
  #bits = 0;
  #count = 0;

  /** An entry of a code table, with the number that it is for: a negative one is coded as one less (T.81, F.1.2.1.1). */
  put(entry: number, value: number): void {
    const number = (value < 0 ? value - 1 : value) & ((1 << sizeOf(value)) - 1);
    const all = (entry >>> 5) | number;
    for (let bit = (entry & 31) - 1; bit >= 0; bit--) this.#putBit((all >>> bit) & 1);
  }

  /** The last byte is filled up with ones. */
  fillUp(): void {
    while (this.#count > 0) this.#putBit(1);
  }

  #putBit(bit: number): void {
    this.#bits = (this.#bits << 1) | bit;
    if (++this.#count < 8) return;
    this.bytes.push(this.#bits);
    // A byte 0xff of data is followed by a zero: it would be a marker.
    if (this.#bits === 255) this.bytes.push(0);
    this.#bits = 0;
    this.#count = 0;
  }
}

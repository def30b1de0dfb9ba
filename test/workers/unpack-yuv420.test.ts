import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PictureError } from '../../workers/decode.ts';
import { unpackYuv420 } from '../../workers/unpack-yuv420.ts';

const frame = (y: number[], u: number, v: number) => Uint8Array.from([...y, u, v]);
const unpack = (bytes: Uint8Array, width = 2, height = 2) =>
  unpackYuv420({ kind: 'video', bytes, width, height });

test('black, white and the primaries of BT.601 come out as what they are, within one step', () => {
  // From the standard: 16 and 235 for black and white; (81, 90, 240), (145, 54, 34), (41, 240, 110) for red, green, blue.
  for (const [luma, u, v, expected] of [
    [16, 128, 128, [0, 0, 0]],
    [235, 128, 128, [255, 255, 255]],
    [81, 90, 240, [255, 0, 0]],
    [145, 54, 34, [0, 255, 0]],
    [41, 240, 110, [0, 0, 255]],
  ] as const) {
    const { data } = unpack(frame([luma, luma, luma, luma], u, v));
    for (const [index, value] of data.entries())
      assert.ok(Math.abs(value - expected[index % 3]!) <= 1, `${data} against ${expected}`);
  }
});

test('what lies beyond black and white is held at them', () => {
  const { data } = unpack(frame([0, 255, 16, 235], 128, 128));
  assert.deepEqual([...data], [0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255]);
});

test('each chroma sample belongs to its four pixels', () => {
  // 4 x 2: the left half red, the right half blue.
  const bytes = Uint8Array.from([81, 81, 41, 41, 81, 81, 41, 41, 90, 240, 240, 110]);
  const { data } = unpack(bytes, 4, 2);
  const isRed = (pixel: number) => data[3 * pixel]! > 250 && data[3 * pixel + 2]! < 5;
  assert.deepEqual(
    Array.from({ length: 8 }, (_, pixel) => isRed(pixel)),
    [true, true, false, false, true, true, false, false],
  );
});

test('bytes that do not fit the size are refused', () => {
  assert.throws(() => unpack(new Uint8Array(5)), PictureError);
  assert.throws(() => unpack(new Uint8Array(9), 3, 2), PictureError);
});

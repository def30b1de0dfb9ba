import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPixelKernels } from '../../kernels/kernels.ts';
import { randomBytes } from './random.ts';

const reference = await createPixelKernels('reference');

/** Every code once, in the order of the codes. */
function everyCode(byteOrder: 'BE' | 'LE'): Uint8Array {
  const bytes = new Uint8Array(2 * 65_536);
  const view = new DataView(bytes.buffer);
  for (let code = 0; code < 65_536; code++) view.setUint16(2 * code, code, byteOrder === 'LE');
  return bytes;
}

const sizes = [
  ...Array.from({ length: 40 }, (_, i) => [i + 1, 1] as const),
  [1, 40],
  [7, 5],
  [33, 17],
  [160, 120],
  [1600, 1200],
] as const;

for (const implementation of ['simd', 'reference'] as const) {
  const kernels = await createPixelKernels(implementation);

  describe(`unpacking, ${implementation}`, () => {
    for (const byteOrder of ['BE', 'LE'] as const) {
      it(`rounds every RGB565 code ${byteOrder} to the nearest 8-bit value`, () => {
        const { data } = kernels.unpackRgb565(everyCode(byteOrder), 256, 256, byteOrder);
        for (let code = 0; code < 65_536; code++) {
          const expected = [
            Math.round(((code >> 11) * 255) / 31),
            Math.round((((code >> 5) & 63) * 255) / 63),
            Math.round(((code & 31) * 255) / 31),
          ];
          const [red, green, blue] = data.subarray(3 * code, 3 * code + 3);
          if (red !== expected[0] || green !== expected[1] || blue !== expected[2]) {
            assert.fail(`code ${code}: expected ${expected}, received ${[red, green, blue]}`);
          }
        }
      });
    }

    it("gives the twin's bytes for every format, size and alignment", () => {
      for (const [width, height] of sizes) {
        for (const offset of width * height > 10_000 ? [1] : [0, 1, 2, 3]) {
          const bytes = randomBytes(width * height * 2 + offset, width + offset).subarray(offset);
          const grey = bytes.subarray(0, width * height);
          assert.deepEqual(
            kernels.unpackRgb565(bytes, width, height, 'BE'),
            reference.unpackRgb565(bytes, width, height, 'BE'),
          );
          assert.deepEqual(
            kernels.unpackRgb565(bytes, width, height, 'LE'),
            reference.unpackRgb565(bytes, width, height, 'LE'),
          );
          assert.deepEqual(
            kernels.unpackGrayscale(grey, width, height),
            reference.unpackGrayscale(grey, width, height),
          );
          if (width % 2 === 0) {
            assert.deepEqual(
              kernels.unpackYuv422(bytes, width, height),
              reference.unpackYuv422(bytes, width, height),
            );
          }
        }
      }
    });

    it('unpacks planar 4:2:0 as the reference does, whatever the width', () => {
      for (const width of [2, 4, 6, 14, 16, 18, 30, 64, 66]) {
        for (const height of [2, 4, 10]) {
          const bytes = randomBytes((width * height * 3) / 2, width + height);
          assert.deepEqual(
            kernels.unpackYuv420(bytes, width, height),
            reference.unpackYuv420(bytes, width, height),
          );
        }
      }
    });

    it('keeps planar 4:2:0 within one of BT.601 limited range: black, white and primaries', () => {
      const flat = (y: number, u: number, v: number) => [
        ...kernels.unpackYuv420(Uint8Array.of(y, y, y, y, u, v), 2, 2).data.subarray(0, 3),
      ];
      assert.deepEqual(flat(16, 128, 128), [0, 0, 0]);
      assert.deepEqual(flat(235, 128, 128), [255, 255, 255]);
      for (const [yuv, rgb] of [
        [
          [81, 90, 240],
          [255, 0, 0],
        ],
        [
          [145, 54, 34],
          [0, 255, 0],
        ],
        [
          [41, 240, 110],
          [0, 0, 255],
        ],
      ] as const) {
        const [y, u, v] = yuv;
        for (const [i, value] of flat(y, u, v).entries()) {
          assert.ok(Math.abs(value - rgb[i]!) <= 1, `${yuv} -> ${value}`);
        }
      }
    });

    it('keeps YUV422 within one of BT.601 full range, also where colours leave the cube', () => {
      const bytes = randomBytes(4 * 5000, 7);
      const { data } = kernels.unpackYuv422(bytes, 100, 100);
      for (let pixel = 0; pixel < 10_000; pixel++) {
        const y = bytes[2 * pixel]!;
        const u = bytes[4 * (pixel >> 1) + 1]! - 128;
        const v = bytes[4 * (pixel >> 1) + 3]! - 128;
        const exact = [y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u];
        exact.forEach((value, colour) => {
          const expected = Math.min(255, Math.max(0, value));
          assert.ok(Math.abs(data[3 * pixel + colour]! - expected) <= 1, `pixel ${pixel}, colour ${colour}`);
        });
      }
    });

    it("gives pictures of the caller's own", () => {
      const first = kernels.unpackGrayscale(randomBytes(600, 1), 30, 20);
      const copy = first.data.slice();
      kernels.unpackGrayscale(randomBytes(600, 2), 30, 20);
      assert.deepEqual(first.data, copy);
      assert.equal(first.data.buffer.byteLength, first.data.length);
    });

    it('says which field is wrong, what was expected and what came', () => {
      const bytes = new Uint8Array(24);
      assert.throws(() => kernels.unpackRgb565(bytes, 3, 3, 'BE'), {
        name: 'RangeError',
        message: 'bytes: expected 3 x 3 x 2 = 18 bytes, received 24',
      });
      assert.throws(() => kernels.unpackRgb565(bytes, 0, 12, 'BE'), {
        message: 'width: expected a whole number from 1 to 65535, received 0',
      });
      assert.throws(() => kernels.unpackRgb565(bytes, 3, 4.5, 'BE'), /^RangeError: height: /);
      assert.throws(() => kernels.unpackRgb565(bytes, 60_000, 60_000, 'BE'), /at most 200000000 pixels/);
      assert.throws(() => kernels.unpackRgb565(bytes, 3, 4, 'ME' as 'BE'), /^RangeError: byteOrder: /);
      assert.throws(
        () => kernels.unpackRgb565([] as unknown as Uint8Array, 3, 4, 'BE'),
        /^TypeError: bytes: /,
      );
      assert.throws(
        () => kernels.unpackYuv422(bytes.subarray(0, 18), 3, 3),
        /width: expected an even number/,
      );
      assert.throws(() => kernels.unpackYuv420(bytes, 4, 3), /height: expected an even number/);
      assert.throws(() => kernels.unpackYuv420(bytes, 4, 6), /= 36 bytes, received 24/);
      assert.throws(() => kernels.unpackGrayscale(bytes, 5, 5), /expected 5 x 5 x 1 = 25 bytes, received 24/);
    });
  });
}

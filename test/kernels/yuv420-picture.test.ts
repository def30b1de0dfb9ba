import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPixelKernels } from '../../kernels/kernels.ts';
import type { Placement, TensorLayout, Yuv420Layout } from '../../kernels/picture.ts';
import { randomBytes, seededRandom, wholeNumber } from './random.ts';

const layout: TensorLayout = { channels: 'BGR', mean: [104, 117, 123], scale: [1, 0.5, 1 / 128] };
const layouts: readonly Yuv420Layout[] = ['YUV420P', 'NV12'];

function made(layout: Yuv420Layout, width: number, height: number, seed: number) {
  return { width, height, yuv420: randomBytes((width * height * 3) / 2, seed), layout };
}

/** The same picture with all of U before all of V. */
function planar(nv12: Uint8Array, pixels: number): Uint8Array {
  const bytes = nv12.slice();
  for (let i = 0; i < pixels / 4; i++) {
    bytes[pixels + i] = nv12[pixels + 2 * i]!;
    bytes[pixels + pixels / 4 + i] = nv12[pixels + 2 * i + 1]!;
  }
  return bytes;
}

for (const implementation of ['simd', 'reference'] as const) {
  const kernels = await createPixelKernels(implementation);
  const others = await createPixelKernels(implementation);

  for (const layout420 of layouts) {
    describe(`a ${layout420} picture, ${implementation}`, () => {
      it('fills tensors with the values of the unpacked picture, whatever the sizes', () => {
        const random = seededRandom(5);
        for (let trial = 0; trial < 40; trial++) {
          const [width, height] = [2 * wholeNumber(random, 1, 60), 2 * wholeNumber(random, 1, 60)];
          const picture = made(layout420, width, height, trial);
          const left = wholeNumber(random, 0, width - 1);
          const top = wholeNumber(random, 0, height - 1);
          const region = {
            left,
            top,
            width: wholeNumber(random, 1, width - left),
            height: wholeNumber(random, 1, height - top),
          };
          const placement: Placement = {
            tensorWidth: 128,
            tensorHeight: 400,
            left: 3,
            top: 5,
            width: trial % 4 === 0 ? region.width : wholeNumber(random, 1, 120),
            height: trial % 4 === 0 ? region.height : wholeNumber(random, 1, 390),
          };
          const size = 3 * 128 * 400;
          const [target, expected] = [new Float32Array(size), new Float32Array(size)];
          kernels.load(picture).letterbox(region, placement, layout, target);
          others
            .load(others.unpackYuv420(picture.yuv420, width, height, layout420))
            .letterbox(region, placement, layout, expected);
          assert.deepEqual(target, expected, `trial ${trial}: ${width} x ${height}`);
        }
      });

      it('gives the chips of the unpacked picture, from rows that are there and rows that are not', () => {
        const [width, height] = [70, 90];
        const picture = made(layout420, width, height, 3);
        const unpacked = others.load(others.unpackYuv420(picture.yuv420, width, height, layout420));
        const loaded = kernels.load(picture);
        // Below, above, across both, then halved: rows made for one chip are used by the next.
        for (const [ty, scale] of [
          [60, 0.8],
          [40, 0.8],
          [45, 1.2],
          [-5, 5],
        ] as const) {
          const map = { a: scale * Math.cos(0.1), b: scale * Math.sin(0.1), tx: 4, ty };
          const [target, expected] = [new Float32Array(3 * 20 * 20), new Float32Array(3 * 20 * 20)];
          loaded.chip(map, 20, layout, target);
          unpacked.chip(map, 20, layout, expected);
          assert.deepEqual(target, expected, `chip at ${ty}`);
          assert.deepEqual(loaded.chipStatistics(map, 20), unpacked.chipStatistics(map, 20));
        }
      });

      it('is refused where its bytes are not those of its size', () => {
        const { yuv420, layout } = made(layout420, 4, 4, 1);
        assert.throws(() => kernels.load({ yuv420, layout, width: 4, height: 6 }), /= 36 bytes, received 24/);
        assert.throws(
          () => kernels.load({ yuv420, layout, width: 3, height: 4 }),
          /width: expected an even number/,
        );
      });
    });
  }

  describe(`4:2:0, ${implementation}`, () => {
    it('gives the values of YUV420P for NV12, in pictures and in tensors, from the smallest size on', () => {
      for (const width of [2, 4, 6, 14, 16, 18, 30, 64, 66]) {
        for (const height of [2, 4, 10]) {
          const { yuv420: nv12 } = made('NV12', width, height, width + height);
          const yuv420 = planar(nv12, width * height);
          assert.deepEqual(
            kernels.unpackYuv420(nv12, width, height, 'NV12'),
            others.unpackYuv420(yuv420, width, height),
            `${width} x ${height}`,
          );
          const placement = { tensorWidth: 20, tensorHeight: 12, left: 1, top: 2, width: 17, height: 9 };
          const [target, expected] = [new Float32Array(720), new Float32Array(720)];
          const region = { left: 0, top: 0, width, height };
          kernels
            .load({ yuv420: nv12, width, height, layout: 'NV12' })
            .letterbox(region, placement, layout, target);
          others.load({ yuv420, width, height }).letterbox(region, placement, layout, expected);
          assert.deepEqual(target, expected, `${width} x ${height}`);
        }
      }
    });

    it('is YUV420P where nothing is said, and refused in a layout of another name', () => {
      const { yuv420 } = made('YUV420P', 6, 4, 9);
      assert.deepEqual(kernels.unpackYuv420(yuv420, 6, 4), kernels.unpackYuv420(yuv420, 6, 4, 'YUV420P'));
      const layout = 'NV21' as Yuv420Layout;
      assert.throws(() => kernels.load({ yuv420, width: 6, height: 4, layout }), {
        name: 'RangeError',
        message: `layout: expected 'YUV420P' or 'NV12', received "NV21"`,
      });
    });
  });
}

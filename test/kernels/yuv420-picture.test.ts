import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPixelKernels } from '../../kernels/kernels.ts';
import type { Placement, TensorLayout } from '../../kernels/picture.ts';
import { randomBytes, seededRandom, wholeNumber } from './random.ts';

const layout: TensorLayout = { channels: 'BGR', mean: [104, 117, 123], scale: [1, 0.5, 1 / 128] };
function planar(width: number, height: number, seed: number) {
  return { width, height, yuv420: randomBytes((width * height * 3) / 2, seed) };
}

for (const implementation of ['simd', 'reference'] as const) {
  const kernels = await createPixelKernels(implementation);
  const others = await createPixelKernels(implementation);

  describe(`a planar picture, ${implementation}`, () => {
    it('fills tensors with the values of the unpacked picture, whatever the sizes', () => {
      const random = seededRandom(5);
      for (let trial = 0; trial < 40; trial++) {
        const [width, height] = [2 * wholeNumber(random, 1, 60), 2 * wholeNumber(random, 1, 60)];
        const picture = planar(width, height, trial);
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
          .load(others.unpackYuv420(picture.yuv420, width, height))
          .letterbox(region, placement, layout, expected);
        assert.deepEqual(target, expected, `trial ${trial}: ${width} x ${height}`);
      }
    });

    it('gives the chips of the unpacked picture, from rows that are there and rows that are not', () => {
      const [width, height] = [70, 90];
      const picture = planar(width, height, 3);
      const unpacked = others.load(others.unpackYuv420(picture.yuv420, width, height));
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
      const { yuv420 } = planar(4, 4, 1);
      assert.throws(() => kernels.load({ yuv420, width: 4, height: 6 }), /= 36 bytes, received 24/);
      assert.throws(() => kernels.load({ yuv420, width: 3, height: 4 }), /width: expected an even number/);
    });
  });
}

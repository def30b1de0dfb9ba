import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPixelKernels } from '../../kernels/kernels.ts';
import type { Picture, Similarity, TensorLayout } from '../../kernels/picture.ts';
import { randomBytes, seededRandom, wholeNumber } from './random.ts';

const reference = await createPixelKernels('reference');

const bytesAsTheyAre: TensorLayout = { channels: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] };
const normalised: TensorLayout = { channels: 'BGR', mean: [104, 117, 123], scale: [1, 0.5, 1 / 128] };

function randomPicture(width: number, height: number, seed: number): Picture {
  return { width, height, data: randomBytes(width * height * 3, seed) };
}

/** Red grows to the right and green downwards, one per pixel; blue is constant. */
function ramps(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set([i % width, Math.floor(i / width), 77], 3 * i);
  return { width, height, data };
}

function similarity(scale: number, angle: number, tx: number, ty: number): Similarity {
  return { a: scale * Math.cos(angle), b: scale * Math.sin(angle), tx, ty };
}

for (const implementation of ['simd', 'reference'] as const) {
  const kernels = await createPixelKernels(implementation);

  const chip = (picture: Picture, map: Similarity, sizePx: number, layout = bytesAsTheyAre) => {
    const target = new Float32Array(3 * sizePx * sizePx).fill(Number.NaN);
    kernels.load(picture).chip(map, sizePx, layout, target);
    return target;
  };

  describe(`chip, ${implementation}`, () => {
    it('gives the very bytes where nothing is turned or scaled, black outside', () => {
      const picture = randomPicture(20, 15, 1);
      const target = chip(picture, similarity(1, 0, -3, 10), 13);
      for (let v = 0; v < 13; v++) {
        for (let u = 0; u < 13; u++) {
          const [x, y] = [u - 3, v + 10];
          for (let colour = 0; colour < 3; colour++) {
            const inside = x >= 0 && y < 15;
            const expected = inside ? picture.data[(y * 20 + x) * 3 + colour]! : 0;
            assert.equal(target[(colour * 13 + v) * 13 + u], expected, `u ${u}, v ${v}`);
          }
        }
      }
    });

    it('lands where the map says, turned and scaled up or down, on a linear picture', () => {
      const picture = ramps(250, 250);
      for (const scale of [0.3, 0.99, 1.01, 1.5, 2.2, 3.9]) {
        for (const angle of [0, 0.4, -1.3, 3.1]) {
          const size = 24;
          // Turned about the middle of both.
          const turn = similarity(scale, angle, 0, 0);
          const centre = (size - 1) / 2;
          const map = { ...turn, tx: 125 - (turn.a - turn.b) * centre, ty: 125 - (turn.b + turn.a) * centre };
          const target = chip(picture, map, size);
          for (let v = 0; v < size; v++) {
            for (let u = 0; u < size; u++) {
              const x = map.a * u - map.b * v + map.tx;
              const y = map.b * u + map.a * v + map.ty;
              // Halving rounds: twice at most here, by half a grey level each time.
              const tolerance = scale > 2 ? 1.01 : 0.02;
              assert.ok(
                Math.abs(target[v * size + u]! - x) < tolerance,
                `scale ${scale}, angle ${angle}, u ${u}, v ${v}`,
              );
              assert.ok(Math.abs(target[size * size + v * size + u]! - y) < tolerance);
              assert.ok(Math.abs(target[2 * size * size + v * size + u]! - 77) < 0.01);
            }
          }
        }
      }
    });

    it('does not alias: a fine chequerboard seen from afar is grey', () => {
      const picture: Picture = { width: 400, height: 400, data: new Uint8Array(400 * 400 * 3) };
      for (let i = 0; i < 400 * 400; i++)
        picture.data.fill(((i % 400) + Math.floor(i / 400)) % 2 ? 255 : 0, 3 * i, 3 * i + 3);
      for (const scale of [2, 2.7, 4, 7.3]) {
        const target = chip(picture, similarity(scale, 0, scale / 2 - 0.5, scale / 2 - 0.5), 40);
        for (const value of target) assert.ok(Math.abs(value - 127.5) < 20, `scale ${scale}: ${value}`);
      }
    });

    it('is black where the picture is not seen at all', () => {
      const picture = randomPicture(10, 10, 3);
      for (const map of [
        similarity(1, 0.3, 500, 0),
        similarity(1, 0.3, 0, -500),
        similarity(9, 0.3, -900, 900),
      ]) {
        assert.ok(chip(picture, map, 9).every((value) => value === 0));
      }
    });

    it("gives the twin's bits for any map, size and layout", () => {
      const random = seededRandom(4);
      for (let trial = 0; trial < 150; trial++) {
        const picture = randomPicture(wholeNumber(random, 1, 80), wholeNumber(random, 1, 80), trial);
        const scale = Math.exp((random() - 0.4) * 4);
        const map = similarity(
          scale,
          random() * 7,
          (random() - 0.3) * picture.width,
          (random() - 0.3) * picture.height,
        );
        const sizePx = wholeNumber(random, 1, 35);
        const expected = new Float32Array(3 * sizePx * sizePx);
        reference.load(picture).chip(map, sizePx, normalised, expected);
        assert.deepEqual(chip(picture, map, sizePx, normalised), expected, `trial ${trial}`);
      }
    });

    it('refuses maps and targets that make no sense', () => {
      const loaded = kernels.load(randomPicture(9, 9, 5));
      const target = new Float32Array(3 * 16);
      const map = similarity(1, 0, 0, 0);
      const attempt = (broken: Partial<Similarity>, sizePx = 4, to = target) =>
        loaded.chip({ ...map, ...broken }, sizePx, bytesAsTheyAre, to);
      assert.throws(() => attempt({ tx: Number.NaN }), {
        name: 'RangeError',
        message: 'map.tx: expected a finite number, received NaN',
      });
      assert.throws(() => attempt({ a: 0 }), /map: expected a scale from 1e-6 to 1e6, received 0/);
      assert.throws(() => attempt({}, 0), /sizePx: expected a whole number from 1 to 2048, received 0/);
      assert.throws(() => attempt({}, 5), /target: expected 3 x 5 x 5 = 75 values, received 48/);
    });
  });

  describe(`chip statistics, ${implementation}`, () => {
    it('measures a flat picture, a chequerboard and a half-bright one as they are', () => {
      const flat: Picture = { width: 30, height: 30, data: new Uint8Array(2700).fill(100) };
      const of = (picture: Picture) => kernels.load(picture).chipStatistics(similarity(1, 0, 0, 0), 30);
      const plain = of(flat);
      assert.ok(Math.abs(plain.mean - 100) < 1e-4);
      assert.ok(plain.standardDeviation < 0.05);
      assert.deepEqual([plain.laplacianVariance < 1e-6, plain.brightShare, plain.darkShare], [true, 0, 0]);

      const board = {
        ...flat,
        data: flat.data.map((_, i) => (((Math.floor(i / 3) % 30) + Math.floor(i / 90)) % 2 ? 255 : 0)),
      };
      const chequered = of(board);
      assert.ok(Math.abs(chequered.mean - 127.5) < 1e-3);
      assert.ok(Math.abs(chequered.standardDeviation - 127.5) < 1e-3);
      // Every inner pixel's Laplacian is +1020 or -1020, as many of each.
      assert.ok(Math.abs(chequered.laplacianVariance - 1020 ** 2) < 10);
      assert.deepEqual([chequered.brightShare, chequered.darkShare], [0.5, 0.5]);
    });

    it('agrees with the twin to rounding', () => {
      const random = seededRandom(9);
      for (let trial = 0; trial < 60; trial++) {
        const picture = randomPicture(wholeNumber(random, 1, 60), wholeNumber(random, 1, 60), trial);
        const map = similarity(
          Math.exp((random() - 0.5) * 3),
          random() * 7,
          random() * 20 - 5,
          random() * 20 - 5,
        );
        const sizePx = wholeNumber(random, 1, 33);
        const actual = kernels.load(picture).chipStatistics(map, sizePx);
        const expected = reference.load(picture).chipStatistics(map, sizePx);
        for (const key of Object.keys(expected) as (keyof typeof expected)[]) {
          // Sums of at most a thousand doubles of at most 1e6 each, in another order.
          assert.ok(Math.abs(actual[key] - expected[key]) <= 1e-6, `trial ${trial}, ${key}`);
        }
      }
    });
  });
}

describe('loaded pictures', () => {
  it('are refused after the next load took their memory', async () => {
    const kernels = await createPixelKernels('simd');
    const first = kernels.load(randomPicture(5, 5, 1));
    kernels.load(randomPicture(5, 5, 2));
    assert.throws(() => first.chipStatistics(similarity(1, 0, 0, 0), 5), /used after the next load/);
  });

  it('of many sizes reuse one memory, and unpacking in between harms none of them', async () => {
    const kernels = await createPixelKernels('simd');
    const random = seededRandom(3);
    for (let trial = 0; trial < 40; trial++) {
      const picture = randomPicture(wholeNumber(random, 1, 300), wholeNumber(random, 1, 300), trial);
      const loaded = kernels.load(picture);
      kernels.unpackGrayscale(randomBytes(90_000, trial), 300, 300);
      const target = new Float32Array(3 * picture.width * picture.height);
      const { width, height } = picture;
      const region = { left: 0, top: 0, width, height };
      loaded.letterbox(
        region,
        { tensorWidth: width, tensorHeight: height, ...region },
        bytesAsTheyAre,
        target,
      );
      assert.equal(target[0], picture.data[0]);
      assert.equal(target.at(-1), picture.data.at(-1));
    }
  });
});

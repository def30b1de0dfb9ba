import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPixelKernels } from '../../kernels/kernels.ts';
import type { Picture, Placement, Region, TensorLayout } from '../../kernels/picture.ts';
import { randomBytes, seededRandom, wholeNumber } from './random.ts';

const reference = await createPixelKernels('reference');

const bytesAsTheyAre: TensorLayout = { channels: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] };
const normalised: TensorLayout = { channels: 'BGR', mean: [104, 117, 123], scale: [1, 0.5, 1 / 128] };

function randomPicture(width: number, height: number, seed: number): Picture {
  return { width, height, data: randomBytes(width * height * 3, seed) };
}

const whole = ({ width, height }: Picture): Region => ({ left: 0, top: 0, width, height });

const filling = (width: number, height: number): Placement => ({
  tensorWidth: width,
  tensorHeight: height,
  left: 0,
  top: 0,
  width,
  height,
});

/** The value of a continuous picture, bilinear between pixel centres, edges repeated, in double precision. */
function bilinear({ width, height, data }: Picture, x: number, y: number, colour: number): number {
  const cx = Math.min(Math.max(x, 0), width - 1);
  const cy = Math.min(Math.max(y, 0), height - 1);
  const at = (px: number, py: number) =>
    data[(Math.min(py, height - 1) * width + Math.min(px, width - 1)) * 3 + colour]!;
  const [left, top] = [Math.floor(cx), Math.floor(cy)];
  const [fx, fy] = [cx - left, cy - top];
  const upper = at(left, top) * (1 - fx) + at(left + 1, top) * fx;
  const lower = at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx;
  return upper * (1 - fy) + lower * fy;
}

for (const implementation of ['simd', 'reference'] as const) {
  const kernels = await createPixelKernels(implementation);

  const letterbox = (picture: Picture, region: Region, placement: Placement, layout = bytesAsTheyAre) => {
    const target = new Float32Array(3 * placement.tensorWidth * placement.tensorHeight).fill(Number.NaN);
    kernels.load(picture).letterbox(region, placement, layout, target);
    return target;
  };

  describe(`letterbox, ${implementation}`, () => {
    it('gives the very bytes where nothing is scaled, in the order of the layout', () => {
      const picture = randomPicture(37, 11, 1);
      const rgb = letterbox(picture, whole(picture), filling(37, 11));
      const bgr = letterbox(picture, whole(picture), filling(37, 11), { ...bytesAsTheyAre, channels: 'BGR' });
      for (let i = 0; i < 37 * 11; i++) {
        for (let colour = 0; colour < 3; colour++) {
          assert.equal(rgb[colour * 37 * 11 + i], picture.data[3 * i + colour]);
          assert.equal(bgr[(2 - colour) * 37 * 11 + i], picture.data[3 * i + colour]);
        }
      }
    });

    it('normalises each plane by its own mean and scale, and black around the picture too', () => {
      const picture: Picture = { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) };
      const placement = { tensorWidth: 3, tensorHeight: 2, left: 1, top: 1, width: 1, height: 1 };
      const target = letterbox(picture, whole(picture), placement, normalised);
      const expected = [30, 20, 10].flatMap((byte, plane) => {
        const value = (b: number) =>
          Math.fround((b - normalised.mean[plane]!) * Math.fround(normalised.scale[plane]!));
        return [value(0), value(0), value(0), value(0), value(byte), value(0)];
      });
      assert.deepEqual([...target], expected);
    });

    it('shrinks to the mean of what a target pixel covers', () => {
      const picture = randomPicture(60, 45, 2);
      const target = letterbox(picture, whole(picture), filling(20, 9));
      for (let colour = 0; colour < 3; colour++) {
        for (let v = 0; v < 9; v++) {
          for (let u = 0; u < 20; u++) {
            let sum = 0;
            for (let y = 5 * v; y < 5 * v + 5; y++) {
              for (let x = 3 * u; x < 3 * u + 3; x++) sum += picture.data[(y * 60 + x) * 3 + colour]!;
            }
            assert.ok(Math.abs(target[(colour * 9 + v) * 20 + u]! - sum / 15) < 1e-3);
          }
        }
      }
    });

    it('keeps the mean of the picture for any ratio of shrinking', () => {
      const picture = randomPicture(101, 67, 3);
      const mean = picture.data.reduce((a, b) => a + b, 0) / picture.data.length;
      for (const [width, height] of [
        [100, 66],
        [64, 40],
        [33, 21],
        [7, 3],
        [1, 1],
      ] as const) {
        const target = letterbox(picture, whole(picture), filling(width, height));
        const targetMean = target.reduce((a, b) => a + b, 0) / target.length;
        assert.ok(
          Math.abs(targetMean - mean) < 1e-3,
          `${width} x ${height}: ${targetMean}, expected ${mean}`,
        );
      }
    });

    it('enlarges bilinearly between pixel centres', () => {
      const picture = randomPicture(9, 7, 4);
      const target = letterbox(picture, whole(picture), filling(31, 20));
      for (let colour = 0; colour < 3; colour++) {
        for (let v = 0; v < 20; v++) {
          for (let u = 0; u < 31; u++) {
            const expected = bilinear(
              picture,
              ((u + 0.5) * 9) / 31 - 0.5,
              ((v + 0.5) * 7) / 20 - 0.5,
              colour,
            );
            assert.ok(Math.abs(target[(colour * 20 + v) * 31 + u]! - expected) < 1e-3);
          }
        }
      }
    });

    it('sees nothing outside its region', () => {
      const picture = randomPicture(40, 30, 5);
      const region = { left: 13, top: 7, width: 11, height: 9 };
      const cut: Picture = { width: 11, height: 9, data: new Uint8Array(11 * 9 * 3) };
      for (let y = 0; y < 9; y++) {
        const start = ((7 + y) * 40 + 13) * 3;
        cut.data.set(picture.data.subarray(start, start + 33), y * 33);
      }
      for (const placement of [filling(23, 19), filling(5, 4), filling(11, 30)]) {
        assert.deepEqual(letterbox(picture, region, placement), letterbox(cut, whole(cut), placement));
      }
    });

    it("gives the twin's bits for sizes round the lane width and any placement", () => {
      const random = seededRandom(6);
      for (let trial = 0; trial < 150; trial++) {
        const picture = randomPicture(wholeNumber(random, 1, 70), wholeNumber(random, 1, 70), trial);
        const left = wholeNumber(random, 0, picture.width - 1);
        const top = wholeNumber(random, 0, picture.height - 1);
        const region = {
          left,
          top,
          width: wholeNumber(random, 1, picture.width - left),
          height: wholeNumber(random, 1, picture.height - top),
        };
        const tensorWidth = wholeNumber(random, 1, 50);
        const tensorHeight = wholeNumber(random, 1, 50);
        const placement = { tensorWidth, tensorHeight, left: 0, top: 0, width: 0, height: 0 };
        placement.left = wholeNumber(random, 0, tensorWidth - 1);
        placement.top = wholeNumber(random, 0, tensorHeight - 1);
        placement.width = wholeNumber(random, 1, tensorWidth - placement.left);
        placement.height = wholeNumber(random, 1, tensorHeight - placement.top);
        const expected = new Float32Array(3 * tensorWidth * tensorHeight);
        reference.load(picture).letterbox(region, placement, normalised, expected);
        assert.deepEqual(letterbox(picture, region, placement, normalised), expected);
      }
    });

    it("gives the twin's bits for a camera's largest frame", () => {
      const picture = randomPicture(1600, 1200, 7);
      const placement = { tensorWidth: 640, tensorHeight: 640, left: 0, top: 80, width: 640, height: 480 };
      const expected = new Float32Array(3 * 640 * 640);
      reference.load(picture).letterbox(whole(picture), placement, normalised, expected);
      assert.deepEqual(letterbox(picture, whole(picture), placement, normalised), expected);
    });

    it('refuses what does not fit before it touches anything', () => {
      const picture = randomPicture(8, 6, 8);
      const loaded = kernels.load(picture);
      const target = new Float32Array(3 * 16);
      const attempt = (
        region: Partial<Region>,
        placement: Partial<Placement>,
        layout: Partial<TensorLayout>,
        to = target,
      ) =>
        loaded.letterbox(
          { ...whole(picture), ...region },
          { ...filling(4, 4), ...placement },
          { ...bytesAsTheyAre, ...layout },
          to,
        );
      assert.throws(() => attempt({ left: 1 }, {}, {}), {
        name: 'RangeError',
        message: 'region.width: expected a whole number from 1 to 7, received 8',
      });
      assert.throws(
        () => attempt({ top: -1 }, {}, {}),
        /region\.top: expected a whole number from 0 to 5, received -1/,
      );
      assert.throws(() => attempt({ height: 2.5 }, {}, {}), /region\.height/);
      assert.throws(
        () => attempt({}, { left: 1 }, {}),
        /placement\.width: expected a whole number from 1 to 3, received 4/,
      );
      assert.throws(() => attempt({}, { tensorWidth: 1e9 }, {}), /placement\.tensorWidth/);
      assert.throws(() => attempt({}, {}, { channels: 'GBR' as 'RGB' }), /layout\.channels/);
      assert.throws(() => attempt({}, {}, { mean: [0, Number.NaN, 0] }), /layout\.mean\[1\]/);
      assert.throws(
        () => attempt({}, {}, {}, new Float32Array(47)),
        /target: expected 3 x 4 x 4 = 48 values, received 47/,
      );
      assert.throws(
        () => kernels.load({ width: 2, height: 2, data: new Uint8Array(11) }),
        /data: expected 2 x 2 x 3 = 12 bytes/,
      );
    });
  });
}

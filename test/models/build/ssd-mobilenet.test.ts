import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { readFaceApiWeights } from '../../../models/build/face-api-weights.ts';
import { MAP_LEVELS, ssdAnchors } from '../../../models/build/ssd-anchors.ts';
import { buildSsdMobilenet } from '../../../models/build/ssd-mobilenet.ts';
import { samplePhotos } from '../../support/face-api.ts';

const SIZE = 512;

test('the regular grid of anchors is the table that the network was trained with', () => {
  const table = readFaceApiWeights('ssd_mobilenetv1').get('Output/extra_dim').data;
  const maps = MAP_LEVELS.map(({ sidePx }) => ({ height: sidePx, width: sidePx }));
  const { centres, sizes } = ssdAnchors(table, maps, SIZE, SIZE);
  assert.equal(centres.length / 2, table.length / 4);
  for (let anchor = 0; anchor < table.length / 4; anchor++) {
    for (const axis of [0, 1]) {
      const centre = centres[2 * anchor + axis]!;
      const half = sizes[2 * anchor + axis]! / 2;
      assert.ok(Math.abs(centre - half - table[4 * anchor + axis]!) < 2e-7);
      assert.ok(Math.abs(centre + half - table[4 * anchor + 2 + axis]!) < 2e-7);
    }
  }
});

for (const [inputWidth, inputHeight] of [
  [512, 288],
  [320, 256],
  [640, 512],
] as const) {
  test(`a ${inputWidth}x${inputHeight} input finds the faces that 512x512 finds in the same pixels`, async () => {
    const side = Math.max(SIZE, inputWidth);
    const square = await InferenceSession.create(buildSsdMobilenet({ inputWidth: side, inputHeight: side }));
    const other = await InferenceSession.create(buildSsdMobilenet({ inputWidth, inputHeight }));
    for (const photo of samplePhotos().slice(0, 2)) {
      const picture = await sharp(photo)
        .resize(inputWidth, inputHeight, { fit: 'cover', position: 'top' })
        .removeAlpha()
        .raw()
        .toBuffer();
      const expected = await detect(square, picture, inputWidth, inputHeight, side, side);
      const found = await detect(other, picture, inputWidth, inputHeight, inputWidth, inputHeight);
      assert.ok(expected.length > 0);
      for (const box of expected) {
        const overlap = Math.max(...found.map((candidate) => intersectionOverUnion(box, candidate)));
        assert.ok(overlap > 0.75, `box ${box.map(Math.round)} is missed: best overlap ${overlap}`);
      }
    }
  });
}

test('two pictures in one batch give what each gives alone', async () => {
  const session = await InferenceSession.create(buildSsdMobilenet({ inputWidth: 320, inputHeight: 256 }));
  const length = 3 * 320 * 256;
  const both = Float32Array.from({ length: 2 * length }, (_, index) => (index * 7919) % 256);
  const run = (planes: Float32Array, count: number) =>
    session.run({ input: new Tensor('float32', planes, [count, 3, 256, 320]) });
  const together = (await run(both, 2)).scores!.data as Float32Array;
  const second = (await run(both.slice(length), 1)).scores!.data as Float32Array;
  for (const [index, score] of second.entries()) {
    assert.ok(Math.abs(together[second.length + index]! - score) < 1e-6);
  }
});

test('a side that is no multiple of 32 is refused', () => {
  assert.throws(() => buildSsdMobilenet({ inputWidth: 500, inputHeight: 512 }), {
    name: 'RangeError',
    message: 'inputWidth: expected a multiple of 32 from 128 to 2048, received 500',
  });
});

type PixelBox = readonly [top: number, left: number, bottom: number, right: number];

async function detect(
  session: InferenceSession,
  rgb: Buffer,
  width: number,
  height: number,
  inputWidth: number,
  inputHeight: number,
): Promise<PixelBox[]> {
  const planes = new Float32Array(3 * inputWidth * inputHeight);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const plane of [0, 1, 2]) {
        planes[(plane * inputHeight + y) * inputWidth + x] = rgb[3 * (y * width + x) + plane]!;
      }
    }
  }
  const { boxes, scores } = await session.run({
    input: new Tensor('float32', planes, [1, 3, inputHeight, inputWidth]),
  });
  const values = boxes!.data as Float32Array;
  return [...(scores!.data as Float32Array)].flatMap((score, index) => {
    if (score < 0.6) return [];
    const at = (offset: number, side: number) => values[4 * index + offset]! * side;
    return [[at(0, inputHeight), at(1, inputWidth), at(2, inputHeight), at(3, inputWidth)] as const];
  });
}

function intersectionOverUnion(a: PixelBox, b: PixelBox): number {
  const area = (box: PixelBox) => (box[2] - box[0]) * (box[3] - box[1]);
  const height = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const width = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  return (height * width) / (area(a) + area(b) - height * width);
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { annotatePicture } from '../../workers/annotate.ts';
import type { FivePoints } from '../../workers/protocol.ts';
import { TEST_LIMITS } from '../support/pipeline.ts';

const grey = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#808080' } })
  .png()
  .toBuffer();
const landmarks: FivePoints = [
  [130, 120],
  [170, 120],
  [150, 140],
  [135, 160],
  [165, 160],
];

async function annotate(label: string, box = { x: 100, y: 90, width: 100, height: 100 }) {
  const jpeg = await annotatePicture(grey, [{ box, landmarks, label, known: true }], TEST_LIMITS);
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [
    ...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3),
  ];
  return { info, at };
}

const isGreen = ([red, green]: number[]) => green! > red! + 60;

test('the box, the points and a label above the box are drawn, the rest is left alone', async () => {
  const { info, at } = await annotate('Ada');
  assert.deepEqual([info.width, info.height], [400, 300]);
  assert.ok(isGreen(at(150, 90)), 'upper edge');
  assert.ok(isGreen(at(200, 140)), 'right edge');
  assert.ok(isGreen(at(130, 120)), 'an eye');
  assert.ok(isGreen(at(101, 80)), 'the label');
  assert.ok(Math.abs(at(300, 200)[0]! - 128) < 6, 'the background');
});

test('the label is written in letters, accents and all, on a machine without fonts', async () => {
  const { at } = await annotate('Trần Thị Bình');
  let dark = 0;
  for (let x = 102; x < 200; x++) for (let y = 74; y < 88; y++) if (at(x, y)[1]! < 90) dark++;
  assert.ok(dark > 40, `${dark} dark pixels`);
});

test('a label of a face at the upper right corner stays inside the picture', async () => {
  const { at } = await annotate('A long name that does not fit', { x: 360, y: 2, width: 38, height: 60 });
  assert.ok(isGreen(at(200, 10)));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { ALTERATIONS, cutOut, readPhoto } from '../../bench/demo-photos.ts';

const WIDTH = 1500;
const HEIGHT = 1000;
const MARK = { x: 400, y: 300, width: 60, height: 60 };

/** A white square on dark grey. */
async function markedPhoto() {
  const mark = { create: { width: 60, height: 60, channels: 3, background: '#ffffff' } } as const;
  const jpeg = await sharp({
    create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#303030' },
  })
    .composite([{ input: mark, left: MARK.x, top: MARK.y }])
    .jpeg()
    .toBuffer();
  return readPhoto(jpeg);
}

for (const alteration of ALTERATIONS) {
  test(`${alteration.name}: a point of the photo is found where the copy has it`, async () => {
    const copy = await alteration.apply(await markedPhoto());
    const { data, info } = await sharp(copy.jpeg).grayscale().raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [copy.width, copy.height]);
    const background = copy.mapPoint([WIDTH * 0.7, HEIGHT * 0.7]);
    const at = ([x, y]: readonly [number, number]) => data[Math.round(y) * info.width + Math.round(x)]!;
    // Near the mark's corners, so that a mirrored or turned one is told from a shifted one.
    for (const [x, y] of [
      [410, 310],
      [450, 310],
      [410, 350],
      [450, 350],
    ] as const)
      assert.ok(at(copy.mapPoint([x, y])) > at(background) + 50, `${x}, ${y}`);
    for (const [x, y] of [
      [385, 330],
      [475, 330],
      [430, 285],
      [430, 375],
    ] as const)
      assert.ok(at(copy.mapPoint([x, y])) < at(background) + 20, `${x}, ${y}`);
  });
}

test('a face is cut out with room around it, but not with its neighbour', async () => {
  const photo = await markedPhoto();
  const face = { x: 700, y: 500, width: 100, height: 100 };
  const alone = await sharp(await cutOut(photo, face, [])).metadata();
  assert.deepEqual([alone.width, alone.height], [260, 260]);
  const neighbour = { x: 830, y: 480, width: 100, height: 100 };
  const beside = await sharp(await cutOut(photo, face, [neighbour])).metadata();
  assert.deepEqual([beside.width, beside.height], [210, 260]);
});

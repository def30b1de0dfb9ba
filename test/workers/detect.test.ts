import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { createPixelKernels } from '../../kernels/kernels.ts';
import { detectorModels } from '../../models/manifest.ts';
import { boxToPicture, fitCentred, fitTopLeft, pointToPicture } from '../../workers/detect/letterbox.ts';
import { inputSizeFor } from '../../workers/detect/ssd.ts';
import { isCutOff, mergeScales, tilesOf } from '../../workers/detect/tiles.ts';
import { createYunetDetector, letterboxFor } from '../../workers/detect/yunet.ts';
import { createGraphOpener, type Graph } from '../../workers/session.ts';
import { cosine, EMBEDDED_PACK, findFacesIn, openPipeline, withYunet } from '../support/pipeline.ts';
import { FACES_IN_SAMPLE, readSample, WITHOUT_YUNET, YUNET_PATH } from '../support/samples.ts';

const yunet = detectorModels.find(({ family }) => family === 'yunet')!;

test('a point of the input comes back to where it was in the picture', () => {
  const letterbox = fitTopLeft({ left: 100, top: 50, width: 800, height: 400 }, 512, 512);
  assert.deepEqual(letterbox.placement, {
    tensorWidth: 512,
    tensorHeight: 512,
    left: 0,
    top: 0,
    width: 512,
    height: 256,
  });
  assert.deepEqual(pointToPicture(letterbox, 0, 0), [100, 50]);
  assert.deepEqual(pointToPicture(letterbox, 512, 256), [900, 450]);
  assert.deepEqual(boxToPicture(letterbox, 128, 64, 256, 128), { x: 300, y: 150, width: 200, height: 100 });
});

test('a centred picture has the same room on all sides', () => {
  const { placement } = fitCentred({ left: 0, top: 0, width: 100, height: 100 }, 256, 256, 0.5);
  assert.deepEqual([placement.left, placement.top, placement.width, placement.height], [64, 64, 128, 128]);
});

test('a picture of one pixel and one of a single row fit into the input', () => {
  for (const [width, height] of [
    [1, 1],
    [4000, 1],
    [1, 4000],
  ] as const) {
    const { placement } = letterboxFor({ width, height });
    assert.ok(placement.width >= 1 && placement.height >= 1);
    assert.ok(placement.width <= placement.tensorWidth && placement.height <= placement.tensorHeight);
    assert.equal(placement.tensorWidth % 32, 0);
    assert.equal(placement.tensorHeight % 32, 0);
  }
});

test('the input has the shape of the picture: wide, 4:3, upright, square, medium, small', () => {
  assert.deepEqual(inputSizeFor(1920, 1080), [512, 288]);
  assert.deepEqual(inputSizeFor(1080, 1920), [288, 512]);
  assert.deepEqual(inputSizeFor(1600, 1200), [512, 384]);
  assert.deepEqual(inputSizeFor(1200, 1600), [384, 512]);
  assert.deepEqual(inputSizeFor(1000, 1000), [512, 512]);
  assert.deepEqual(inputSizeFor(640, 480), [448, 352]);
  assert.deepEqual(inputSizeFor(480, 640), [352, 448]);
  assert.deepEqual(inputSizeFor(600, 600), [448, 448]);
  assert.deepEqual(inputSizeFor(320, 240), [320, 256]);
});

test('tiles cover every pixel and overlap their neighbours', () => {
  const tiles = tilesOf(1920, 1080, { width: 800, height: 600, overlapPx: 96 });
  const covered = new Uint8Array(1920 * 1080);
  for (const { left, top, width, height } of tiles) {
    assert.ok(left >= 0 && top >= 0 && left + width <= 1920 && top + height <= 1080);
    for (let y = top; y < top + height; y++) covered.fill(1, y * 1920 + left, y * 1920 + left + width);
  }
  assert.ok(covered.every((value) => value === 1));
  const lefts = [...new Set(tiles.map(({ left }) => left))];
  for (let i = 1; i < lefts.length; i++) assert.ok(lefts[i - 1]! + 800 - lefts[i]! >= 96);
});

test('a picture no larger than a tile needs none', () => {
  assert.deepEqual(tilesOf(800, 540, { width: 800, height: 600, overlapPx: 96 }), []);
});

test('a face at the inner edge of a tile is cut off, one at the edge of the picture is not', () => {
  const tile = { left: 0, top: 0, width: 100, height: 100 };
  const faceAt = (x: number) => ({ box: { x, y: 40, width: 20, height: 20 }, score: 1, points: null });
  assert.equal(isCutOff(faceAt(80), tile, 200, 100), true);
  assert.equal(isCutOff(faceAt(0), tile, 200, 100), false);
  assert.equal(isCutOff(faceAt(80), tile, 100, 100), false);
});

test('one face seen at two scales counts once, a face beside it counts too', () => {
  const faceOf = (x: number, side: number, score: number) => ({
    box: { x, y: 0, width: side, height: side },
    score,
    points: null,
  });
  const merged = mergeScales([faceOf(0, 40, 0.9), faceOf(5, 28, 0.8), faceOf(60, 40, 0.7)], 0.5);
  assert.deepEqual(
    merged.map(({ score }) => score),
    [0.9, 0.7],
  );
});

test('the embedded detector finds everybody in the sample photos', async () => {
  const parts = await openPipeline(EMBEDDED_PACK);
  for (const number of [1, 5, 6]) {
    const { faces } = await findFacesIn(parts, await readSample(number));
    assert.equal(faces.length, FACES_IN_SAMPLE[number - 1]);
  }
});

test('YuNet finds everybody in the sample photos', { skip: WITHOUT_YUNET }, async () => {
  const parts = await openPipeline(withYunet(YUNET_PATH!));
  for (const number of [1, 2, 3, 4, 5, 6]) {
    const { faces } = await findFacesIn(parts, await readSample(number));
    assert.equal(faces.length, FACES_IN_SAMPLE[number - 1]);
  }
});

test('faces under 40 px in a large picture are found through tiles', async () => {
  const parts = await openPipeline(EMBEDDED_PACK);
  // Faces of the sample are about 170 px wide; at a sixth they have 28 px, in a canvas of 1920x1080.
  const small = await sharp(await readSample(5))
    .resize(320)
    .toBuffer();
  const canvas = sharp({ create: { width: 1920, height: 1080, channels: 3, background: '#777777' } });
  const picture = await canvas
    .composite([{ input: small, left: 900, top: 500 }])
    .jpeg({ quality: 95 })
    .toBuffer();
  const { faces } = await findFacesIn(parts, picture);
  assert.equal(faces.length, FACES_IN_SAMPLE[4]);
  assert.ok(faces.every(({ box }) => box.width < 40));
});

const detectors = [EMBEDDED_PACK, ...(YUNET_PATH === null ? [] : [withYunet(YUNET_PATH)])];

for (const models of detectors)
  test(`a quick look of ${models.detector.id} finds the large faces, and a close one what it finds none of`, async () => {
    const parts = await openPipeline(models);
    const closeUp = await sharp(await readSample(6))
      .extract({ left: 300, top: 200, width: 900, height: 560 })
      .toBuffer();
    const close = (await findFacesIn(parts, closeUp)).faces;
    const quick = (await findFacesIn(parts, closeUp, { smallFaces: false })).faces;
    assert.ok(quick.length > 0);
    assert.deepEqual(quick.length, close.length);
    for (const { embedding } of quick)
      assert.ok(Math.max(...close.map((face) => cosine(face.embedding!, embedding!))) > 0.97);
    const small = await sharp(await readSample(6))
      .resize(240)
      .extend({ right: 1040, bottom: 500, background: '#777777' })
      .toBuffer();
    assert.ok((await findFacesIn(parts, small, { smallFaces: false })).faces.length > 0);
  });

test('a face that fills the picture is found in the second look', async () => {
  const parts = await openPipeline(EMBEDDED_PACK);
  const closeUp = await sharp(await readSample(6))
    .extract({ left: 640, top: 370, width: 220, height: 270 })
    .toBuffer();
  const { faces } = await findFacesIn(parts, closeUp);
  assert.equal(faces.length, 1);
});

test('YuNet looks twice where the first look suspects a face that fills the picture, and once at nothing', {
  skip: YUNET_PATH === null && WITHOUT_YUNET,
}, async () => {
  const { layout, scoreThreshold, iouThreshold: overlapThreshold } = yunet;
  const graph = await (await createGraphOpener('cpu')).open(yunet.id, YUNET_PATH!);
  let looks = 0;
  const counting: Graph = {
    ...graph,
    run(...input) {
      looks++;
      return graph.run(...input);
    },
  };
  const detector = createYunetDetector(counting, { layout, scoreThreshold, overlapThreshold });
  const kernels = await createPixelKernels('simd');
  const picture = (data: Uint8Array) => kernels.load({ width: 320, height: 240, data });
  const face = await sharp(await readSample(6))
    .extract({ left: 670, top: 420, width: 160, height: 120 })
    .resize(320, 240)
    .removeAlpha()
    .raw()
    .toBuffer();
  const [found] = await detector.detect(picture(face));
  assert.ok(found!.box.height > 240);
  assert.equal(looks, 2);
  looks = 0;
  assert.deepEqual(await detector.detect(picture(new Uint8Array(320 * 240 * 3).fill(90))), []);
  assert.equal(looks, 1);
  await graph.release();
});

test('nobody is found in noise, in black and in a single pixel', async () => {
  const parts = await openPipeline(EMBEDDED_PACK);
  const noise = await sharp({
    create: {
      width: 320,
      height: 240,
      channels: 3,
      background: '#000',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
    .png()
    .toBuffer();
  const black = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#000' } })
    .png()
    .toBuffer();
  const pixel = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#fff' } })
    .png()
    .toBuffer();
  for (const picture of [noise, black, pixel])
    assert.equal((await findFacesIn(parts, picture)).faces.length, 0);
});

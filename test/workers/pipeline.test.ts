import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodePicture } from '../../workers/decode.ts';
import { meanDirection } from '../../workers/embed.ts';
import { findFaces } from '../../workers/pipeline.ts';
import type { AnalysedFace } from '../../workers/protocol.ts';
import { cosine, EMBEDDED_PACK, findFacesIn, openPipeline, withYunet } from '../support/pipeline.ts';
import { readSample, WITHOUT_YUNET, YUNET_PATH } from '../support/samples.ts';

const embedded = await openPipeline(EMBEDDED_PACK);

/** One face of sample 6 with room around it. */
const portrait = await sharp(await readSample(6))
  .extract({ left: 520, top: 240, width: 460, height: 520 })
  .png()
  .toBuffer();

async function onlyFace(bytes: Uint8Array, parts = embedded): Promise<AnalysedFace> {
  const { faces } = await findFacesIn(parts, bytes);
  assert.equal(faces.length, 1);
  return faces[0]!;
}

test('an embedding has 512 numbers and length one', async () => {
  const { embedding } = await onlyFace(portrait);
  assert.equal(embedding!.length, 512);
  assert.ok(Math.abs(cosine(embedding!, embedding!) - 1) < 1e-5);
});

test('a picture gives the same answer each time', async () => {
  const first = await onlyFace(portrait);
  const second = await onlyFace(portrait);
  assert.deepEqual(first, second);
});

test('a face stays itself when it is turned by 30 degrees, made smaller, darker or compressed', async () => {
  const { embedding } = await onlyFace(portrait);
  const variants = {
    turned: sharp(portrait).rotate(30, { background: '#888' }),
    smaller: sharp(portrait).resize(230),
    darker: sharp(portrait).linear(0.5, 0),
    compressed: sharp(portrait).jpeg({ quality: 40 }),
    mirrored: sharp(portrait).flop(),
  };
  for (const [name, variant] of Object.entries(variants)) {
    const similarity = cosine(embedding!, (await onlyFace(await variant.toBuffer())).embedding!);
    assert.ok(similarity > 0.95, `${name}: ${similarity}`);
  }
});

test('the embedding of both views is the mean of the two', async () => {
  const ofView = async (view: 'both' | 'straight' | 'mirrored') =>
    (await findFacesIn(embedded, portrait, { view })).faces[0]!.embedding!;
  const [both, straight, mirrored] = [
    await ofView('both'),
    await ofView('straight'),
    await ofView('mirrored'),
  ];
  assert.ok(cosine(straight, mirrored) < 0.9999);
  assert.ok(cosine(both, meanDirection([straight, mirrored])) > 0.99999);
});

test('different people of one photo stay below the operating point', async () => {
  const { faces } = await findFacesIn(embedded, await readSample(6));
  for (const [i, face] of faces.entries()) {
    for (const other of faces.slice(i + 1)) assert.ok(cosine(face.embedding!, other.embedding!) < 0.85);
  }
});

test('both detectors lead to the same embedding', { skip: WITHOUT_YUNET }, async () => {
  const parts = await openPipeline(withYunet(YUNET_PATH!));
  const similarity = cosine(
    (await onlyFace(portrait)).embedding!,
    (await onlyFace(portrait, parts)).embedding!,
  );
  assert.ok(similarity > 0.98, String(similarity));
});

test('the five points lie in the box: eyes above the nose, nose above the mouth, left before right', async () => {
  const { box, landmarks } = await onlyFace(portrait);
  const [leftEye, rightEye, nose, leftMouth, rightMouth] = landmarks;
  for (const [x, y] of landmarks) {
    assert.ok(x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height);
  }
  assert.ok(leftEye[0] < rightEye[0] && leftMouth[0] < rightMouth[0]);
  assert.ok(Math.max(leftEye[1], rightEye[1]) < nose[1] && nose[1] < Math.min(leftMouth[1], rightMouth[1]));
});

test('points of a reduced picture are told in the pixels of the picture that was sent', async () => {
  const large = await sharp(portrait).resize(5000).jpeg().toBuffer();
  const { landmarks } = await onlyFace(large);
  const small = await onlyFace(portrait);
  const factor = 5000 / 460;
  for (const [i, [x, y]] of landmarks.entries()) {
    const [smallX, smallY] = small.landmarks[i]!;
    assert.ok(Math.hypot(x / factor - smallX, y / factor - smallY) < 5, `point ${i}`);
  }
});

test('a good portrait scores high in every measure', async () => {
  const { quality } = await onlyFace(portrait);
  for (const [measure, score] of Object.entries(quality)) assert.ok(score > 0.8, `${measure}: ${score}`);
});

test('each fault lowers its own measure', async () => {
  const good = (await onlyFace(portrait)).quality;
  const blurred = (await onlyFace(await sharp(portrait).blur(3).toBuffer())).quality;
  const dark = (await onlyFace(await sharp(portrait).linear(0.25, 0).toBuffer())).quality;
  const small = (await onlyFace(await sharp(portrait).resize(92).toBuffer())).quality;
  assert.ok(blurred.clarity < 0.6 && blurred.lighting > 0.8, JSON.stringify(blurred));
  assert.ok(dark.lighting < 0.5, JSON.stringify(dark));
  assert.ok(small.size < 0.97 && small.size < good.size, JSON.stringify(small));
  for (const bad of [blurred, dark]) assert.ok(bad.overall < good.overall);
});

test('a face in profile scores low for its angle', async () => {
  const { faces } = await findFacesIn(embedded, await readSample(2));
  const angles = faces.map(({ quality }) => quality.angle).sort((a, b) => a - b);
  assert.ok(angles[0]! < 0.2 && angles.at(-1)! > 0.8, String(angles));
});

test('no more faces come back than the limit allows', async () => {
  const limited = { ...embedded, limits: { ...embedded.limits, maxFaces: 2 } };
  assert.equal((await findFacesIn(limited, await readSample(5))).faces.length, 2);
});

test('faces of a frame that is too dark to tell them apart are found, with a quality that nobody is named by', async () => {
  const { picture } = await decodePicture(portrait, embedded.limits);
  const task = { index: null, returnEmbeddings: false };
  const view = { looks: [picture, picture], legible: false };
  const [seen] = (await findFaces(embedded, picture, 1, task, view)).faces;
  const [ordinary] = (await findFaces(embedded, picture, 1, task)).faces;
  assert.deepEqual(seen!.box, ordinary!.box);
  assert.deepEqual([seen!.quality.lighting, seen!.quality.overall], [0, 0]);
  assert.deepEqual([seen!.noisy, ordinary!.noisy], [true, undefined]);
  assert.ok(ordinary!.quality.lighting > 0.5);
});

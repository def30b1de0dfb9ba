import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildDlibResnet } from '../../../models/build/dlib-resnet.ts';
import { buildLandmarks68 } from '../../../models/build/landmarks-68.ts';
import { buildSsdMobilenet } from '../../../models/build/ssd-mobilenet.ts';
import { sphereLift } from '../../../models/sphere-lift.ts';
import { type FaceApiReference, loadFaceApi, samplePhotos } from '../../support/face-api.ts';

/** float32 sums in another order: measured 5e-7 for embeddings, 2e-6 for boxes. */
const TOLERANCE = 1e-5;

const sessionOptions = { intraOpNumThreads: 1, interOpNumThreads: 1 };

async function run(session: InferenceSession, planes: Float32Array, sides: readonly [number, number]) {
  const count = planes.length / (3 * sides[0] * sides[1]);
  const outputs = await session.run({ input: new Tensor('float32', planes, [count, 3, ...sides]) });
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, tensor.data as Float32Array]),
  );
}

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  assert.equal(actual.length, expected.length);
  return actual.reduce((largest, value, index) => Math.max(largest, Math.abs(value - expected[index]!)), 0);
}

describe('the graphs give what @vladmandic/face-api gives', () => {
  let reference: FaceApiReference;
  let detector: InferenceSession;
  let landmarks: InferenceSession;
  let embedder: InferenceSession;

  before(async () => {
    reference = await loadFaceApi();
    detector = await InferenceSession.create(
      buildSsdMobilenet({ inputWidth: 512, inputHeight: 512 }),
      sessionOptions,
    );
    landmarks = await InferenceSession.create(buildLandmarks68(), sessionOptions);
    embedder = await InferenceSession.create(buildDlibResnet(), sessionOptions);
  });

  for (const photo of samplePhotos().slice(0, 3)) {
    test(`on ${photo.split('/').at(-1)}`, async () => {
      const { faceApi, planes } = reference;
      const picture = await reference.readPicture(photo);

      const whole = new faceApi.NetInput([picture]);
      const expected = faceApi.nets.ssdMobilenetv1.forwardInput(whole);
      const expectedScores = expected.scores[0]!.dataSync();
      const expectedBoxes = expected.boxes[0]!.dataSync();
      const { boxes, scores } = await run(detector, planes(whole, 512, false), [512, 512]);
      assert.ok(largestDifference(scores!, expectedScores) <= TOLERANCE);
      assert.ok(largestDifference(boxes!, expectedBoxes) <= TOLERANCE);

      const options = new faceApi.SsdMobilenetv1Options({ minConfidence: 0.5 });
      const faces = await faceApi.detectAllFaces(picture, options).withFaceLandmarks();
      assert.ok(faces.length > 0);

      const crops = await faceApi.extractFaceTensors(
        picture,
        faces.map((face) => face.detection),
      );
      const chips = await faceApi.extractFaceTensors(
        picture,
        faces.map((face) => face.alignedRect),
      );
      for (const [index, crop] of crops.entries()) {
        const input = new faceApi.NetInput([crop]);
        const points = await run(landmarks, planes(input, 112, true), [112, 112]);
        const expectedPoints = faceApi.nets.faceLandmark68Net.runNet(input).dataSync();
        assert.ok(largestDifference(points.landmarks!, expectedPoints) <= TOLERANCE);

        const chip = new faceApi.NetInput([chips[index]!]);
        const { descriptor, embedding } = await run(embedder, planes(chip, 150, true), [150, 150]);
        const expectedDescriptor = faceApi.nets.faceRecognitionNet.forwardInput(chip).dataSync();
        assert.ok(largestDifference(descriptor!, expectedDescriptor) <= TOLERANCE);
        assert.ok(largestDifference(embedding!, sphereLift(descriptor!)) <= 1e-6);
      }
      picture.dispose();
    });
  }
});

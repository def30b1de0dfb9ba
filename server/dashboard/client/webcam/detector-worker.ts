/** The script of the worker: finds faces in the frames that it is sent, with the server's own networks, decoding and measures. */

import type { Detector } from '../../../../workers/detect/detector.ts';
import { createSsdDetector, SMALL_INPUT } from '../../../../workers/detect/ssd.ts';
import { createYunetDetector } from '../../../../workers/detect/yunet.ts';
import { clipBox } from '../../../../workers/geometry.ts';
import { createLandmarkFinder, fivePointsOf, type LandmarkFinder } from '../../../../workers/landmarks.ts';
import { assessFace } from '../../../../workers/quality.ts';
import type { DetectorDescription, FromWorker, Look, Provider, ToWorker } from './detector-protocol.ts';
import { createGraphOpener, type GraphOpener } from './onnx-graphs.ts';
import { createPictureReader, type PictureReader } from './pictures.ts';

interface Parts {
  readonly reader: PictureReader;
  readonly detector: Detector;
  /** Of the picture that is searched to the one that was sent. */
  readonly searchScale: (width: number, height: number) => number;
  readonly landmarks: LandmarkFinder;
}

/** Whoever wants to be enrolled stands in front. */
const MAX_FACES = 8;
const PROOF_SIDE_PX = 320;

const scope = self as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};
let parts: Promise<Parts> | null = null;

scope.onmessage = ({ data }) => {
  handle(data).catch((error: unknown) =>
    scope.postMessage({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
};

async function handle(message: ToWorker): Promise<void> {
  if (message.kind === 'open') {
    const opening = openProven(message.description, message.provider);
    parts = opening.then((opened) => opened.parts);
    const { provider, whyNotWebgpu } = (await opening).opener;
    scope.postMessage({ kind: 'opened', provider, whyNotWebgpu });
    return;
  }
  try {
    if (parts === null) throw new Error('a frame came before the detector was opened');
    scope.postMessage({ kind: 'looked', id: message.id, look: await look(await parts, message.bitmap) });
  } finally {
    message.bitmap.close();
  }
}

/** A GPU that is there may still fail at the first picture: then WebAssembly takes over. */
async function openProven(
  description: DetectorDescription,
  wanted?: Provider,
): Promise<{ parts: Parts; opener: Pick<GraphOpener, 'provider' | 'whyNotWebgpu'> }> {
  const opener = await createGraphOpener(description, wanted);
  try {
    return { parts: await open(description, opener), opener };
  } catch (error) {
    if (opener.provider === 'wasm' || wanted === 'webgpu') throw error;
    const plain = await createGraphOpener(description, 'wasm');
    const whyNotWebgpu = `WebGPU failed: ${error instanceof Error ? error.message : String(error)}`;
    return { parts: await open(description, plain), opener: { provider: 'wasm', whyNotWebgpu } };
  }
}

async function open({ detector, landmarks }: DetectorDescription, opener: GraphOpener): Promise<Parts> {
  const { scoreThreshold, overlapThreshold, layout } = detector;
  const options = { scoreThreshold, overlapThreshold, layout };
  const [reader, landmarkGraph] = await Promise.all([createPictureReader(), opener.open(landmarks)]);
  const opened: Parts = {
    reader,
    landmarks: createLandmarkFinder(landmarkGraph),
    ...(detector.family === 'yunet'
      ? {
          detector: createYunetDetector(await opener.open(detector), options),
          searchScale: () => 1,
        }
      : {
          // There is one graph, for small pictures: faces that are large enough to enrol are found in it.
          detector: await createSsdDetector(() => opener.open(detector), options, [SMALL_INPUT]),
          searchScale: (width: number, height: number) =>
            Math.min(1, SMALL_INPUT[0] / width, SMALL_INPUT[1] / height),
        }),
  };
  await look(opened, await createImageBitmap(new ImageData(PROOF_SIDE_PX, PROOF_SIDE_PX)));
  return opened;
}

async function look({ reader, detector, searchScale, landmarks }: Parts, bitmap: ImageBitmap): Promise<Look> {
  const { width, height } = bitmap;
  const startMs = performance.now();
  const scale = searchScale(width, height);
  const searched = reader.load(bitmap, scale);
  const readMs = performance.now();
  // Whole pixels were searched: the two sides are reduced by almost the same.
  const [scaleX, scaleY] = [searched.width / width, searched.height / height];
  const found = (await detector.detect(searched)).slice(0, MAX_FACES).map(({ box, ...face }) => ({
    ...face,
    box: {
      x: box.x / scaleX,
      y: box.y / scaleY,
      width: box.width / scaleX,
      height: box.height / scaleY,
    },
    points: face.points && scale === 1 ? face.points : null,
  }));
  const visible = found.filter(({ box }) => clipBox(box, width, height) !== null);
  const foundMs = performance.now();
  const picture = scale === 1 ? searched : reader.load(bitmap, 1);
  const points = await landmarks.find(picture, visible);
  const faces = visible.map(({ box, score }, i) => {
    const five = fivePointsOf(points[i]!);
    const inside = clipBox(box, width, height)!;
    return { box: inside, landmarks: five, score, quality: assessFace(picture, inside, points[i]!, five) };
  });
  return {
    width,
    height,
    faces,
    meanLuma: searched.meanLuma,
    timings: {
      readMs: readMs - startMs,
      detectMs: foundMs - readMs,
      assessMs: performance.now() - foundMs,
    },
  };
}

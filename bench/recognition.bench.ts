/** From decoded pixels to an embedding on one thread, and in the same run what others need for the same picture. */
import type { Picture } from '../kernels/picture.ts';
import { openPipeline } from '../test/support/pipeline.ts';
import { intersectionOverUnion } from '../workers/geometry.ts';
import { type FoundFaces, findFaces, type PipelineTimings } from '../workers/pipeline.ts';
import type { Box, ModelSelection } from '../workers/protocol.ts';
import { wholeNumber } from './command-line.ts';
import {
  median,
  type Reporter,
  ratioFigure,
  summarise,
  type Timing,
  timeInterleaved,
  timingFigure,
  verify,
} from './harness.ts';
import { openFaceApiPeer, type PeerFace } from './peers/face-api.ts';
import { openFaceRecognitionPeer } from './peers/face-recognition.ts';
import { onePersonPixels } from './pictures.ts';
import { findYunet, SSD, WITHOUT_YUNET } from './selections.ts';

export const title = 'decoded 640x480 picture with one face to its embedding, one thread, CPU';

/** Detectors draw their boxes differently: YuNet's are narrower than SSD's. */
const SAME_FACE_OVERLAP = 0.4;
const WARM_UPS = 3;

interface Contestant {
  readonly name: string;
  readonly body: () => Promise<FoundFaces | readonly PeerFace[]>;
  readonly check: (result: FoundFaces | readonly PeerFace[]) => void;
}

interface Ours extends Contestant {
  readonly stages: PipelineTimings[];
  readonly targetMs: number;
  readonly targetRatio: number;
}

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const repeats = wholeNumber(options, 'repeats', 25, 1, 10_000);
  const picture = await onePersonPixels();
  const peer = await openFaceApiPeer();
  reporter.note(`the others: ${peer.description}`);
  const loaded = peer.load(picture);
  const theirBox = onlyBox(await loaded.findFaces(), 'face-api');

  const yunet = await findYunet();
  if (yunet === null) reporter.skip(WITHOUT_YUNET);
  const ours = [
    await openOurs('SSD', SSD, picture, theirBox, 50, 4.5),
    ...(yunet ? [await openOurs('YuNet', yunet, picture, theirBox, 20, 12)] : []),
  ];
  const theirs: Contestant = {
    name: 'face-api',
    body: () => loaded.findFaces(),
    check: (result) =>
      checkSameFace(onlyBox(result as readonly PeerFace[], 'face-api'), theirBox, 'face-api'),
  };

  const timings = await timeInterleaved([...ours, theirs], { warmUps: WARM_UPS, repeats });
  const theirTiming = timings.at(-1)!;
  reporter.add(timingFigure('@vladmandic/face-api on tfjs-wasm', theirTiming));
  for (const [i, { name, stages, targetMs, targetRatio }] of ours.entries()) {
    reporter.add(timingFigure(`with ${name}`, timings[i]!, { atMost: targetMs }));
    for (const stage of ['detectMs', 'alignMs', 'embedMs'] as const) {
      const value = median(stages.slice(WARM_UPS).map((one) => one[stage]));
      reporter.add({ name: `with ${name}: ${stage.replace('Ms', '')}`, unit: 'ms', value });
    }
    reporter.add(
      ratioFigure(`with ${name}: faster than face-api`, theirTiming, timings[i]!, { atLeast: targetRatio }),
    );
  }
  loaded.dispose();
  await measureFaceRecognition(reporter, picture, theirBox, ours, timings, repeats, options.python);
}

/** In a process of its own, and so after the others instead of between them: the ratio is that of the medians. */
async function measureFaceRecognition(
  reporter: Reporter,
  picture: Picture,
  theirBox: Box,
  ours: readonly Ours[],
  timings: readonly Timing[],
  repeats: number,
  interpreter: string | undefined,
): Promise<void> {
  const peer = await openFaceRecognitionPeer(picture, interpreter);
  if (peer === null)
    return reporter.skip("Python's face_recognition: not installed (--python names one that has it)");
  try {
    await peer.find(WARM_UPS);
    const { timesMs, boxes } = await peer.find(repeats);
    checkSameFace(
      onlyBox(
        boxes.map((box) => ({ box })),
        'face_recognition',
      ),
      theirBox,
      'face_recognition',
    );
    const timing = summarise(timesMs);
    reporter.add(timingFigure(peer.description, timing));
    for (const [i, { name }] of ours.entries()) {
      const value = timing.medianMs / timings[i]!.medianMs;
      reporter.add({ name: `with ${name}: faster than face_recognition`, unit: 'times', value });
    }
  } finally {
    await peer.close();
  }
}

async function openOurs(
  name: string,
  models: ModelSelection,
  picture: Picture,
  theirBox: Box,
  targetMs: number,
  targetRatio: number,
): Promise<Ours> {
  const parts = await openPipeline(models);
  const stages: PipelineTimings[] = [];
  return {
    name,
    stages,
    targetMs,
    targetRatio,
    body: () => findFaces(parts, picture, 1, { index: null, returnEmbeddings: true }),
    check(result) {
      const { faces, timings } = result as FoundFaces;
      stages.push(timings);
      checkSameFace(onlyBox(faces, name), theirBox, name);
      verify(faces[0]!.embedding?.length === 512, `${name}: expected an embedding of 512 numbers`);
    },
  };
}

function onlyBox(faces: readonly { readonly box: Box }[], name: string): Box {
  verify(faces.length === 1, `${name}: expected one face, found ${faces.length}`);
  return faces[0]!.box;
}

function checkSameFace(box: Box, other: Box, name: string): void {
  const overlap = intersectionOverUnion(box, other);
  verify(
    overlap >= SAME_FACE_OVERLAP,
    `${name}: its face is another one than face-api's (overlap ${overlap})`,
  );
}

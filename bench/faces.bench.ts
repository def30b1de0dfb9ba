/**
 * Faces in dim, noisy captures: found, in percent of those found in the same photo when clean, and recognised. Simulated sensor with a
 * mosaic, 320x240, gain 16, a seventh of the light, three lights, no header. A face that could be found is one that the same detector
 * finds in the clean picture of that size; it is found where a box overlaps it by more than half. People are enrolled from the same
 * photos, clean, at 1280x960, so the rates say what the dark costs, not how well two photos of a person match; the gallery's own rules
 * decide about names, at cosine 0.85.
 */
import { createEnhancer, type EnhancedFrame, type Enhancer } from '../kernels/enhance.ts';
import { unknownSensorState } from '../kernels/enhancement-report.ts';
import { FrameHistory } from '../kernels/frame-history.ts';
import { decide, NOISE_THRESHOLD_RISE } from '../server/recognition/gallery-decision.ts';
import { openPipeline } from '../test/support/pipeline.ts';
import { intersectionOverUnion } from '../workers/geometry.ts';
import { findFaces, type PipelineParts } from '../workers/pipeline.ts';
import type { AnalysedFace } from '../workers/protocol.ts';
import { darkScenes, enrolmentScale, type Scene, sceneHeight, sceneWidth } from './face-scenes.ts';
import { cosine } from './face-set.ts';
import type { Reporter } from './harness.ts';
import { samplePhoto, samplePhotoCount } from './sample-photos.ts';
import { findYunet, SSD, WITHOUT_YUNET } from './selections.ts';

export const title =
  'faces found and recognised, 320x240, gain 16, 0.15 of the light, of those in the clean photo';

const [width, height] = [sceneWidth, sceneHeight];
const similarityThreshold = 0.85;

const ways = [
  'clean',
  'plain unpack',
  'denoised',
  'corrected',
  'enhanced',
  'eight frames, enhanced',
] as const;
type Way = (typeof ways)[number];

/** `enhanced` is what a board's frame gets: two looks for detection where it is very dark. */
const promisedYunet: Partial<Record<Way, number>> = { enhanced: 90, 'eight frames, enhanced': 98 };

interface Tally {
  found: number;
  /** Boxes that overlap no face of the clean picture. */
  stray: number;
  right: number;
  wrong: number;
}

interface Enrolled {
  readonly photo: number;
  readonly face: AnalysedFace;
}

interface Contestant {
  readonly name: string;
  readonly parts: PipelineParts;
  readonly gallery: readonly Enrolled[];
  readonly tallies: Readonly<Record<Way, Tally>>;
  faces: number;
}

export async function run(reporter: Reporter): Promise<void> {
  const yunet = await findYunet();
  if (yunet === null) reporter.note(WITHOUT_YUNET);
  const enhancer = await createEnhancer('simd');
  const contestants: Contestant[] = [];
  for (const [name, selection] of [
    ['SSD', SSD],
    ['YuNet', yunet],
  ] as const) {
    if (selection === null) continue;
    const parts = await openPipeline(selection);
    const tallies = Object.fromEntries(
      ways.map((way) => [way, { found: 0, stray: 0, right: 0, wrong: 0 }]),
    ) as Record<Way, Tally>;
    contestants.push({ name, parts, gallery: await enrol(parts), tallies, faces: 0 });
  }
  for await (const scene of darkScenes()) {
    for (const frames of scene.frames) {
      for (const contestant of contestants) await look(contestant, enhancer, scene, frames);
    }
  }
  for (const contestant of contestants) report(reporter, contestant);
}

/** Every face of the clean photos. */
async function enrol(parts: PipelineParts): Promise<Enrolled[]> {
  const gallery: Enrolled[] = [];
  for (let photo = 1; photo <= samplePhotoCount; photo++) {
    const picture = await samplePhoto(photo, enrolmentScale * width, enrolmentScale * height);
    for (const face of await facesIn(parts, { picture })) gallery.push({ photo, face });
  }
  return gallery;
}

async function facesIn(
  parts: PipelineParts,
  { picture, looks = [], report }: Pick<EnhancedFrame, 'picture'> & Partial<EnhancedFrame>,
): Promise<AnalysedFace[]> {
  return (
    await findFaces(
      parts,
      picture,
      1,
      { index: null, returnEmbeddings: true },
      { looks, legible: report?.legible ?? true },
    )
  ).faces;
}

async function look(
  contestant: Contestant,
  enhancer: Enhancer,
  scene: Scene,
  frames: readonly Uint8Array[],
): Promise<void> {
  const { parts, tallies } = contestant;
  const frame = (bytes: Uint8Array) => ({ bytes, width, height, format: 'RGB565', byteOrder: 'BE' }) as const;
  const first = frame(frames[0]!);
  const history = new FrameHistory(width, height);
  const enhanced = frames.map((bytes) =>
    enhancer.enhance(frame(bytes), unknownSensorState, history, 'corrected', 'dct', true),
  );
  const pictures: Record<Way, Pick<EnhancedFrame, 'picture'> & Partial<EnhancedFrame>> = {
    clean: { picture: scene.clean },
    'plain unpack': { picture: parts.kernels.unpackRgb565(first.bytes, width, height, 'BE') },
    denoised: { picture: enhancer.enhance(first, unknownSensorState, null, 'captured').picture },
    corrected: { picture: enhanced[0]!.picture },
    enhanced: enhanced[0]!,
    'eight frames, enhanced': enhanced.at(-1)!,
  };
  const expected = await facesIn(parts, pictures.clean);
  contestant.faces += expected.length;
  for (const way of ways) {
    const seen = await facesIn(parts, pictures[way]);
    tallies[way].stray += seen.filter((face) => !expected.some((one) => overlap(one, face) > 0.3)).length;
    for (const face of expected) {
      const same = seen.find((one) => overlap(face, one) > 0.5);
      if (same === undefined) continue;
      tallies[way].found++;
      const answer = identify(contestant.gallery, scene, face, same);
      if (answer !== 'none') tallies[way][answer]++;
    }
  }
}

const overlap = (first: AnalysedFace, second: AnalysedFace) => intersectionOverUnion(first.box, second.box);

/** What the gallery says of the face, and whether it is the person whose face lies there in the photo. */
function identify(
  gallery: readonly Enrolled[],
  scene: Scene,
  expected: AnalysedFace,
  seen: AnalysedFace,
): 'right' | 'wrong' | 'none' {
  const nearest = gallery
    .map(({ face }, person) => ({ person, similarity: cosine(face.embedding!, seen.embedding!) }))
    .sort((first, second) => second.similarity - first.similarity);
  const match = {
    ...nearest[0]!,
    secondPerson: nearest[1]!.person,
    secondSimilarity: nearest[1]!.similarity,
  };
  const names = new Map(gallery.map((_, person) => [person, `${person}`]));
  const { recognizedAs } = decide(
    match,
    seen.quality,
    names,
    similarityThreshold + (seen.noisy ? NOISE_THRESHOLD_RISE : 0),
  );
  if (recognizedAs === null) return 'none';
  const { photo, face } = gallery[Number(recognizedAs)]!;
  const isThere = photo === scene.photo && intersectionOverUnion(face.box, scene.inPhoto(expected.box)) > 0.3;
  return isThere ? 'right' : 'wrong';
}

function report(reporter: Reporter, { name, tallies, faces }: Contestant): void {
  for (const way of ways) {
    const { found, stray, right, wrong } = tallies[way];
    const atLeast = name === 'YuNet' ? promisedYunet[way] : undefined;
    const add = (what: string, unit: string, value: number, target?: { atLeast: number }) =>
      reporter.add({ name: `${name}, ${faces} faces, ${way}: ${what}`, unit, value, target });
    add('found', '%', (100 * found) / faces, atLeast === undefined ? undefined : { atLeast });
    add('boxes that are no face of the clean picture', 'boxes', stray);
    add('right name', '%', (100 * right) / faces);
    add('wrong name', '%', (100 * wrong) / faces);
  }
}

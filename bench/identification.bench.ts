/**
 * Everybody enrolled from one picture: how many of their other pictures get the right name, a wrong one, or none, and how many strangers
 * get a name. `npm run bench -- identification [--faces <folder of people>] [--strangers <folder>] [--models <folder>]`
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbedderModel, modelById } from '../models/manifest.ts';
import { galleryThreshold } from '../server/recognition/gallery-threshold.ts';
import { openPipeline } from '../test/support/pipeline.ts';
import { detectorsIn } from './calibration.bench.ts';
import { cosine, type FaceSet, type KnownFace, loadFaceSet } from './face-set.ts';
import { type Reporter, verify } from './harness.ts';

export const title = 'people enrolled from one picture, found in their other pictures; strangers refused';

const EMBEDDER = 'dlib-resnet-v1';
const DEFAULT_THRESHOLD = 0.85;
const DEFAULT_FPIR = 0.01;

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const shared = fileURLToPath(new URL('../../shared', import.meta.url));
  const people = options.faces ?? join(shared, 'data/faces');
  if (!existsSync(people)) {
    reporter.note('skipped: it needs a folder with a folder of photos for each person (--faces <folder>)');
    return;
  }
  const samples = dirname(fileURLToPath(import.meta.resolve('@vladmandic/face-api/demo/sample1.jpg')));
  for (const detector of detectorsIn(options.models ?? join(shared, 'models'))) {
    const parts = await openPipeline({ detector, embedder: { id: EMBEDDER, path: null } });
    const set = await loadFaceSet(parts, people, options.strangers ?? samples);
    verify(set.faces.length > 0, 'no face was found');
    report(reporter, detector.id, set);
  }
}

/** Each round enrols another picture of everybody, and looks at all the others, altered copies of the enrolled ones excepted. */
function report(reporter: Reporter, detector: string, set: FaceSet): void {
  const photosOf = Map.groupBy(
    set.faces.filter(({ person }) => person !== null),
    ({ person }) => person!,
  );
  const rounds = Math.max(...[...photosOf.values()].map((faces) => faces.length));
  const threshold = galleryThreshold(
    {
      similarityThreshold: DEFAULT_THRESHOLD,
      falsePositiveIdentificationRate: DEFAULT_FPIR,
      calibration: (modelById(EMBEDDER) as EmbedderModel).calibration,
    },
    photosOf.size,
  );
  const counts = { right: 0, wrong: 0, missed: 0, strangers: 0, strangersNamed: 0 };
  for (let round = 0; round < rounds; round++) {
    const enrolled = [...photosOf.values()].map((faces) => faces[round % faces.length]!);
    for (const face of set.faces) {
      if (enrolled.some(({ photo }) => photo === face.photo)) continue;
      const best = nearest(face, enrolled);
      const named = best.similarity >= threshold ? best.person : null;
      if (face.person === null) {
        counts.strangers++;
        if (named !== null) counts.strangersNamed++;
      } else if (named === null) counts.missed++;
      else counts[named === face.person ? 'right' : 'wrong']++;
    }
  }
  const looks = counts.right + counts.wrong + counts.missed;
  const name = `${detector}, ${photosOf.size} people, threshold ${threshold.toFixed(3)}`;
  const share = (value: number, of: number) => ({ unit: 'share', value: value / of });
  reporter.add({
    name: `${name}: right name, of ${looks} looks`,
    ...share(counts.right, looks),
    target: { atLeast: 0.95 },
  });
  reporter.add({
    name: `${name}: wrong name, of ${looks} looks`,
    ...share(counts.wrong, looks),
    target: { atMost: 0 },
  });
  reporter.add({
    name: `${name}: strangers with a name, of ${counts.strangers} looks`,
    ...share(counts.strangersNamed, counts.strangers),
    target: { atMost: 0 },
  });
}

function nearest(face: KnownFace, enrolled: readonly KnownFace[]) {
  return enrolled
    .map((other) => ({ person: other.person, similarity: cosine(face.embedding, other.embedding) }))
    .reduce((best, other) => (other.similarity > best.similarity ? other : best));
}

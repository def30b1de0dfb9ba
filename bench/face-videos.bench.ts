/**
 * What is behind the choices of face videos: the weighted mean of the good faces against the best one alone, taking turns between a chip
 * and its mirror image against both of each frame, and how far apart two people in one video are.
 * `npm run bench -- face-videos [--faces <folder of people>] [--ffmpeg <path>]`
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { facesOfVideo } from '../server/attendance/video-faces.ts';
import type { LookAtFrame } from '../server/attendance/video-frame.ts';
import { DIFFERENT_PERSON_SIMILARITY, mainFace, weightedMean } from '../server/attendance/video-person.ts';
import type { JudgedFace } from '../server/attendance/video-quality.ts';
import { type FfmpegProgram, findFfmpeg } from '../server/cameras/ffmpeg-program.ts';
import { videoFrames } from '../server/cameras/video-frames.ts';
import { createLog } from '../server/log.ts';
import { type Recognizer, startRecognizer } from '../server/recognition/recognizer.ts';
import { makeFaceClip } from '../test/support/clips.ts';
import { TEST_LIMITS } from '../test/support/pipeline.ts';
import { cosine } from './face-set.ts';
import { type Reporter, verify } from './harness.ts';
import { findYunet, SSD } from './selections.ts';

export const title = 'face videos: mean or best embedding, one view or both, two people in a video';

const GOOD_SHARE = 0.8;
const JUDGED_QUALITY = 0.5;
const OPERATING_SIMILARITY = 0.85;

/** A moving clip of one photo, and the main face of each of its frames. */
interface Clip {
  readonly person: string;
  readonly faces: readonly JudgedFace[];
}

export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const people = options.faces ?? fileURLToPath(new URL('../../shared/data/faces', import.meta.url));
  if (!existsSync(people)) {
    reporter.skip('it needs a folder with a folder of photos for each person (--faces <folder>)');
    return;
  }
  const program = await findFfmpeg({ path: options.ffmpeg, searchPath: process.env.PATH });
  const folder = await mkdtemp(join(tmpdir(), 'facepool-bench-videos-'));
  const models = (await findYunet()) ?? SSD;
  const recognizer = await startRecognizer({
    models,
    providers: ['cpu'],
    threads: availableParallelism(),
    limits: TEST_LIMITS,
    queueLimit: 256,
    log: createLog({ level: 'silent', format: 'json', secrets: new Set() }),
  });
  try {
    const paths = await makeClips(program, recognizer, people, folder);
    reporter.note(`${models.detector.id}, clips of ${paths.length} photos, six frames each`);
    await compare(reporter, 'quick', program, paths, lookWith(recognizer, {}));
    await compare(
      reporter,
      'both views, close look',
      program,
      paths,
      lookWith(recognizer, { view: 'both', smallFaces: true }),
    );
  } finally {
    await recognizer.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const lookWith =
  (recognizer: Recognizer, instead: Partial<Parameters<LookAtFrame>[1]>): LookAtFrame =>
  ({ bytes, width, height }, { source, ...wanted }) =>
    recognizer.analyse({
      input: { kind: 'video', bytes, width, height },
      ...wanted,
      ...instead,
      jpegQuality: null,
    });

interface ClipFile {
  readonly person: string;
  readonly path: string;
}

async function makeClips(
  program: FfmpegProgram,
  recognizer: Recognizer,
  people: string,
  folder: string,
): Promise<ClipFile[]> {
  const clips: ClipFile[] = [];
  for (const person of await readdir(people))
    for (const name of await readdir(join(people, person))) {
      const photo = join(people, person, name);
      const { faces } = await recognizer.analyse({
        input: { kind: 'encoded', bytes: await readFile(photo) },
        index: null,
        returnEmbeddings: false,
        jpegQuality: null,
      });
      const [largest] = [...faces].sort((a, b) => b.box.width - a.box.width);
      if (largest === undefined) continue;
      const path = join(folder, `${clips.length}.mp4`);
      await makeFaceClip(program.path, { path, face: { photo, ...largest.box } });
      clips.push({ person, path });
    }
  return clips;
}

async function compare(
  reporter: Reporter,
  way: string,
  program: FfmpegProgram,
  files: readonly ClipFile[],
  look: LookAtFrame,
): Promise<void> {
  const clips: Clip[] = [];
  for (const { person, path } of files) {
    const results = await facesOfVideo({
      readFrames: (video) => videoFrames(program, video),
      look,
      framesAtOnce: availableParallelism() + 1,
      video: { path, container: 'mov', everyMs: 500, maxFrames: 240, limitMs: 60_000 },
      returnEmbeddings: true,
    });
    const faces = results.flatMap((result) => mainFace(result) ?? []);
    if (faces.length > 0) clips.push({ person, faces });
  }
  verify(clips.length > 1, 'no clip had a face');
  reporter.add({ name: `${way}: clips with a face`, unit: '', value: clips.length });
  describeEmbeddings(reporter, `${way}, weighted mean`, clips, ({ faces }) => weightedMean(goodOf(faces)));
  describeEmbeddings(reporter, `${way}, best face`, clips, ({ faces }) => bestOf(faces).face.embedding!);
  describePeople(reporter, way, clips);
}

const bestOf = (faces: readonly JudgedFace[]) => faces.reduce((a, b) => (b.quality > a.quality ? b : a));

function goodOf(faces: readonly JudgedFace[]): JudgedFace[] {
  const best = bestOf(faces);
  return faces.filter(({ quality }) => quality >= GOOD_SHARE * best.quality);
}

/** Two clips of a person are of two photos. */
function describeEmbeddings(
  reporter: Reporter,
  name: string,
  clips: readonly Clip[],
  embed: (clip: Clip) => Float32Array,
): void {
  const embedded = clips.map((clip) => ({ person: clip.person, embedding: embed(clip) }));
  const same: number[] = [];
  const others: number[] = [];
  for (const [i, first] of embedded.entries())
    for (const second of embedded.slice(i + 1))
      (first.person === second.person ? same : others).push(cosine(first.embedding, second.embedding));
  const share = same.filter((similarity) => similarity >= OPERATING_SIMILARITY).length / same.length;
  reporter.add({
    name: `${name}: pairs of a person at ${OPERATING_SIMILARITY}`,
    unit: 'share',
    value: share,
  });
  reporter.add({ name: `${name}: nearest strangers`, unit: 'cosine', value: Math.max(...others) });
}

/** Each good frame against the best frame of other clips, as if the two were one video. */
function describePeople(reporter: Reporter, way: string, clips: readonly Clip[]): void {
  const within: number[] = [];
  const same: number[] = [];
  const others: number[] = [];
  for (const clip of clips)
    for (const other of clips) {
      const reference = bestOf(other.faces).face.embedding!;
      const kind = clip === other ? within : clip.person === other.person ? same : others;
      for (const { quality, face } of clip.faces)
        if (quality >= JUDGED_QUALITY) kind.push(cosine(face.embedding!, reference));
    }
  const below = (values: readonly number[]) =>
    values.filter((value) => value < DIFFERENT_PERSON_SIMILARITY).length / values.length;
  reporter.add({
    name: `${way}: least likeness of two frames of a clip`,
    unit: 'cosine',
    value: Math.min(...within),
  });
  reporter.add({
    name: `${way}: least likeness of a person in two photos`,
    unit: 'cosine',
    value: Math.min(...same),
  });
  reporter.add({
    name: `${way}: frames of a person taken for somebody else`,
    unit: 'share',
    value: below(same),
  });
  reporter.add({
    name: `${way}: frames of somebody else told apart`,
    unit: 'share',
    value: below(others),
  });
}

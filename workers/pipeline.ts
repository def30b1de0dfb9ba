/** Detect, find landmarks, embed, assess, compare: everything between a decoded picture and its faces. */
import type { LoadedPicture, Picture, PixelKernels, Yuv420Picture } from '../kernels/picture.ts';
import { isBeyondDoubt } from './beyond-doubt.ts';
import type { Detector } from './detect/detector.ts';
import { detectInLooks, type LookThresholds } from './detect/looks.ts';
import { type Embedder, meanDirection } from './embed.ts';
import { clipBox, scalePoints } from './geometry.ts';
import { fivePointsOf, type LandmarkFinder } from './landmarks.ts';
import type { Matcher } from './match.ts';
import type { AnalysedFace, AnalyseTask, FaceQuality, PictureLimits, Point } from './protocol.ts';
import { assessFace } from './quality.ts';

export interface PipelineParts {
  readonly kernels: PixelKernels;
  readonly detector: Detector;
  readonly lookThresholds: LookThresholds;
  readonly landmarks: LandmarkFinder;
  readonly embedder: Embedder;
  readonly matcher: Matcher;
  readonly limits: PictureLimits;
}

export interface PipelineTimings {
  readonly detectMs: number;
  readonly alignMs: number;
  readonly embedMs: number;
  readonly matchMs: number;
}

export interface FoundFaces {
  readonly faces: AnalysedFace[];
  readonly timings: PipelineTimings;
}

/** What enhancement says of a board's frame. */
export interface FrameView {
  /** What faces are detected in instead: pictures of the same size, two of a very dark frame, otherwise none. */
  readonly looks: readonly Picture[];
  /** Whether its faces can be told apart. */
  readonly legible: boolean;
}

const ordinaryView: FrameView = { looks: [], legible: true };

/** Strong noise counts as sharp detail, and makes faces resemble each other: nobody is to be named by such a face. */
const illegible = (quality: FaceQuality): FaceQuality => ({ ...quality, overall: 0, lighting: 0 });

/**
 * @param picture what is looked at
 * @param factor pixels of the answer per pixel of `picture`: above 1 where a very large picture was reduced
 * @param view of a board's frame
 */
export async function findFaces(
  parts: PipelineParts,
  picture: Picture | Yuv420Picture,
  factor: number,
  task: Pick<AnalyseTask, 'smallFaces'> & EmbeddingTask,
  { looks, legible }: FrameView = ordinaryView,
): Promise<FoundFaces> {
  const start = performance.now();
  const found = looks.length > 0 ? await detectInLooks(parts, looks, task.smallFaces) : null;
  const loaded = parts.kernels.load(picture);
  const detected = (found ?? (await parts.detector.detect(loaded, task.smallFaces)))
    .filter((face) => clipBox(face.box, picture.width, picture.height) !== null)
    .slice(0, parts.limits.maxFaces);
  const detectedAt = performance.now();

  const landmarks = await parts.landmarks.find(loaded, detected);
  const alignedAt = performance.now();

  const embeddings = await embedFaces(
    parts,
    loaded,
    landmarks,
    // Another threshold holds for noisy faces: both views of all of them.
    looks.length > 0 ? { ...task, threshold: undefined } : task,
  );
  const embeddedAt = performance.now();

  const faces = detected.map((face, i): AnalysedFace => {
    const five = fivePointsOf(landmarks[i]!);
    const box = clipBox(face.box, picture.width, picture.height)!;
    const embedding = embeddings[i]!;
    return {
      box: {
        x: box.x * factor,
        y: box.y * factor,
        width: box.width * factor,
        height: box.height * factor,
      },
      landmarks: scalePoints(five, factor),
      score: face.score,
      quality: legible
        ? assessFace(loaded, box, landmarks[i]!, five)
        : illegible(assessFace(loaded, box, landmarks[i]!, five)),
      ...(looks.length > 0 && { noisy: true }),
      embedding: task.returnEmbeddings ? embedding : null,
      match: task.index ? parts.matcher.search(task.index, embedding) : null,
    };
  });
  return {
    faces,
    timings: {
      detectMs: detectedAt - start,
      alignMs: alignedAt - detectedAt,
      embedMs: embeddedAt - alignedAt,
      matchMs: performance.now() - embeddedAt,
    },
  };
}

type EmbeddingTask = Pick<AnalyseTask, 'index' | 'returnEmbeddings' | 'view' | 'threshold'>;

/**
 * Where only names are wanted, the mirror image is embedded of those faces alone whose name it could change: the others are spared half
 * of the longest step.
 */
async function embedFaces(
  { embedder, matcher }: PipelineParts,
  picture: LoadedPicture,
  landmarks: readonly Point[][],
  { index, returnEmbeddings, view, threshold }: EmbeddingTask,
): Promise<Float32Array[]> {
  const { mirrorShift } = embedder;
  const onlyNames = !returnEmbeddings && view === undefined;
  if (!onlyNames || index === null || threshold === undefined || mirrorShift === null)
    return embedder.embed(picture, landmarks, view);
  const embeddings = await embedder.embed(picture, landmarks, 'straight');
  const doubtful = embeddings.flatMap((embedding, i) =>
    isBeyondDoubt(matcher.search(index, embedding), threshold, mirrorShift) ? [] : [i],
  );
  const faces = doubtful.map((i) => landmarks[i]!);
  const mirrored = await embedder.embed(picture, faces, 'mirrored');
  doubtful.forEach((i, k) => {
    embeddings[i] = meanDirection([embeddings[i]!, mirrored[k]!]);
  });
  return embeddings;
}

/**
 * The messages between the main thread and the worker threads: the one contract of the two sides, types only.
 *
 * Coordinates everywhere are pixels of the upright picture (EXIF orientation applied), origin at the centre of the top left
 * pixel, x to the right, y down. Buffers named in a task are transferred: the sender must not touch them again.
 */

export type ProviderName = 'cuda' | 'webgpu' | 'cpu' | 'wasm';

/** Which networks a pool of threads runs. Paths name verified files; null means the embedded pack, built in memory. */
export interface ModelSelection {
  readonly detector: { readonly id: string; readonly path: string | null };
  readonly embedder: { readonly id: string; readonly path: string | null };
}

/** What a thread is told once, when it starts. */
export interface WorkerSetup {
  readonly models: ModelSelection;
  readonly provider: ProviderName;
  readonly limits: PictureLimits;
}

export interface PictureLimits {
  readonly maxPixels: number;
  readonly maxFaces: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

/** Eye on the left side of the picture, eye on the right side, nose tip, left and right corner of the mouth. */
export type FivePoints = readonly [Point, Point, Point, Point, Point];

/** A compressed picture: JPEG, PNG, WebP or AVIF. */
export interface EncodedPicture {
  readonly kind: 'encoded';
  readonly bytes: Uint8Array;
}

export type FrameFormat = 'RGB565' | 'GRAYSCALE' | 'YUV422' | 'RGB888';

/** What a board's sensor gave, rows without padding. `bytes.length` is width x height x bytes per pixel: checked at the edge. */
export interface RawFrame {
  readonly kind: 'raw';
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly format: FrameFormat;
  readonly byteOrder: 'BE' | 'LE';
}

/** An index of embeddings in shared memory (kernels/embedding-index.ts); threads keep one view of it per id. */
export interface IndexReference {
  readonly id: number;
  readonly memory: WebAssembly.Memory;
}

/** Find every face, embed it, and compare it with an index where one is given. */
export interface AnalyseTask {
  readonly kind: 'analyse';
  readonly input: EncodedPicture | RawFrame;
  readonly index: IndexReference | null;
  /** `enrolment` also averages the embedding with that of the mirrored chip: better, and twice the time. */
  readonly purpose: 'recognition' | 'enrolment';
  /** Whether embeddings travel back. */
  readonly returnEmbeddings: boolean;
  /** JPEG quality of the upright picture to send back, or null for none. */
  readonly jpegQuality: number | null;
}

/** Draw boxes, points and labels into a picture. */
export interface AnnotateTask {
  readonly kind: 'annotate';
  readonly input: EncodedPicture;
  readonly faces: readonly AnnotatedFace[];
}

export interface AnnotatedFace {
  readonly box: Box;
  readonly landmarks: FivePoints;
  readonly label: string;
  readonly known: boolean;
}

export type WorkerTask = AnalyseTask | AnnotateTask;

/** Each measure from 0 (useless) to 1 (perfect); `overall` is their weighted geometric mean. */
export interface FaceQuality {
  readonly overall: number;
  readonly size: number;
  readonly clarity: number;
  readonly lighting: number;
  readonly angle: number;
}

/** The plain cosine to the nearest person of the index, and to the nearest picture of anybody else. */
export interface IndexMatch {
  readonly person: number;
  readonly similarity: number;
  readonly secondPerson: number | null;
  readonly secondSimilarity: number | null;
}

export interface AnalysedFace {
  readonly box: Box;
  readonly landmarks: FivePoints;
  readonly score: number;
  readonly quality: FaceQuality;
  /** Shape [512], unit length. */
  readonly embedding: Float32Array | null;
  readonly match: IndexMatch | null;
}

/** Milliseconds spent in each stage, on the thread. */
export interface StageTimings {
  readonly decodeMs: number;
  readonly detectMs: number;
  readonly alignMs: number;
  readonly embedMs: number;
  readonly matchMs: number;
  readonly encodeMs: number;
  readonly totalMs: number;
}

export interface AnalyseResult {
  readonly kind: 'analysed';
  readonly width: number;
  readonly height: number;
  readonly faces: readonly AnalysedFace[];
  readonly timings: StageTimings;
  readonly jpeg: Uint8Array | null;
}

export interface AnnotateResult {
  readonly kind: 'annotated';
  readonly jpeg: Uint8Array;
}

/** A task that could not be done: the picture's fault (`bad_picture`) or the provider's (`provider_failed`). */
export interface WorkerFailure {
  readonly kind: 'failed';
  readonly reason: 'bad_picture' | 'too_large' | 'provider_failed';
  readonly message: string;
}

export type WorkerAnswer = AnalyseResult | AnnotateResult | WorkerFailure;

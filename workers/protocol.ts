/**
 * The messages between the main thread and the worker threads: the one contract of the two sides, types only.
 *
 * Coordinates everywhere are pixels of the upright picture (EXIF orientation applied), origin at its top left corner, x to the
 * right, y down. Buffers named in a task are transferred: the sender must not touch them again. Those of
 * raw frames that are enhanced may be shared instead: the thread has done with them when it answers.
 */

import type { EnhancementReport, FrameEnhancement } from '../kernels/enhancement-report.ts';
import type { EmbedderModel } from '../models/manifest.ts';

export type { FrameEnhancement } from '../kernels/enhancement-report.ts';

export type ProviderName = 'cuda' | 'webgpu' | 'cpu' | 'wasm';

/** Which networks a pool of threads runs. Paths name verified files; null means the embedded pack, built in memory. */
export interface ModelSelection {
  readonly detector: { readonly id: string; readonly path: string | null };
  readonly embedder: {
    readonly id: string;
    readonly path: string | null;
    /** Of a network that its owner described in a file; those of the manifest are known by their id. */
    readonly description?: EmbedderModel;
  };
}

/** What a thread is told once, when it starts. */
export interface WorkerSetup {
  readonly models: ModelSelection;
  readonly provider: ProviderName;
  readonly limits: PictureLimits;
  /** The thread that owns the GPU and runs every graph; null where each thread runs its own. */
  readonly deviceThreadId: number | null;
  /** One number in shared memory: each thread adds one, and notifies, when it is ready for tasks. */
  readonly readyCount: Int32Array;
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
  /** Null leaves the picture as the sensor sent it. */
  readonly enhancement: FrameEnhancement | null;
}

/** A frame of a video: planar YUV 4:2:0 without padding, Y then U then V, both sides even; BT.601, limited range. */
export interface VideoPicture {
  readonly kind: 'video';
  /** 1.5 x width x height bytes. */
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** An index of embeddings in shared memory (kernels/embedding-index.ts); threads keep one view of it per id. */
export interface IndexReference {
  readonly id: number;
  readonly memory: WebAssembly.Memory;
}

/** Find every face, embed it, and compare it with an index where one is given. */
export interface AnalyseTask {
  readonly kind: 'analyse';
  readonly input: EncodedPicture | RawFrame | VideoPicture;
  readonly index: IndexReference | null;
  /** Whether embeddings travel back. */
  readonly returnEmbeddings: boolean;
  /** Whether small faces are worth a close look; yes unless said otherwise. Without it a quick look that finds large faces comes first. */
  readonly smallFaces?: boolean;
  /** The similarity at which somebody is named, where only names are wanted: a face clearly above or below is embedded once. */
  readonly threshold?: number;
  /** Which chips of a face are embedded; both unless said otherwise. */
  readonly view?: EmbeddedView;
  /** JPEG quality of the upright picture to send back, or null for none. */
  readonly jpegQuality: number | null;
  /** Of the request that it is done for; nothing for cameras. */
  readonly requestId?: string;
}

/**
 * The embedding of `both` is the mean of the chip's and its mirror image's, and the one to keep of a single picture; one of them costs
 * half. Where many pictures of a person are averaged, the two can take turns.
 */
export type EmbeddedView = 'both' | 'straight' | 'mirrored';

/** Draw boxes, points and labels into a picture. */
export interface AnnotateTask {
  readonly kind: 'annotate';
  readonly input: EncodedPicture;
  readonly faces: readonly AnnotatedFace[];
}

/** Cut a rectangle out of a picture. */
export interface CropTask {
  readonly kind: 'crop';
  readonly input: EncodedPicture;
  /** What reaches over the picture's edges is left out; null for all of the picture. */
  readonly region: Box | null;
  /** Neither side of the answer is longer; null leaves the size as it is. */
  readonly maxSidePx: number | null;
}

export interface AnnotatedFace {
  readonly box: Box;
  readonly landmarks: FivePoints;
  readonly label: string;
  readonly known: boolean;
}

/** Only make a JPEG of a frame: neither enhanced nor looked at. */
export interface UnpackTask {
  readonly kind: 'unpack';
  readonly input: RawFrame | VideoPicture;
  readonly jpegQuality: number;
}

export type WorkerTask = AnalyseTask | AnnotateTask | CropTask | UnpackTask;

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
  /** Of a very dark frame: what is left of its noise makes faces alike. */
  readonly noisy?: boolean;
  /** Shape [512], unit length. */
  readonly embedding: Float32Array | null;
  readonly match: IndexMatch | null;
}

/** Milliseconds spent in each stage, on the thread. */
export interface StageTimings {
  readonly decodeMs: number;
  readonly enhanceMs: number;
  readonly detectMs: number;
  readonly alignMs: number;
  readonly embedMs: number;
  readonly matchMs: number;
  readonly encodeMs: number;
  readonly totalMs: number;
}

export interface AnalyseResult {
  readonly kind: 'analysed';
  /** Of the thread that did it, as Node counts them. */
  readonly threadId: number;
  readonly requestId?: string;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly AnalysedFace[];
  readonly timings: StageTimings;
  readonly jpeg: Uint8Array | null;
  /** What was estimated and done to a raw frame. */
  readonly enhancement: EnhancementReport | null;
}

export interface AnnotateResult {
  readonly kind: 'annotated';
  readonly jpeg: Uint8Array;
}

export interface CropResult {
  readonly kind: 'cropped';
  readonly jpeg: Uint8Array;
  /** What was cut out, in pixels of the picture as it was sent. */
  readonly region: Box;
  /** Pixels that were read per pixel of the picture as it was sent: below 1 where it is very large. */
  readonly scale: number;
}

export interface UnpackResult {
  readonly kind: 'unpacked';
  readonly jpeg: Uint8Array;
}

/** A task that could not be done: the picture's fault (`bad_picture`) or the provider's (`provider_failed`). */
export interface WorkerFailure {
  readonly kind: 'failed';
  readonly reason: 'bad_picture' | 'too_large' | 'provider_failed';
  readonly message: string;
}

export type WorkerAnswer = AnalyseResult | AnnotateResult | CropResult | UnpackResult | WorkerFailure;

/** The body of process-session, up to 64 MB: read and checked on a thread of its own, so that it holds up no other request. */
export interface SessionRequestTask {
  /** JSON in UTF-8; transferred. */
  readonly body: Uint8Array;
  /** The model in use: vectors that it cannot have made are told. */
  readonly embedder: EmbedderModel;
  readonly defaults: { readonly similarityThreshold: number; readonly scanIntervalS: number };
}

export interface SessionStudent {
  readonly userId: number;
  readonly fullName: string;
  readonly rollNumber: string;
  readonly embeddingVersion: number;
}

export interface SessionCamera {
  readonly id: number;
  readonly name: string;
  /** As it was sent: may hold a password. Empty where none was: it is looked up by the id then. */
  readonly rtspUrl: string;
}

export interface SessionConfig {
  readonly similarityThreshold: number;
  readonly scanIntervalS: number;
  readonly callbackUrl: string;
  /** Least difference between the two best students of a face. */
  readonly minMargin: number;
  /** How many scans have to agree before a result goes out. */
  readonly minSightings: number;
}

export interface SessionRequest {
  readonly slotId: number;
  readonly roomId: number;
  readonly students: readonly SessionStudent[];
  readonly cameras: readonly SessionCamera[];
  readonly config: SessionConfig;
  /** Something is odd, and the session starts all the same. */
  readonly warnings: readonly SessionWarning[];
  /** Shape [usable.length, 512], rows of unit length; row r belongs to student `usable[r]`. */
  readonly embeddings: Float32Array;
  readonly usable: Int32Array;
}

export interface SessionWarning {
  readonly code:
    | 'EMBEDDING_NOT_UNIT_LENGTH'
    | 'EMBEDDING_OF_ANOTHER_MODEL'
    | 'EMBEDDING_ZERO'
    | 'DUPLICATE_STUDENT';
  readonly message: string;
  readonly students: number;
  /** The first of them. */
  readonly userIds: readonly number[];
}

export type SessionRequestAnswer =
  | { readonly kind: 'request'; readonly request: SessionRequest }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly detail: string | null;
    };

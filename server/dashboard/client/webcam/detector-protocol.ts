/** What the page and the worker that runs the detector say to each other, and what the server says of the detector: types only. */
import type { TensorLayout } from '../../../../kernels/picture.ts';
import type { Box, FaceQuality, FivePoints } from '../../../../workers/protocol.ts';

export interface LoadedFile {
  readonly url: string;
  readonly sizeBytes: number;
  readonly compressedBytes: number;
}

/** The answer of `GET /api/v1/page/detector`. */
export interface DetectorDescription {
  readonly worker: string;
  readonly detector: LoadedFile & {
    readonly id: string;
    readonly family: 'ssd-mobilenet' | 'yunet';
    readonly scoreThreshold: number;
    readonly overlapThreshold: number;
    readonly layout: TensorLayout;
  };
  readonly landmarks: LoadedFile;
  readonly runtimes: { readonly wasm: LoadedFile; readonly webgpu: LoadedFile };
  readonly enrolment: EnrolmentLimits;
}

/** What enrolment asks of a face. */
export interface EnrolmentLimits {
  readonly leastFaceWidthPx: number;
  /** Faces narrower than this share of the widest one are passers-by. */
  readonly backgroundWidthShare: number;
  readonly leastQuality: { readonly clarity: number; readonly angle: number; readonly lighting: number };
}

export interface LookedFace {
  /** Pixels of the picture that was looked at. */
  readonly box: Box;
  readonly landmarks: FivePoints;
  readonly score: number;
  readonly quality: FaceQuality;
}

export interface Look {
  readonly width: number;
  readonly height: number;
  /** The best first. */
  readonly faces: readonly LookedFace[];
  /** Of the whole picture, 0 to 255. */
  readonly meanLuma: number;
  readonly timings: { readonly readMs: number; readonly detectMs: number; readonly assessMs: number };
}

export type Provider = 'webgpu' | 'wasm';

export type ToWorker =
  | {
      readonly kind: 'open';
      readonly description: DetectorDescription;
      /** Without it, WebGPU where there is a real adapter. */
      readonly provider?: Provider;
    }
  /** The bitmap is transferred, and closed when it was read. */
  | { readonly kind: 'look'; readonly id: number; readonly bitmap: ImageBitmap };

export type FromWorker =
  | {
      readonly kind: 'opened';
      readonly provider: Provider;
      /** Why it is not WebGPU; null where it is. */
      readonly whyNotWebgpu: string | null;
    }
  | { readonly kind: 'looked'; readonly id: number; readonly look: Look }
  | { readonly kind: 'failed'; readonly message: string };

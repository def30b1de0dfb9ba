/** What cameras and videos give, and who looks at it; main joins the two. Types only. */
import type { AnalyseResult, EmbeddedView, IndexReference } from '../../workers/protocol.ts';

/** Planar YUV 4:2:0 without padding, BT.601, limited range; `bytes` may be transferred. */
export interface VideoFrame {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly capturedAt: Date;
}

export interface LookOptions {
  readonly index: IndexReference | null;
  readonly returnEmbeddings: boolean;
  /** Whether small faces are worth more time. */
  readonly smallFaces: boolean;
  /** Both unless given: one costs half, and will do where many frames of a person are averaged. */
  readonly view?: EmbeddedView;
  /** A newer frame of the same source takes the place of one that still waits; null where each counts. */
  readonly source: string | null;
}

/** Finds and compares the faces of a frame; errors as the recognizer's `analyse`. The frame's bytes are given away. */
export type LookAtFrame = (frame: VideoFrame, options: LookOptions) => Promise<AnalyseResult>;

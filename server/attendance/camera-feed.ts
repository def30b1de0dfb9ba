/** What a session wants of a camera; main passes a function that opens one. Types only. */
import type { VideoFrame } from './video-frame.ts';

export interface CameraFeed {
  /** Ends with the first frame; rejects with words that may be shown where none came in time. The camera goes on trying until `close`. */
  readonly connected: Promise<void>;
  readonly status: CameraFeedStatus;
  /** No frame comes afterwards; ends when its process is gone. */
  close(): Promise<void>;
}

export interface CameraFeedStatus {
  /** Whether frames come now. */
  readonly active: boolean;
  /** Frames per second that the camera sends; null while unknown. */
  readonly frameRate: number | null;
  readonly lastFrameAt: Date | null;
  /** Why no frames come, without credentials; null where they do. */
  readonly trouble: string | null;
}

export interface CameraFeedOptions {
  readonly rtspUrl: string;
  readonly scanIntervalS: number;
  /** For the log. */
  readonly slotId: number;
  readonly cameraId: number;
  /** While it works on one frame, at most one more should wait: the newest. */
  readonly onFrame: (frame: VideoFrame) => Promise<void>;
}

/** @throws ServerError 400 for a URL that is none of a camera */
export type OpenCameraFeed = (options: CameraFeedOptions) => CameraFeed;

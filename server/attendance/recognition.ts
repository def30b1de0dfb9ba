/** What the backend is told about one face. */
export interface Recognition {
  readonly userId: number;
  readonly fullName: string;
  readonly rollNumber: string;
  readonly cameraId: number;
  readonly cameraName: string;
  /** Plain cosine. */
  readonly similarity: number;
  /** The same number, under the name that the logs of the contract have. */
  readonly confidence: number;
  /** Overall quality of the face, 0 to 1. */
  readonly quality: number;
  /** Pixels of the camera's picture, origin at its top left. */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly embeddingVersion: number;
  /** When the frame was taken in: YYYY-MM-DDTHH:mm:ssZ. */
  readonly recognizedAt: string;
}

/** Where the results of a session go. */
export interface CallbackTarget {
  /** UUID of this run of the session. */
  readonly sessionId: string;
  readonly slotId: number;
  readonly roomId: number;
  readonly callbackUrl: string;
}

/** As the contract writes times: whole seconds, UTC. */
export const contractTime = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');

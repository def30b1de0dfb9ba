/** What every face detector does, whatever its network. */
import type { LoadedPicture } from '../../kernels/picture.ts';
import type { Box, FivePoints } from '../protocol.ts';

export interface DetectedFace {
  /** May reach over the picture's edges. */
  readonly box: Box;
  readonly score: number;
  /** Where the network itself gives them. */
  readonly points: FivePoints | null;
}

export interface Detector {
  /** Every face of the picture, best first. Coordinates are pixels of the picture as it was loaded. */
  detect(picture: LoadedPicture): Promise<DetectedFace[]>;
  release(): Promise<void>;
}

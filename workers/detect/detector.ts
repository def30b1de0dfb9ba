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
  /**
   * Every face of the picture, best first. Coordinates are pixels of the picture as it was loaded.
   * @param smallFaces whether small faces are worth a close look; yes unless said otherwise. Without it a quick look that finds large faces
   *   comes first, and no other one where it finds any
   * @param leastScore faces below it are left out; the model's own threshold unless given
   */
  detect(picture: LoadedPicture, smallFaces?: boolean, leastScore?: number): Promise<DetectedFace[]>;
  release(): Promise<void>;
}

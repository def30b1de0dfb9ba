/** 68 landmarks of each face, by the network of the embedded pack, on upright chips. */
import type { LoadedPicture, Similarity, TensorLayout } from '../kernels/picture.ts';
import type { DetectedFace } from './detect/detector.ts';
import { chipFromFivePoints, chipFromLandmarks } from './dlib-face-chip.ts';
import { centroid, mapPoint, mapToSquare, squareAround } from './geometry.ts';
import type { FivePoints, Point } from './protocol.ts';
import type { Graph } from './session.ts';

const CHIP_PX = 112;
const LANDMARK_COUNT = 68;
const LAYOUT: TensorLayout = { channels: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] };
/** Room around the mean shape, so that chin and forehead are seen, as in the boxes that the network was trained on. */
const CHIP_PADDING = 0.45;
const MAX_BATCH = 16;

export interface LandmarkFinder {
  /** For each face 68 points in the order of iBUG 300-W; pixels of the picture. */
  find(picture: LoadedPicture, faces: readonly DetectedFace[]): Promise<Point[][]>;
  release(): Promise<void>;
}

/**
 * A face with five points is looked at once, upright. One with a box alone is looked at twice: as it stands, and again upright
 * by what the first look found, since the network loses precision on tilted heads.
 */
export function createLandmarkFinder(graph: Graph): LandmarkFinder {
  const tensor = new Float32Array(MAX_BATCH * 3 * CHIP_PX * CHIP_PX);

  async function look(picture: LoadedPicture, maps: readonly Similarity[]): Promise<Point[][]> {
    const found: Point[][] = [];
    const chipLength = 3 * CHIP_PX * CHIP_PX;
    for (let start = 0; start < maps.length; start += MAX_BATCH) {
      const batch = maps.slice(start, start + MAX_BATCH);
      batch.forEach((map, i) => {
        picture.chip(map, CHIP_PX, LAYOUT, tensor.subarray(i * chipLength, (i + 1) * chipLength));
      });
      const input = tensor.subarray(0, batch.length * chipLength);
      const outputs = await graph.run(input, [batch.length, 3, CHIP_PX, CHIP_PX]);
      const values = outputs.landmarks!;
      batch.forEach((map, i) => {
        found.push(
          pointsInPicture(values.subarray(i * 2 * LANDMARK_COUNT, (i + 1) * 2 * LANDMARK_COUNT), map),
        );
      });
    }
    return found;
  }

  return {
    async find(picture, faces) {
      const maps = faces.map(({ box, points }) =>
        points
          ? chipFromFivePoints(points, CHIP_PX, CHIP_PADDING)
          : mapToSquare(squareAround(box, 0), CHIP_PX),
      );
      const landmarks = await look(picture, maps);
      const again = faces.flatMap((face, i) => (face.points ? [] : [i]));
      const upright = again.map((i) => chipFromLandmarks(landmarks[i]!, CHIP_PX, CHIP_PADDING));
      const refined = await look(picture, upright);
      again.forEach((i, k) => {
        landmarks[i] = refined[k]!;
      });
      return landmarks;
    },
    release: () => graph.release(),
  };
}

/** The network answers in shares of the chip's sides. */
function pointsInPicture(values: Float32Array, map: Similarity): Point[] {
  return Array.from({ length: LANDMARK_COUNT }, (_, i) =>
    mapPoint(map, [values[2 * i]! * CHIP_PX - 0.5, values[2 * i + 1]! * CHIP_PX - 0.5]),
  );
}

/** Eye centres, nose tip and mouth corners of 68 landmarks. */
export function fivePointsOf(landmarks: readonly Point[]): FivePoints {
  return [
    centroid(landmarks.slice(36, 42)),
    centroid(landmarks.slice(42, 48)),
    landmarks[30]!,
    landmarks[48]!,
    landmarks[54]!,
  ];
}

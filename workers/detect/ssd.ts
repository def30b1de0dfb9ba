/**
 * The SSD MobileNet v1 face detector of the embedded pack.
 * Source: W. Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016; weights of @vladmandic/face-api.
 */
import type { LoadedPicture, TensorLayout } from '../../kernels/picture.ts';
import { suppressNonMaxima } from '../geometry.ts';
import type { Graph, GraphOutputs } from '../session.ts';
import type { DetectedFace, Detector } from './detector.ts';
import {
  boxToPicture,
  fitCentred,
  fitTopLeft,
  type Letterbox,
  TensorStore,
  wholePicture,
} from './letterbox.ts';
import { isCutOff, mergeScales, type TileSize, tilesOf } from './tiles.ts';

export interface SsdOptions {
  readonly scoreThreshold: number;
  readonly overlapThreshold: number;
  readonly layout: TensorLayout;
}

/** The graph exists for inputs of fixed sizes; each is opened when the first picture of its shape comes. */
export type OpenSsdGraph = (inputWidth: number, inputHeight: number) => Promise<Graph>;

type InputSize = readonly [width: number, height: number];

/** The first that a picture fits into is taken: the time is the area, and black bars find nobody. */
const INPUT_SIZES: readonly InputSize[] = [
  [512, 288],
  [288, 512],
  [512, 384],
  [384, 512],
  [512, 512],
];
/**
 * For pictures that a webcam or a phone's preview gives, and for a quick look at larger ones. The network was trained at 512; on 21 pictures of 640 px, 448 finds the same
 * faces with the same scores in three quarters of the time, 384 does not.
 */
const MEDIUM_INPUT_SIZES: readonly InputSize[] = [
  [448, 256],
  [256, 448],
  [448, 352],
  [352, 448],
  [448, 448],
];
const MEDIUM_SIDE_PX = 704;
const USUAL_INPUT: InputSize = [448, 352];
/** A board's 320x240 frame as it is, without enlarging it first. */
export const SMALL_INPUT: InputSize = [320, 256];
/** Above this side a face of 40 px shrinks to under 16 px in the input, and starts to be missed. */
const TILE_FROM_SIDE_PX = 1280;
/**
 * In the shape of a large picture's input, at which a face of 20 px keeps 13, enough for the network; a face as large as the overlap lies whole
 * in one of two neighbours, and larger ones are found in the whole picture.
 */
const TILE: TileSize = { width: 800, height: 600, overlapPx: 96 };
/** Faces smaller than this are left to the tiles: in the whole picture's input they are a few pixels, and their boxes lie askew. */
const TILES_SEE_BETTER_PX = 64;
/** Share of the input that a picture gets in the second look for faces that fill it. */
const CLOSE_UP_SHARE = 0.6;

/** @param openFirst the sizes that almost every server needs, unless given; the others follow with the pictures */
export async function createSsdDetector(
  open: OpenSsdGraph,
  options: SsdOptions,
  openFirst: readonly InputSize[] = [USUAL_INPUT, SMALL_INPUT],
): Promise<Detector> {
  const tensors = new TensorStore();
  const graphs = new Map<string, Promise<Graph>>();

  function graphOf([width, height]: InputSize): Promise<Graph> {
    const key = `${width}x${height}`;
    const graph = graphs.get(key) ?? open(width, height);
    graphs.set(key, graph);
    return graph;
  }

  async function look(
    picture: LoadedPicture,
    size: InputSize,
    letterbox: Letterbox,
    leastScore: number,
  ): Promise<DetectedFace[]> {
    const graph = await graphOf(size);
    const tensor = tensors.fill(picture, letterbox, options.layout);
    const outputs = await graph.run(tensor, [1, 3, size[1], size[0]]);
    return decode(outputs, letterbox, { ...options, scoreThreshold: leastScore });
  }

  for (const size of openFirst) await graphOf(size);
  return {
    async detect(picture, smallFaces = true, leastScore = options.scoreThreshold) {
      const { width, height } = picture;
      const region = wholePicture(picture);
      if (!smallFaces && Math.max(width, height) > MEDIUM_SIDE_PX) {
        const quickSize = inputSizeFor(width, height, MEDIUM_INPUT_SIZES);
        const large = await look(picture, quickSize, fitTopLeft(region, ...quickSize), leastScore);
        if (large.length > 0) return large;
      }
      const size = inputSizeFor(width, height);
      const whole = await look(picture, size, fitTopLeft(region, ...size), leastScore);
      if (smallFaces && Math.max(width, height) >= TILE_FROM_SIDE_PX) {
        const faces = whole.filter(({ box }) => Math.max(box.width, box.height) >= TILES_SEE_BETTER_PX);
        for (const tile of tilesOf(width, height, TILE)) {
          const tileSize = inputSizeFor(tile.width, tile.height);
          const inTile = await look(picture, tileSize, fitTopLeft(tile, ...tileSize), leastScore);
          faces.push(...inTile.filter((face) => !isCutOff(face, tile, width, height)));
        }
        return mergeScales(faces, options.overlapThreshold);
      }
      if (whole.length > 0) return whole;
      return look(picture, SMALL_INPUT, fitCentred(region, ...SMALL_INPUT, CLOSE_UP_SHARE), leastScore);
    },
    async release() {
      for (const graph of graphs.values()) await (await graph).release();
    },
  };
}

/** The smallest of the inputs that the picture fills from side to side; small pictures are not enlarged. */
export function inputSizeFor(width: number, height: number, sizes = usualSizesFor(width, height)): InputSize {
  if (width <= SMALL_INPUT[0] && height <= SMALL_INPUT[1]) return SMALL_INPUT;
  const longSide = Math.max(width, height);
  const square = sizes.at(-1)!;
  const scale = square[0] / longSide;
  const fits = ([inputWidth, inputHeight]: InputSize) =>
    Math.round(width * scale) <= inputWidth && Math.round(height * scale) <= inputHeight;
  return sizes.find(fits) ?? square;
}

const usualSizesFor = (width: number, height: number): readonly InputSize[] =>
  Math.max(width, height) <= MEDIUM_SIDE_PX ? MEDIUM_INPUT_SIZES : INPUT_SIZES;

/** Outputs: `boxes` [1, anchors, 4] as top, left, bottom, right in shares of the input; `scores` [1, anchors]. */
function decode(outputs: GraphOutputs, letterbox: Letterbox, options: SsdOptions): DetectedFace[] {
  const boxes = outputs.boxes!;
  const scores = outputs.scores!;
  const { tensorWidth, tensorHeight } = letterbox.placement;
  const faces: DetectedFace[] = [];
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]! < options.scoreThreshold) continue;
    const top = boxes[4 * i]! * tensorHeight;
    const left = boxes[4 * i + 1]! * tensorWidth;
    const bottom = boxes[4 * i + 2]! * tensorHeight;
    const right = boxes[4 * i + 3]! * tensorWidth;
    if (!(right - left >= 1 && bottom - top >= 1)) continue;
    faces.push({ box: boxToPicture(letterbox, left, top, right, bottom), score: scores[i]!, points: null });
  }
  return suppressNonMaxima(faces, options.overlapThreshold);
}

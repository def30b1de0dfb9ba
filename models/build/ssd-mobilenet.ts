import { type FaceApiWeights, readFaceApiWeights } from './face-api-weights.ts';
import {
  conv,
  depthwiseFilters,
  filtersFromHwio,
  halvingPadding,
  NO_PADDING,
  SAME_PADDING,
  scaleOutputs,
} from './layers.ts';
import { OnnxGraph, type Value } from './onnx-writer.ts';
import { MAP_LEVELS, ssdAnchors } from './ssd-anchors.ts';

export interface SsdMobilenetSize {
  readonly inputWidth: number;
  readonly inputHeight: number;
}

const MULTIPLE_PX = 32;
const SMALLEST_PX = 128;
const LARGEST_PX = 2048;

/** TensorFlow's object detection API trained with this one; some variances are as small as 4e-36. */
const BATCH_NORM_EPSILON = 0.0010000000474974513;

const HALVING_LAYERS = [2, 4, 6, 12];

interface FeatureMap {
  readonly value: Value;
  readonly height: number;
  readonly width: number;
}

/**
 * The face detector of face-api: SSD (Liu et al. 2016) on MobileNet v1 (Howard et al. 2017). Trained at 512 x 512; the anchors are a
 * regular grid, so that other sizes work too, and a face then needs the same number of pixels.
 *
 * Input `input`: float32 [batch, 3, inputHeight, inputWidth], RGB, 0..255; the picture at the top left, black at the right and below.
 * Output `boxes`: float32 [batch, n, 4] as (top, left, bottom, right), fractions of the input's height and width, not clipped.
 * Output `scores`: float32 [batch, n], 0..1. Overlapping boxes are still in: non-maximum suppression is the caller's.
 *
 * @throws RangeError for sides that are not multiples of 32 from 128 to 2048
 */
export function buildSsdMobilenet({ inputWidth, inputHeight }: SsdMobilenetSize): Uint8Array {
  checkSide('inputWidth', inputWidth);
  checkSide('inputHeight', inputHeight);
  const weights = readFaceApiWeights('ssd_mobilenetv1');
  const graph = new OnnxGraph(`ssd-mobilenet-v1 ${inputWidth}x${inputHeight}`);
  const bytes = graph.input('input', ['batch', 3, inputHeight, inputWidth]);
  const scaled = graph.node('Div', [bytes, graph.scalar(127.5)]);
  const value = graph.node('Sub', [scaled, graph.scalar(1)]);

  const maps = addFeatureMaps(graph, weights, { value, height: inputHeight, width: inputWidth });
  const predictions = maps.map((map, level) => ({
    boxes: addPredictor(graph, weights, map, level, 'BoxEncodingPredictor', 4),
    classes: addPredictor(graph, weights, map, level, 'ClassPredictor', 3),
  }));
  const classes = graph.node(
    'Concat',
    predictions.map((prediction) => prediction.classes),
    { axis: 1 },
  );
  const encodings = graph.node(
    'Concat',
    predictions.map((prediction) => prediction.boxes),
    { axis: 1 },
  );

  const anchors = ssdAnchors(weights.get('Output/extra_dim').data, maps, inputWidth, inputHeight);
  const count = anchors.centres.length / 2;
  const centres = graph.weights('anchors/centres', [1, count, 2], anchors.centres);
  const sizes = graph.weights('anchors/sizes', [1, count, 2], anchors.sizes);
  graph.output('boxes', ['batch', count, 4], addBoxDecoder(graph, encodings, centres, sizes));

  // Class 1 of background, face and one that was never trained.
  const face = addSlice(graph, classes, 1, 2);
  const scores = graph.node('Sigmoid', [graph.node('Squeeze', [face, graph.int64([2])])]);
  graph.output('scores', ['batch', count], scores);
  return graph.build();
}

/** MobileNet v1 and the four smaller levels behind it; the maps from which boxes are predicted, finest first. */
function addFeatureMaps(graph: OnnxGraph, weights: FaceApiWeights, input: FeatureMap): FeatureMap[] {
  const relu6 = (value: Value) => graph.node('Clip', [value, graph.scalar(0), graph.scalar(6)]);

  /** 1 x 1 at stride 1, 3 x 3 at stride 2; batch normalisation is folded in already, but for its offset. */
  const pointwise = (map: FeatureMap, name: string, stride: 1 | 2): FeatureMap => {
    const padding = stride === 2 ? halvingPadding(map.height, map.width) : NO_PADDING;
    const filters = filtersFromHwio(weights.get(`${name}/weights`));
    const offset = weights.get(`${name}/convolution_bn_offset`).data;
    return {
      value: relu6(conv(graph, map.value, name, filters, offset, { stride, padding })),
      height: Math.ceil(map.height / stride),
      width: Math.ceil(map.width / stride),
    };
  };

  const depthwise = (map: FeatureMap, name: string, stride: 1 | 2): FeatureMap => {
    const norm = (part: string) => weights.get(`${name}/BatchNorm/${part}`).data;
    const [gamma, beta, mean, variance] = [
      norm('gamma'),
      norm('beta'),
      norm('moving_mean'),
      norm('moving_variance'),
    ];
    const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + BATCH_NORM_EPSILON));
    const bias = beta.map((b, i) => b - mean[i]! * scale[i]!);
    const filters = scaleOutputs(depthwiseFilters(weights.get(`${name}/depthwise_weights`)), scale);
    const padding = stride === 2 ? halvingPadding(map.height, map.width) : SAME_PADDING;
    const options = { stride, padding, groups: filters.shape[0] };
    return {
      value: relu6(conv(graph, map.value, name, filters, bias, options)),
      height: Math.ceil(map.height / stride),
      width: Math.ceil(map.width / stride),
    };
  };

  const levels: FeatureMap[] = [];
  let map = pointwise(input, 'MobilenetV1/Conv2d_0_pointwise', 2);
  for (let layer = 1; layer <= 13; layer++) {
    map = depthwise(map, `MobilenetV1/Conv2d_${layer}_depthwise`, HALVING_LAYERS.includes(layer) ? 2 : 1);
    map = pointwise(map, `MobilenetV1/Conv2d_${layer}_pointwise`, 1);
    if (layer === 11 || layer === 13) levels.push(map);
  }
  for (let layer = 0; layer < 8; layer += 2) {
    map = pointwise(map, `Prediction/Conv2d_${layer}_pointwise`, 1);
    map = pointwise(map, `Prediction/Conv2d_${layer + 1}_pointwise`, 2);
    levels.push(map);
  }
  if (levels.length !== MAP_LEVELS.length) throw new Error('ssd-mobilenet: levels and anchors disagree');
  return levels;
}

/** One convolution over a map, its channels laid out as [batch, anchors, values]. */
function addPredictor(
  graph: OnnxGraph,
  weights: FaceApiWeights,
  map: FeatureMap,
  level: number,
  kind: 'BoxEncodingPredictor' | 'ClassPredictor',
  valuesPerAnchor: number,
): Value {
  const name = `Prediction/BoxPredictor_${level}/${kind}`;
  const filters = filtersFromHwio(weights.get(`${name}/weights`));
  const predicted = conv(graph, map.value, name, filters, weights.get(`${name}/biases`).data);
  const byCell = graph.node('Transpose', [predicted], { perm: [0, 2, 3, 1] });
  const anchors = (map.height * map.width * filters.shape[0]) / valuesPerAnchor;
  return graph.node('Reshape', [byCell, graph.int64([0, anchors, valuesPerAnchor])]);
}

/** SSD's box coding (section 2.2) with variances 0.1 and 0.2: centre = t / 10 x size + centre, size = exp(t / 5) x size. */
function addBoxDecoder(graph: OnnxGraph, encodings: Value, centres: Value, sizes: Value): Value {
  const shift = graph.node('Div', [addSlice(graph, encodings, 0, 2), graph.scalar(10)]);
  const growth = graph.node('Exp', [graph.node('Div', [addSlice(graph, encodings, 2, 4), graph.scalar(5)])]);
  const centre = graph.node('Add', [graph.node('Mul', [shift, sizes]), centres]);
  const half = graph.node('Div', [graph.node('Mul', [growth, sizes]), graph.scalar(2)]);
  const corners = [graph.node('Sub', [centre, half]), graph.node('Add', [centre, half])];
  return graph.node('Concat', corners, { axis: 2 });
}

function addSlice(graph: OnnxGraph, value: Value, start: number, end: number): Value {
  return graph.node('Slice', [value, graph.int64([start]), graph.int64([end]), graph.int64([2])]);
}

function checkSide(field: string, sidePx: number): void {
  const fits = sidePx % MULTIPLE_PX === 0 && sidePx >= SMALLEST_PX && sidePx <= LARGEST_PX;
  if (!fits) {
    throw new RangeError(
      `${field}: expected a multiple of ${MULTIPLE_PX} from ${SMALLEST_PX} to ${LARGEST_PX}, received ${sidePx}`,
    );
  }
}

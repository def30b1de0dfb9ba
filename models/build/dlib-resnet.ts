import { hadamardBasis, SPHERE_LIFT_MEAN, SPHERE_LIFT_RADIUS } from '../sphere-lift.ts';
import { readFaceApiWeights } from './face-api-weights.ts';
import { conv, filtersFromHwio, NO_PADDING, normaliseFace, SAME_PADDING, scaleOutputs } from './layers.ts';
import { OnnxGraph, type Value } from './onnx-writer.ts';

const INPUT_SIZE_PX = 150;
const DESCRIPTOR_DIMENSIONS = 128;

/** The body after the first convolution and pooling: [name of the weights, channels]; a `_down` block halves the map. */
const BLOCKS = [
  ['conv32_1', 32],
  ['conv32_2', 32],
  ['conv32_3', 32],
  ['conv64_down', 64],
  ['conv64_1', 64],
  ['conv64_2', 64],
  ['conv64_3', 64],
  ['conv128_down', 128],
  ['conv128_1', 128],
  ['conv128_2', 128],
  ['conv256_down', 256],
  ['conv256_1', 256],
  ['conv256_2', 256],
  ['conv256_down_out', 256],
] as const;

/**
 * dlib's face recognition network (dnn_face_recognition_resnet_model_v1, after ResNet-34, He et al. 2016, with fewer layers and half
 * the filters), with face-api's copy of its weights, and behind it the lift onto the 512-dimensional sphere (models/sphere-lift.ts).
 *
 * Input `input`: float32 [batch, 3, 150, 150], RGB, 0..255, faces aligned to dlib's chip with padding 0.25.
 * Output `descriptor`: float32 [batch, 128], dlib's own: the same person within a Euclidean distance of about 0.6.
 * Output `embedding`: float32 [batch, 512], unit length, to be compared by plain cosine. Ask only for the output you need.
 */
export function buildDlibResnet(): Uint8Array {
  const weights = readFaceApiWeights('face_recognition');
  const graph = new OnnxGraph('dlib-resnet-v1');
  const bytes = graph.input('input', ['batch', 3, INPUT_SIZE_PX, INPUT_SIZE_PX]);

  const relu = (value: Value) => graph.node('Relu', [value]);

  /** A convolution and the scale layer behind it, folded into one: s (w x + b) + o = (s w) x + (s b + o). */
  const scaledConv = (value: Value, name: string, stride: number, padding = NO_PADDING): Value => {
    const scale = weights.get(`${name}/scale/weights`).data;
    const offset = weights.get(`${name}/scale/biases`).data;
    const bias = weights.get(`${name}/conv/bias`).data.map((b, i) => b * scale[i]! + offset[i]!);
    const filters = scaleOutputs(filtersFromHwio(weights.get(`${name}/conv/filters`)), scale);
    return conv(graph, value, name, filters, bias, { stride, padding });
  };

  const residual = (value: Value, name: string): Value => {
    const inner = relu(scaledConv(value, `${name}/conv1`, 1, SAME_PADDING));
    return relu(graph.node('Add', [scaledConv(inner, `${name}/conv2`, 1, SAME_PADDING), value]));
  };

  const residualDown = (
    value: Value,
    name: string,
    sizePx: number,
    channelsIn: number,
    channels: number,
  ): Value => {
    const inner = relu(scaledConv(value, `${name}/conv1`, 2));
    let branch = scaledConv(inner, `${name}/conv2`, 1, SAME_PADDING);
    let shortcut = graph.node('AveragePool', [value], { kernel_shape: [2, 2], strides: [2, 2] });
    // Without padding the convolution may come out one smaller than the pooling: dlib adds them as if zeros stood at right and bottom.
    const missing = Math.floor(sizePx / 2) - (Math.floor((sizePx - 3) / 2) + 1);
    if (missing > 0) branch = pad(branch, [0, 0, 0, 0, 0, 0, missing, missing]);
    if (channels > channelsIn) shortcut = pad(shortcut, [0, 0, 0, 0, 0, channels - channelsIn, 0, 0]);
    return relu(graph.node('Add', [shortcut, branch]));
  };

  const pad = (value: Value, pads: readonly number[]) =>
    graph.node('Pad', [value, graph.int64(pads)], { mode: 'constant' });

  let value = relu(scaledConv(normaliseFace(graph, bytes), 'conv32_down', 2));
  value = graph.node('MaxPool', [value], { kernel_shape: [3, 3], strides: [2, 2] });
  let sizePx = 35;
  let channelsIn = 32;
  for (const [name, channels] of BLOCKS) {
    if (name.includes('_down')) {
      value = residualDown(value, name, sizePx, channelsIn, channels);
      sizePx = Math.floor(sizePx / 2);
      channelsIn = channels;
    } else {
      value = residual(value, name);
    }
  }
  const pooled = graph.node('Flatten', [graph.node('GlobalAveragePool', [value])], { axis: 1 });
  const fc = graph.weights('fc', [256, DESCRIPTOR_DIMENSIONS], weights.get('fc').data);
  const descriptor = graph.node('MatMul', [pooled, fc]);
  graph.output('descriptor', ['batch', DESCRIPTOR_DIMENSIONS], descriptor);
  graph.output('embedding', ['batch', 512], addSphereLift(graph, descriptor));
  return graph.build();
}

/** `sphereLift` of models/sphere-lift.ts as nodes; without LpNormalization, which WebGPU does not have. */
function addSphereLift(graph: OnnxGraph, descriptor: Value): Value {
  const mean = graph.weights('lift/mean', [1, DESCRIPTOR_DIMENSIONS], SPHERE_LIFT_MEAN);
  const centred = graph.node('Sub', [descriptor, mean]);
  const scaled = graph.node('Div', [centred, graph.scalar(SPHERE_LIFT_RADIUS)]);
  const squares = graph.node('Mul', [scaled, scaled]);
  const squaredLength = graph.node('ReduceSum', [squares, graph.int64([1])], { keepdims: 1 });
  const height = graph.node('Sqrt', [
    graph.node('Relu', [graph.node('Sub', [graph.scalar(1), squaredLength])]),
  ]);
  const length = graph.node('Sqrt', [graph.node('Clip', [squaredLength, graph.scalar(1)])]);
  const onSphere = graph.node('Div', [graph.node('Concat', [scaled, height], { axis: 1 }), length]);
  const rows = DESCRIPTOR_DIMENSIONS + 1;
  return graph.node('MatMul', [onSphere, graph.weights('lift/basis', [rows, 512], hadamardBasis(rows))]);
}

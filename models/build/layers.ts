import type { Weights } from './face-api-weights.ts';
import type { OnnxGraph, Value } from './onnx-writer.ts';

/** Rows and columns added around a map before a convolution: [top, left, bottom, right]. */
export type Padding = readonly [top: number, left: number, bottom: number, right: number];

/** Filters in ONNX's order: [output channels, input channels per group, height, width]. */
export interface Filters {
  readonly shape: readonly [number, number, number, number];
  readonly data: Float32Array;
}

export const NO_PADDING: Padding = [0, 0, 0, 0];

/** Keeps the size of a map under a 3 x 3 convolution of stride 1. */
export const SAME_PADDING: Padding = [1, 1, 1, 1];

/**
 * TensorFlow's SAME padding for a 3 x 3 convolution of stride 2 on an even size: nothing before, one after. An odd size gets two after
 * it, one more than TensorFlow gives it altogether, so that cell i still looks at rows 2i to 2i + 2: the anchors of the detector and the
 * weights know no other alignment.
 */
export function halvingPadding(height: number, width: number): Padding {
  return [0, 0, height % 2 === 0 ? 1 : 2, width % 2 === 0 ? 1 : 2];
}

/** Filters from TensorFlow's order [height, width, input, output] to ONNX's. */
export function filtersFromHwio({ shape, data }: Weights): Filters {
  const [height, width, inputs, outputs] = shape as [number, number, number, number];
  const target = new Float32Array(data.length);
  const area = height * width;
  let source = 0;
  for (let position = 0; position < area; position++) {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        target[(output * inputs + input) * area + position] = data[source++]!;
      }
    }
  }
  return { shape: [outputs, inputs, height, width], data: target };
}

/** Depthwise filters from TensorFlow's [height, width, channels, 1] to ONNX's [channels, 1, height, width]. */
export function depthwiseFilters({ shape, data }: Weights): Filters {
  const [height, width, channels] = shape as [number, number, number, number];
  const target = new Float32Array(data.length);
  const area = height * width;
  for (let position = 0; position < area; position++) {
    for (let channel = 0; channel < channels; channel++) {
      target[channel * area + position] = data[position * channels + channel]!;
    }
  }
  return { shape: [channels, 1, height, width], data: target };
}

/** Multiplies each output channel of the filters: folds a scale that follows the convolution into it. */
export function scaleOutputs(filters: Filters, scale: ArrayLike<number>): Filters {
  const perOutput = filters.data.length / filters.shape[0];
  const data = new Float32Array(filters.data.length);
  for (let output = 0; output < filters.shape[0]; output++) {
    const factor = scale[output]!;
    for (let index = output * perOutput; index < (output + 1) * perOutput; index++) {
      data[index] = filters.data[index]! * factor;
    }
  }
  return { shape: filters.shape, data };
}

export interface ConvOptions {
  readonly stride?: number;
  readonly padding?: Padding;
  readonly groups?: number;
}

/** Adds a convolution; `name` names its weights in the graph. */
export function conv(
  graph: OnnxGraph,
  input: Value,
  name: string,
  filters: Filters,
  bias: Float32Array | null,
  { stride = 1, padding = NO_PADDING, groups = 1 }: ConvOptions = {},
): Value {
  const inputs = [input, graph.weights(`${name}/filters`, filters.shape, filters.data)];
  if (bias !== null) inputs.push(graph.weights(`${name}/bias`, [bias.length], bias));
  return graph.node('Conv', inputs, {
    kernel_shape: [filters.shape[2], filters.shape[3]],
    strides: [stride, stride],
    pads: padding,
    group: groups,
    dilations: [1, 1],
  });
}

/** The mean colour of face-api's face networks, RGB, from dlib's input layer. */
const MEAN_RGB = Float32Array.of(122.782, 117.001, 104.298);

/** Bytes to what face-api's landmark and recognition networks take: (x - mean) / 255. dlib itself divides by 256. */
export function normaliseFace(graph: OnnxGraph, input: Value): Value {
  const centred = graph.node('Sub', [input, graph.weights('mean', [1, 3, 1, 1], MEAN_RGB)]);
  return graph.node('Div', [centred, graph.scalar(255)]);
}

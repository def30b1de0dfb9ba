import { readFaceApiWeights } from './face-api-weights.ts';
import {
  conv,
  depthwiseFilters,
  filtersFromHwio,
  halvingPadding,
  normaliseFace,
  SAME_PADDING,
} from './layers.ts';
import { OnnxGraph, type Value } from './onnx-writer.ts';

const INPUT_SIZE_PX = 112;

/**
 * The 68 landmarks of face-api: four dense blocks of separable convolutions (in the manner of DenseNet, Huang et al. 2017, with sums in
 * place of concatenations), mean over the last map, one full layer.
 *
 * Input `input`: float32 [batch, 3, 112, 112], RGB, 0..255, the face's box in the middle and black around it.
 * Output `landmarks`: float32 [batch, 136], x and y of each point in turn, as fractions of the input's side; order of iBUG 300-W.
 */
export function buildLandmarks68(): Uint8Array {
  const weights = readFaceApiWeights('face_landmark_68');
  const graph = new OnnxGraph('face-landmark-68');
  const bytes = graph.input('input', ['batch', 3, INPUT_SIZE_PX, INPUT_SIZE_PX]);

  const relu = (value: Value) => graph.node('Relu', [value]);
  const add = (...values: readonly [Value, ...Value[]]) =>
    values.reduce((sum, value) => graph.node('Add', [value, sum]));

  const separable = (value: Value, name: string, stride: 1 | 2, sizePx: number): Value => {
    const filters = depthwiseFilters(weights.get(`${name}/depthwise_filter`));
    const padding = stride === 1 ? SAME_PADDING : halvingPadding(sizePx, sizePx);
    const spread = conv(graph, value, `${name}/depthwise`, filters, null, {
      stride,
      padding,
      groups: filters.shape[0],
    });
    const pointwise = filtersFromHwio(weights.get(`${name}/pointwise_filter`));
    return conv(graph, spread, `${name}/pointwise`, pointwise, weights.get(`${name}/bias`).data);
  };

  let value = normaliseFace(graph, bytes);
  let sizePx = INPUT_SIZE_PX;
  for (const block of ['dense0', 'dense1', 'dense2', 'dense3']) {
    const first =
      block === 'dense0'
        ? conv(
            graph,
            value,
            `${block}/conv0`,
            filtersFromHwio(weights.get(`${block}/conv0/filters`)),
            weights.get(`${block}/conv0/bias`).data,
            { stride: 2, padding: halvingPadding(sizePx, sizePx) },
          )
        : separable(value, `${block}/conv0`, 2, sizePx);
    sizePx /= 2;
    const out1 = relu(first);
    const out2 = separable(out1, `${block}/conv1`, 1, sizePx);
    const sum2 = relu(add(out2, out1));
    const out3 = separable(sum2, `${block}/conv2`, 1, sizePx);
    const sum3 = relu(add(out3, out2, out1));
    const out4 = separable(sum3, `${block}/conv3`, 1, sizePx);
    value = relu(add(out4, out3, out2, out1));
  }
  const pooled = graph.node('AveragePool', [value], { kernel_shape: [7, 7], strides: [2, 2] });
  const points = graph.node('Gemm', [
    graph.node('Flatten', [pooled], { axis: 1 }),
    graph.weights('fc/weights', [256, 136], weights.get('fc/weights').data),
    graph.weights('fc/bias', [136], weights.get('fc/bias').data),
  ]);
  graph.output('landmarks', ['batch', 136], points);
  return graph.build();
}

/** A network with YuNet's heads and hardly anything before them: for machines without YuNet's file. */
import { type Attributes, OnnxGraph, type Value } from '../../models/build/onnx-writer.ts';
import { seededRandom } from './vectors.ts';

export interface SmallYunetNode {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly attributes?: Attributes;
}

const FEATURES = 6;
const HEADS = [
  { name: 'cls', channels: 1 },
  { name: 'obj', channels: 1 },
  { name: 'bbox', channels: 4 },
  { name: 'kps', channels: 10 },
] as const;

/**
 * The heads are written as PyTorch exports them: each with the arithmetic of its own shape. Weights are the same in every build.
 * @param change makes another network of it: called with each node of a head, and the value that the node gives
 * @param more whatever else is to be in the graph
 */
export function buildSmallYunet(
  change: (node: SmallYunetNode, output: Value) => SmallYunetNode = (node) => node,
  more: (graph: OnnxGraph) => void = () => {},
): Uint8Array {
  const graph = new OnnxGraph('small YuNet');
  const random = seededRandom(3);
  const weights = (name: string, dimensions: readonly number[], reach: number) => {
    const count = dimensions.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length: count }, () => (2 * random() - 1) * reach);
    return graph.weights(name, dimensions, data);
  };
  const add = (output: Value, operator: string, inputs: readonly Value[], attributes?: Attributes) => {
    const changed = change({ operator, inputs, ...(attributes && { attributes }) }, output);
    return graph.node(changed.operator, changed.inputs, changed.attributes, output);
  };

  const input = graph.input('input', ['batch', 3, 'height', 'width']);
  const stem = [weights('stem_weights', [FEATURES, 3, 8, 8], 0.01), weights('stem_bias', [FEATURES], 1)];
  const cells = graph.node('Conv', [input, ...stem], { kernel_shape: [8, 8], strides: [8, 8] });
  let features = graph.node('Relu', [cells], {}, 'features_8');
  for (const cellPx of [8, 16, 32]) {
    if (cellPx > 8)
      features = graph.node(
        'MaxPool',
        [features],
        { kernel_shape: [2, 2], strides: [2, 2] },
        `features_${cellPx}`,
      );
    for (const { name, channels } of HEADS) {
      const head = `${name}_${cellPx}`;
      const filters = (stage: string, shape: readonly number[]) => [
        weights(`${head}_${stage}_weights`, [channels, ...shape], 0.4),
        weights(`${head}_${stage}_bias`, [channels], 0.4),
      ];
      const pointwise = add(
        `${head}_pointwise`,
        'Conv',
        [features, ...filters('pointwise', [FEATURES, 1, 1])],
        {
          group: 1,
          kernel_shape: [1, 1],
        },
      );
      const depthwise = add(`${head}_depthwise`, 'Conv', [pointwise, ...filters('depthwise', [1, 3, 3])], {
        dilations: [1, 1],
        group: channels,
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        strides: [1, 1],
      });
      const transposed = add(`${head}_transposed`, 'Transpose', [depthwise], { perm: [0, 2, 3, 1] });
      const batch = graph.node('Gather', [graph.node('Shape', [depthwise]), graph.int64([0])]);
      const shape = graph.node('Concat', [batch, graph.int64([-1]), graph.int64([channels])], { axis: 0 });
      const isFactor = name === 'cls' || name === 'obj';
      const shaped = add(isFactor ? `${head}_shaped` : head, 'Reshape', [transposed, shape]);
      const output = isFactor ? add(head, 'Sigmoid', [shaped]) : shaped;
      graph.output(head, ['batch', 'cells', channels], output);
    }
  }
  more(graph);
  return graph.build();
}

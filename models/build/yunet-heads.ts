/**
 * YuNet's heads as one. For each size of cells the network looks at one map of features four times: class and objectness (a number
 * each), box (4) and five points (10), each time by a 1 x 1 and a depthwise 3 x 3 convolution, and then brings its few numbers into
 * another order. ONNX Runtime computes channels by blocks of 16, which is what the four have together: as one they cost a quarter, and
 * some hundred small nodes are gone.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type FloatTensor,
  GRAPH_INITIALIZER,
  GRAPH_NODE,
  GRAPH_OUTPUT,
  MODEL_GRAPH,
  type OnnxModel,
  type OnnxNode,
  readFloatTensor,
  readModel,
} from './onnx-reader.ts';
import { nodeMessage, valueInfo, weightsMessage } from './onnx-writer.ts';
import { Message, ProtobufError } from './protobuf.ts';

export const CELL_SIZES_PX = [8, 16, 32] as const;
/** In the order in which the merged output has them. */
export const HEADS = [
  { name: 'cls', channels: 1, sigmoid: true },
  { name: 'obj', channels: 1, sigmoid: true },
  { name: 'bbox', channels: 4, sigmoid: false },
  { name: 'kps', channels: 10, sigmoid: false },
] as const;
const CHANNELS = HEADS.reduce((sum, { channels }) => sum + channels, 0);
/** The published file is a third of it. */
const MAX_FILE_BYTES = 2 ** 20;

/**
 * The same network with one output `heads_s` [batch, 16, rows, columns] for each size s of cells, in place of `cls_s`, `obj_s`, `bbox_s`
 * and `kps_s`: class and objectness before their sigmoid, four numbers of the box, ten of the points. What the heads do not touch stays
 * as it is, byte for byte.
 * @param model an ONNX file
 * @returns null where it is not such a network, whatever else it is: it is to be used as it stands then
 */
export function mergeYunetHeads(model: Uint8Array): Uint8Array | null {
  if (model.length > MAX_FILE_BYTES) return null;
  try {
    const read = readModel(model);
    return writeMerged(read, findHeads(read));
  } catch (error) {
    if (error instanceof ProtobufError || error instanceof AnotherNetwork) return null;
    throw error;
  }
}

class AnotherNetwork extends Error {
  override readonly name = 'AnotherNetwork';
}

function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AnotherNetwork(`expected ${what}`);
}

interface Convolution {
  readonly input: string;
  readonly weights: FloatTensor;
  readonly bias: FloatTensor;
}

interface Head {
  readonly pointwise: Convolution;
  readonly depthwise: Convolution;
}

interface CellHeads {
  readonly cellPx: number;
  readonly features: string;
  /** As many as HEADS, in their order. */
  readonly heads: readonly Head[];
}

function findHeads(model: OnnxModel): CellHeads[] {
  const wanted = CELL_SIZES_PX.flatMap((cellPx) => HEADS.map(({ name }) => `${name}_${cellPx}`));
  expect(isDeepStrictEqual(model.outputs.toSorted(), wanted.toSorted()), 'the twelve outputs');
  // With more inputs weights could be among them, which a caller might replace.
  expect(model.inputs.length === 1, 'one input');
  expect(!model.nodes.some(({ hasGraphs }) => hasGraphs), 'no graph within a node');
  for (const name of [...model.inputs, ...model.producers.keys(), ...model.initializers.keys()])
    expect(!name.startsWith('heads_'), 'no value with the name of a new one');
  return CELL_SIZES_PX.map((cellPx) => {
    const heads = HEADS.map((head) => findHead(model, `${head.name}_${cellPx}`, head));
    const [{ pointwise: first }] = heads as [Head, ...Head[]];
    for (const { pointwise } of heads) {
      expect(pointwise.input === first.input, 'one map of features');
      expect(pointwise.weights.dimensions[1] === first.weights.dimensions[1], 'one number of features');
    }
    return { cellPx, features: first.input, heads };
  });
}

/** From an output backwards. The shape given to Reshape does not matter: it moves no value. */
function findHead(model: OnnxModel, output: string, head: (typeof HEADS)[number]): Head {
  const shaped = head.sigmoid ? nodeOf(model, output, 'Sigmoid').inputs[0] : output;
  const transpose = nodeOf(model, nodeOf(model, shaped, 'Reshape').inputs[0], 'Transpose');
  expect(isDeepStrictEqual(transpose.attributes.get('perm'), [0, 2, 3, 1]), 'channels last');
  const depthwise = convolutionOf(model, transpose.inputs[0], 3, head.channels);
  expect(isDeepStrictEqual(depthwise.weights.dimensions, [head.channels, 1, 3, 3]), 'depthwise filters');
  const pointwise = convolutionOf(model, depthwise.input, 1, 1);
  const features = pointwise.weights.dimensions[1];
  expect(
    isDeepStrictEqual(pointwise.weights.dimensions, [head.channels, features, 1, 1]),
    'pointwise filters',
  );
  for (const { bias } of [depthwise, pointwise])
    expect(isDeepStrictEqual(bias.dimensions, [head.channels]), 'a bias for each channel');
  return { pointwise, depthwise };
}

function nodeOf(model: OnnxModel, value: string | undefined, operator: string): OnnxNode {
  const node = model.producers.get(value ?? '');
  expect(node?.operator === operator && node.domain === '' && node.outputs.length === 1, operator);
  return node;
}

/** A square convolution that keeps the size of its map, with constant weights and a bias. */
function convolutionOf(
  model: OnnxModel,
  output: string | undefined,
  side: number,
  groups: number,
): Convolution {
  const { inputs, attributes } = nodeOf(model, output, 'Conv');
  const wanted = convolutionAttributes(side, groups);
  const given = {
    ...PLAIN_CONVOLUTION,
    kernel_shape: wanted.kernel_shape,
    ...Object.fromEntries(attributes),
  };
  expect(isDeepStrictEqual(given, { ...PLAIN_CONVOLUTION, ...wanted }), 'a plain convolution');
  expect(inputs.length === 3, 'a bias');
  const [weights, bias] = inputs.slice(1).map((name) => {
    const tensor = model.initializers.get(name);
    return tensor === undefined ? null : readFloatTensor(tensor);
  });
  expect(weights != null && bias != null, 'constant weights in float32');
  return { input: inputs[0]!, weights, bias };
}

/** What ONNX takes where an attribute is missing. */
const PLAIN_CONVOLUTION = {
  auto_pad: 'NOTSET',
  dilations: [1, 1],
  group: 1,
  pads: [0, 0, 0, 0],
  strides: [1, 1],
};

const convolutionAttributes = (side: number, group: number) => ({
  group,
  kernel_shape: [side, side],
  pads: Array.from({ length: 4 }, () => (side - 1) / 2),
});

function writeMerged(model: OnnxModel, found: readonly CellHeads[]): Uint8Array {
  const needed = neededFor(
    model,
    found.map(({ features }) => features),
  );
  const graph = new Message();
  for (const part of model.parts) {
    const gone =
      part.kind === 'output' ||
      (part.kind === 'node' && !part.node.outputs.some((output) => needed.has(output))) ||
      ((part.kind === 'initializer' || part.kind === 'value-info') && !needed.has(part.name));
    if (!gone) graph.copy(part.field);
  }
  for (const { cellPx, features, heads } of found) {
    const name = `heads_${cellPx}`;
    const stages = [
      { from: features, to: `${name}_pointwise`, side: 1, parts: heads.map((head) => head.pointwise) },
      { from: `${name}_pointwise`, to: name, side: 3, parts: heads.map((head) => head.depthwise) },
    ];
    for (const { from, to, side, parts } of stages) {
      const [weights, bias] = [`${to}_weights`, `${to}_bias`];
      const filters = [CHANNELS, ...parts[0]!.weights.dimensions.slice(1)];
      const attributes = convolutionAttributes(side, side === 1 ? 1 : CHANNELS);
      graph.message(GRAPH_NODE, nodeMessage(to, 'Conv', [from, weights, bias], to, attributes));
      graph.message(
        GRAPH_INITIALIZER,
        weightsMessage(weights, filters, joined(parts.map((part) => part.weights))),
      );
      graph.message(
        GRAPH_INITIALIZER,
        weightsMessage(bias, [CHANNELS], joined(parts.map((part) => part.bias))),
      );
    }
    const dimensions = ['batch', CHANNELS, `rows_${cellPx}`, `columns_${cellPx}`];
    graph.message(GRAPH_OUTPUT, valueInfo(name, dimensions));
  }
  const merged = new Message();
  for (const field of model.fields)
    if (field.number === MODEL_GRAPH) merged.message(MODEL_GRAPH, graph);
    else merged.copy(field);
  return merged.finish();
}

/** Every value that these are made from, and themselves. */
function neededFor(model: OnnxModel, values: readonly string[]): ReadonlySet<string> {
  const needed = new Set(values);
  // A set is walked in the order of insertion, and what is added on the way has its turn.
  for (const value of needed) for (const input of model.producers.get(value)?.inputs ?? []) needed.add(input);
  return needed;
}

/** Channels come first in weights and biases: one after the other they are the channels of all. */
function joined(tensors: readonly FloatTensor[]): Float32Array {
  return Float32Array.from(tensors.flatMap(({ data }) => [...data]));
}

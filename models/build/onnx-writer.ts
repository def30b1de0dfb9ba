/**
 * Writes ONNX graphs. ONNX is a protocol buffer (onnx.proto3, IR version 8, operator set 17); the few messages needed are written
 * field by field in a fixed order, so that the same graph is always the same bytes.
 */
import { Message } from './protobuf.ts';

const IR_VERSION = 8;
const OPERATOR_SET = 17;

/** ONNX's number for float32. */
export const FLOAT = 1;
const INT64 = 7;

/** Kinds of attributes. */
export const ATTRIBUTE_INT = 2;
export const ATTRIBUTE_STRING = 3;
export const ATTRIBUTE_INTS = 7;

/** A value in the graph: the output of a node, an input or an initializer. */
export type Value = string;

/** Only what the graphs here need; every attribute of ONNX that is a float keeps its default. */
export type Attributes = Readonly<Record<string, number | readonly number[] | string>>;

/** A dimension: a size, or the name of one that may differ from run to run. */
export type Dimension = number | string;

/** A graph under construction: nodes run in the order in which they are added. */
export class OnnxGraph {
  readonly #name: string;
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #inputs: Message[] = [];
  readonly #outputs: Message[] = [];
  readonly #constants = new Map<string, Value>();

  constructor(name: string) {
    this.#name = name;
  }

  /** A float32 input. */
  input(name: string, dimensions: readonly Dimension[]): Value {
    this.#inputs.push(valueInfo(name, dimensions));
    return name;
  }

  /** Names a value as a float32 output; one that has this name already is it. */
  output(name: string, dimensions: readonly Dimension[], value: Value): void {
    if (value !== name) this.#addNode('Identity', [value], name, {});
    this.#outputs.push(valueInfo(name, dimensions));
  }

  /**
   * Weights, kept by reference until `build`.
   * @throws RangeError where the dimensions do not hold exactly these values
   */
  weights(name: string, dimensions: readonly number[], data: Float32Array): Value {
    this.#initializers.push(weightsMessage(name, dimensions, data));
    return name;
  }

  /** A float32 scalar; equal ones are stored once. */
  scalar(value: number): Value {
    return this.#constant(`scalar ${value}`, (name) => this.weights(name, [], Float32Array.of(value)));
  }

  /** A list of int64, as shapes, axes and pads are given; equal ones are stored once. */
  int64(values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant(`int64 ${values.join(' ')}`, (name) => {
      this.#initializers.push(tensorMessage(name, [values.length], INT64, bytesOf(data)));
      return name;
    });
  }

  /** Adds a node with one output and returns that. */
  node(
    operator: string,
    inputs: readonly Value[],
    attributes: Attributes = {},
    output: Value = `value_${this.#nodes.length}`,
  ): Value {
    return this.#addNode(operator, inputs, output, attributes);
  }

  /** The bytes of the model. */
  build(): Uint8Array {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, this.#name);
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    const operatorSet = new Message().text(1, '').int(2, OPERATOR_SET);
    return new Message()
      .int(1, IR_VERSION)
      .text(2, 'facepool')
      .message(7, graph)
      .message(8, operatorSet)
      .finish();
  }

  #addNode(operator: string, inputs: readonly Value[], output: Value, attributes: Attributes): Value {
    this.#nodes.push(nodeMessage(`${operator}_${this.#nodes.length}`, operator, inputs, output, attributes));
    return output;
  }

  #constant(key: string, add: (name: string) => Value): Value {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const value = add(`constant_${this.#constants.size}`);
    this.#constants.set(key, value);
    return value;
  }
}

/** A NodeProto with one output. */
export function nodeMessage(
  name: string,
  operator: string,
  inputs: readonly Value[],
  output: Value,
  attributes: Attributes,
): Message {
  const node = new Message();
  for (const input of inputs) node.text(1, input);
  node.text(2, output).text(3, name).text(4, operator);
  for (const [key, value] of Object.entries(attributes)) node.message(5, attribute(key, value));
  return node;
}

/**
 * A TensorProto of float32, with the values by reference.
 * @throws RangeError where the dimensions do not hold exactly these values
 */
export function weightsMessage(name: string, dimensions: readonly number[], data: Float32Array): Message {
  const expected = dimensions.reduce((product, size) => product * size, 1);
  if (data.length !== expected) {
    throw new RangeError(`${name}: expected ${expected} values for [${dimensions}], received ${data.length}`);
  }
  return tensorMessage(name, dimensions, FLOAT, bytesOf(data));
}

function tensorMessage(
  name: string,
  dimensions: readonly number[],
  dataType: number,
  raw: Uint8Array,
): Message {
  const tensor = new Message();
  for (const size of dimensions) tensor.int(1, size);
  return tensor.int(2, dataType).text(8, name).bytes(9, raw);
}

function attribute(name: string, value: number | readonly number[] | string): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, ATTRIBUTE_INT);
  if (typeof value === 'string') return message.text(4, value).int(20, ATTRIBUTE_STRING);
  for (const item of value) message.int(8, item);
  return message.int(20, ATTRIBUTE_INTS);
}

/** A ValueInfoProto of a float32 tensor. */
export function valueInfo(name: string, dimensions: readonly Dimension[]): Message {
  const shape = new Message();
  for (const dimension of dimensions) {
    const entry = new Message();
    shape.message(1, typeof dimension === 'string' ? entry.text(2, dimension) : entry.int(1, dimension));
  }
  const tensorType = new Message().int(1, FLOAT).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}

/** ONNX stores raw data with the low byte first, as every machine that Node 24 runs this server on does. */
function bytesOf(data: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

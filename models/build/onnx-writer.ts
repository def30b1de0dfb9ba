/**
 * Writes ONNX graphs. ONNX is a protocol buffer (onnx.proto3, IR version 8, operator set 17); the few messages needed are written
 * field by field in a fixed order, so that the same graph is always the same bytes.
 */

const IR_VERSION = 8;
const OPERATOR_SET = 17;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

const FLOAT = 1;
const INT64 = 7;

const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;

const utf8 = new TextEncoder();

/** One protobuf message. Bytes are kept by reference until `finish`: weights are copied once, at the very end. */
class Message {
  readonly #chunks: Uint8Array[] = [];
  #lengthBytes = 0;

  /** @param value a whole number from 0 to 2^53 - 1 */
  int(field: number, value: number): this {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.byteLength);
    this.#push(value);
    return this;
  }

  message(field: number, value: Message): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.#lengthBytes);
    for (const chunk of value.#chunks) this.#push(chunk);
    return this;
  }

  finish(): Uint8Array {
    const target = new Uint8Array(this.#lengthBytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      target.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return target;
  }

  #varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`varint: expected a whole number from 0 on, received ${value}`);
    }
    const encoded: number[] = [];
    let rest = value;
    while (rest >= 128) {
      encoded.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    encoded.push(rest);
    this.#push(Uint8Array.from(encoded));
  }

  #push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#lengthBytes += chunk.byteLength;
  }
}

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

  /** Names a value as a float32 output. */
  output(name: string, dimensions: readonly Dimension[], value: Value): void {
    this.#addNode('Identity', [value], name, {});
    this.#outputs.push(valueInfo(name, dimensions));
  }

  /**
   * Weights, kept by reference until `build`.
   * @throws RangeError where the dimensions do not hold exactly these values
   */
  weights(name: string, dimensions: readonly number[], data: Float32Array): Value {
    const expected = dimensions.reduce((product, size) => product * size, 1);
    if (data.length !== expected) {
      throw new RangeError(
        `${name}: expected ${expected} values for [${dimensions}], received ${data.length}`,
      );
    }
    return this.#initializer(name, dimensions, FLOAT, bytesOf(data));
  }

  /** A float32 scalar; equal ones are stored once. */
  scalar(value: number): Value {
    return this.#constant(`scalar ${value}`, (name) => this.weights(name, [], Float32Array.of(value)));
  }

  /** A list of int64, as shapes, axes and pads are given; equal ones are stored once. */
  int64(values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant(`int64 ${values.join(' ')}`, (name) =>
      this.#initializer(name, [values.length], INT64, bytesOf(data)),
    );
  }

  /** Adds a node with one output and returns that. */
  node(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.#addNode(operator, inputs, `value_${this.#nodes.length}`, attributes);
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
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    node.text(2, output).text(3, `${operator}_${this.#nodes.length}`).text(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#nodes.push(node);
    return output;
  }

  #initializer(name: string, dimensions: readonly number[], dataType: number, raw: Uint8Array): Value {
    const tensor = new Message();
    for (const size of dimensions) tensor.int(1, size);
    this.#initializers.push(tensor.int(2, dataType).text(8, name).bytes(9, raw));
    return name;
  }

  #constant(key: string, add: (name: string) => Value): Value {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const value = add(`constant_${this.#constants.size}`);
    this.#constants.set(key, value);
    return value;
  }
}

function attribute(name: string, value: number | readonly number[] | string): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, ATTRIBUTE_INT);
  if (typeof value === 'string') return message.text(4, value).int(20, ATTRIBUTE_STRING);
  for (const item of value) message.int(8, item);
  return message.int(20, ATTRIBUTE_INTS);
}

function valueInfo(name: string, dimensions: readonly Dimension[]): Message {
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

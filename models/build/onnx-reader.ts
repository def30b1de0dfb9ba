/** Reads ONNX graphs: as much of onnx.proto3 as a change of a few nodes needs. Whatever else a file holds stays as it is. */
import { ATTRIBUTE_INT, ATTRIBUTE_INTS, ATTRIBUTE_STRING, FLOAT } from './onnx-writer.ts';
import { type Field, fieldsOf, intsOf, ProtobufError, textOf } from './protobuf.ts';

/** Fields of ModelProto, GraphProto and NodeProto that change when nodes do. */
export const MODEL_GRAPH = 7;
export const GRAPH_NODE = 1;
export const GRAPH_INITIALIZER = 5;
export const GRAPH_INPUT = 11;
export const GRAPH_OUTPUT = 12;
export const GRAPH_VALUE_INFO = 13;

export interface OnnxNode {
  readonly operator: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers, lists of them and strings; null for any other kind. */
  readonly attributes: ReadonlyMap<string, number | readonly number[] | string | null>;
  /** Its graphs may use values of the one that it stands in, without naming them among its inputs. */
  readonly hasGraphs: boolean;
}

/** What a field of the graph is, beside its bytes. */
export type GraphPart =
  | { readonly kind: 'node'; readonly field: Field; readonly node: OnnxNode }
  | {
      readonly kind: 'initializer' | 'input' | 'output' | 'value-info';
      readonly field: Field;
      readonly name: string;
    }
  | { readonly kind: 'other'; readonly field: Field };

export interface OnnxModel {
  /** In their order; the graph is one of them. */
  readonly fields: readonly Field[];
  /** The graph's, in their order. */
  readonly parts: readonly GraphPart[];
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** By name, each a TensorProto. */
  readonly initializers: ReadonlyMap<string, Uint8Array>;
  /** The node that gives a value. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
}

/** @throws ProtobufError where the bytes are no ONNX model with one graph */
export function readModel(bytes: Uint8Array): OnnxModel {
  const fields = [...fieldsOf(bytes)];
  const graphs = fields.filter(({ number }) => number === MODEL_GRAPH);
  if (graphs.length !== 1) throw new ProtobufError(`expected one graph, received ${graphs.length}`);
  const parts: GraphPart[] = [];
  const nodes: OnnxNode[] = [];
  const names = { input: [] as string[], output: [] as string[] };
  const initializers = new Map<string, Uint8Array>();
  const producers = new Map<string, OnnxNode>();
  for (const field of fieldsOf(graphs[0]!.payload)) {
    const part = readPart(field);
    parts.push(part);
    if (part.kind === 'input' || part.kind === 'output') names[part.kind].push(part.name);
    else if (part.kind === 'initializer') initializers.set(part.name, field.payload);
    else if (part.kind === 'node') {
      nodes.push(part.node);
      for (const output of part.node.outputs) producers.set(output, part.node);
    }
  }
  return { fields, parts, nodes, inputs: names.input, outputs: names.output, initializers, producers };
}

function readPart(field: Field): GraphPart {
  switch (field.number) {
    case GRAPH_NODE:
      return { kind: 'node', field, node: readNode(field.payload) };
    case GRAPH_INITIALIZER:
      return { kind: 'initializer', field, name: nameIn(field.payload, 8) };
    case GRAPH_INPUT:
      return { kind: 'input', field, name: nameIn(field.payload, 1) };
    case GRAPH_OUTPUT:
      return { kind: 'output', field, name: nameIn(field.payload, 1) };
    case GRAPH_VALUE_INFO:
      return { kind: 'value-info', field, name: nameIn(field.payload, 1) };
    default:
      return { kind: 'other', field };
  }
}

function nameIn(message: Uint8Array, nameField: number): string {
  let name = '';
  for (const field of fieldsOf(message)) if (field.number === nameField) name = textOf(field);
  return name;
}

function readNode(message: Uint8Array): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, number | readonly number[] | string | null>();
  let operator = '';
  let domain = '';
  let hasGraphs = false;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) inputs.push(textOf(field));
    else if (field.number === 2) outputs.push(textOf(field));
    else if (field.number === 4) operator = textOf(field);
    else if (field.number === 7) domain = textOf(field);
    else if (field.number === 5) {
      const attribute = readAttribute(field.payload);
      attributes.set(attribute.name, attribute.value);
      hasGraphs ||= attribute.hasGraphs;
    }
  }
  return { operator, domain, inputs, outputs, attributes, hasGraphs };
}

function readAttribute(message: Uint8Array) {
  let name = '';
  let type = 0;
  let int = 0;
  let text: Field | null = null;
  const ints: number[] = [];
  let hasGraphs = false;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 3) int = field.int ?? 0;
    else if (field.number === 4) text = field;
    else if (field.number === 8) for (const item of intsOf(field)) ints.push(item);
    else if (field.number === 20) type = field.int ?? 0;
    else if (field.number === 6 || field.number === 11) hasGraphs = true;
  }
  let value: number | readonly number[] | string | null = null;
  if (type === ATTRIBUTE_INT) value = int;
  else if (type === ATTRIBUTE_INTS) value = ints;
  else if (type === ATTRIBUTE_STRING) value = text === null ? '' : textOf(text);
  return { name, value, hasGraphs };
}

/** Weights in float32. */
export interface FloatTensor {
  readonly dimensions: readonly number[];
  /** As many as the dimensions say. */
  readonly data: Float32Array;
}

/**
 * @param message a TensorProto
 * @returns null for a tensor of another type, and for one whose values lie elsewhere or are not as many as its dimensions say
 * @throws ProtobufError where it is none
 */
export function readFloatTensor(message: Uint8Array): FloatTensor | null {
  const dimensions: number[] = [];
  const chunks: Uint8Array[] = [];
  let dataType = 0;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) for (const size of intsOf(field)) dimensions.push(size);
    else if (field.number === 2) dataType = field.int ?? 0;
    // float_data and raw_data are the same bytes, low byte first; a file has one of them.
    else if (field.number === 4 || field.number === 9) chunks.push(field.payload);
  }
  const count = dimensions.reduce((product, size) => product * size, 1);
  const lengthBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (dataType !== FLOAT || lengthBytes !== 4 * count) return null;
  const data = new Float32Array(count);
  const target = new Uint8Array(data.buffer);
  let offset = 0;
  for (const chunk of chunks) {
    target.set(chunk, offset);
    offset += chunk.length;
  }
  return { dimensions, data };
}

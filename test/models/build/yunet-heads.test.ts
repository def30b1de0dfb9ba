import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildLandmarks68 } from '../../../models/build/landmarks-68.ts';
import { type GraphPart, readFloatTensor, readModel } from '../../../models/build/onnx-reader.ts';
import { Message } from '../../../models/build/protobuf.ts';
import { mergeYunetHeads } from '../../../models/build/yunet-heads.ts';
import { cellsOf } from '../../../workers/detect/yunet-cells.ts';
import type { GraphOutputs } from '../../../workers/session.ts';
import { WITHOUT_YUNET, YUNET_PATH } from '../../support/samples.ts';
import { buildSmallYunet, type SmallYunetNode } from '../../support/small-yunet.ts';
import { seededRandom } from '../../support/vectors.ts';

const networks = [
  { name: 'a small network', read: async () => buildSmallYunet(), skip: false },
  { name: 'YuNet', read: () => readFile(YUNET_PATH!), skip: WITHOUT_YUNET },
] as const;

async function outputsOf(model: Uint8Array, input: Tensor): Promise<GraphOutputs> {
  const session = await InferenceSession.create(model);
  const outputs = Object.entries(await session.run({ input }));
  await session.release();
  return Object.fromEntries(outputs.map(([name, { data }]) => [name, data as Float32Array]));
}

/** Sixteen numbers of each cell, whatever the form: class, objectness, box and points. */
function numbersOf(outputs: GraphOutputs, cellPx: number): number[][] {
  const cells = cellsOf(outputs, cellPx);
  const share = (factor: number) => (cells.logits ? 1 / (1 + Math.exp(-factor)) : factor);
  return Array.from({ length: cells.count }, (_, i) => [
    share(cells.classes[i]!),
    share(cells.objectness[i]!),
    ...Array.from({ length: 4 }, (_, k) => cells.boxes[i * cells.boxCellStride + k * cells.valueStride]!),
    ...Array.from({ length: 10 }, (_, k) => cells.points[i * cells.pointCellStride + k * cells.valueStride]!),
  ]);
}

const nameOf = (part: GraphPart): string =>
  part.kind === 'node' ? part.node.outputs[0]! : part.kind === 'other' ? '' : part.name;

for (const { name, read, skip } of networks)
  describe(`the heads of ${name}, merged`, { skip }, () => {
    test('give the same numbers for noise, at three sizes', async () => {
      const model = await read();
      const merged = mergeYunetHeads(model)!;
      const random = seededRandom(5);
      for (const [width, height] of [
        [160, 128],
        [320, 256],
        [32, 96],
      ] as const) {
        const noise = Float32Array.from({ length: 3 * width * height }, () => 255 * random());
        const input = new Tensor('float32', noise, [1, 3, height, width]);
        const [expected, received] = [await outputsOf(model, input), await outputsOf(merged, input)];
        assert.deepEqual(Object.keys(received).sort(), ['heads_16', 'heads_32', 'heads_8']);
        for (const cellPx of [8, 16, 32]) {
          const numbers = numbersOf(received, cellPx);
          assert.equal(numbers.length, (width / cellPx) * (height / cellPx));
          for (const [i, cell] of numbersOf(expected, cellPx).entries())
            for (const [k, number] of cell.entries())
              assert.ok(
                Math.abs(numbers[i]![k]! - number) < 1e-4,
                `cell ${i} of ${cellPx} px, number ${k}: ${number}, merged ${numbers[i]![k]}`,
              );
        }
      }
    });

    test('leave the rest of the file as it was, byte for byte', async () => {
      const [before, after] = [readModel(await read()), readModel(mergeYunetHeads(await read())!)];
      const isGraph = ({ number }: { number: number }) => number === 7;
      assert.deepEqual(
        after.fields.filter((field) => !isGraph(field)).map(({ whole }) => Buffer.from(whole)),
        before.fields.filter((field) => !isGraph(field)).map(({ whole }) => Buffer.from(whole)),
      );
      const old = after.parts.filter((part) => !nameOf(part).startsWith('heads_'));
      const oldNames = new Set(old.map((part) => `${part.kind} ${nameOf(part)}`));
      const kept = before.parts.filter((part) => oldNames.has(`${part.kind} ${nameOf(part)}`));
      assert.deepEqual(
        old.map(({ field }) => Buffer.from(field.whole)),
        kept.map(({ field }) => Buffer.from(field.whole)),
      );
      assert.ok(kept.length < before.parts.length);
    });

    test('leave nothing behind that nobody needs', async () => {
      const { nodes, initializers, outputs, parts } = readModel(mergeYunetHeads(await read())!);
      const used = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs]);
      for (const node of nodes) assert.ok(used.has(node.outputs[0]!), node.outputs[0]);
      for (const initializer of initializers.keys()) assert.ok(used.has(initializer), initializer);
      for (const part of parts) if (part.kind === 'value-info') assert.ok(used.has(part.name), part.name);
      assert.ok(nodes.every(({ operator }) => !['Sigmoid', 'Reshape', 'Transpose'].includes(operator)));
    });
  });

/** The values of each tensor in `float_data`, one field for each number where they are not packed. */
function withFloatData(model: Uint8Array, packed: boolean): Uint8Array {
  const { fields, parts } = readModel(model);
  const graph = new Message();
  for (const { kind, field } of parts) {
    const tensor = kind === 'initializer' ? readFloatTensor(field.payload) : null;
    if (tensor === null) graph.copy(field);
    else {
      const { name } = parts.find((part) => part.field === field) as { name: string };
      const message = new Message();
      for (const size of tensor.dimensions) message.int(1, size);
      message.int(2, 1).text(8, name);
      const bytes = new Uint8Array(tensor.data.buffer);
      if (packed) message.bytes(4, bytes);
      else
        for (let i = 0; i < bytes.length; i += 4)
          message.copy({ whole: Uint8Array.of(4 * 8 + 5, ...bytes.subarray(i, i + 4)) });
      graph.message(5, message);
    }
  }
  const whole = new Message();
  for (const field of fields)
    if (field.number === 7) whole.message(7, graph);
    else whole.copy(field);
  return whole.finish();
}

for (const packed of [true, false])
  test(`weights may be numbers of their own, ${packed ? 'packed' : 'one by one'}`, () => {
    const plain = buildSmallYunet();
    const other = withFloatData(plain, packed);
    assert.notDeepEqual(other, plain);
    const headsOf = (model: Uint8Array) =>
      [...readModel(mergeYunetHeads(model)!).initializers].filter(([name]) => name.startsWith('heads_'));
    assert.equal(headsOf(other).length, 12);
    assert.deepEqual(headsOf(other), headsOf(plain));
  });

type Change = (node: SmallYunetNode, output: string) => SmallYunetNode;
const changeOf =
  (wanted: string, part: Partial<SmallYunetNode>): Change =>
  (node, output) =>
    output === wanted ? { ...node, ...part } : node;
const attributesOf =
  (wanted: string, attributes: NonNullable<SmallYunetNode['attributes']>): Change =>
  (node, output) =>
    output === wanted ? { ...node, attributes: { ...node.attributes, ...attributes } } : node;
const depthwise = (attributes: NonNullable<SmallYunetNode['attributes']>) =>
  attributesOf('obj_16_depthwise', attributes);

describe('a network that is another one is left alone', () => {
  const others: Record<string, Uint8Array | (() => Uint8Array)> = {
    'without a sigmoid': buildSmallYunet(changeOf('cls_16', { operator: 'Identity' })),
    'another function in its place': buildSmallYunet(changeOf('cls_16', { operator: 'HardSigmoid' })),
    'a sigmoid too many': buildSmallYunet(
      changeOf('kps_8', { operator: 'Sigmoid', inputs: ['kps_8_transposed'] }),
    ),
    'channels in another order': buildSmallYunet(attributesOf('bbox_8_transposed', { perm: [0, 3, 2, 1] })),
    'strides of two': buildSmallYunet(depthwise({ strides: [2, 2] })),
    'no padding': buildSmallYunet(depthwise({ pads: [0, 0, 0, 0] })),
    'holes between the taps': buildSmallYunet(depthwise({ dilations: [2, 2] })),
    'padding by name': buildSmallYunet(depthwise({ auto_pad: 'SAME_UPPER' })),
    'another kernel than its weights': buildSmallYunet(depthwise({ kernel_shape: [1, 1] })),
    'another number of groups': buildSmallYunet(attributesOf('kps_32_depthwise', { group: 5 })),
    'an attribute that nobody knows': buildSmallYunet(depthwise({ fused: 1 })),
    'no bias': buildSmallYunet((node, output) =>
      output === 'obj_8_pointwise' ? { ...node, inputs: node.inputs.slice(0, 2) } : node,
    ),
    'a head on other features': buildSmallYunet((node, output) =>
      output === 'obj_8_pointwise' ? { ...node, inputs: ['features_16', ...node.inputs.slice(1)] } : node,
    ),
    'weights that are computed': buildSmallYunet(
      (node, output) =>
        output === 'obj_8_pointwise'
          ? { ...node, inputs: [node.inputs[0]!, 'computed', node.inputs[2]!] }
          : node,
      (graph) => graph.node('Neg', ['obj_8_pointwise_weights'], {}, 'computed'),
    ),
    'one output more': buildSmallYunet(undefined, (graph) =>
      graph.output('features', ['batch', 6, 'rows', 'columns'], 'features_8'),
    ),
    'one input more': buildSmallYunet(undefined, (graph) => graph.input('other', [1])),
    'the name of a merged value': buildSmallYunet(undefined, (graph) =>
      graph.node('Relu', ['features_8'], {}, 'heads_8'),
    ),
    landmarks: buildLandmarks68(),
  };
  for (const [name, model] of Object.entries(others))
    test(name, () => assert.equal(mergeYunetHeads(model as Uint8Array), null));

  test('graphs within a node, which may use any value', () => {
    const { fields, parts } = readModel(buildSmallYunet());
    const graph = new Message();
    for (const { field } of parts) graph.copy(field);
    const attribute = new Message().text(1, 'then_branch').message(6, new Message()).int(20, 5);
    graph.message(
      1,
      new Message().text(1, 'features_8').text(2, 'chosen').text(4, 'If').message(5, attribute),
    );
    const whole = new Message();
    for (const field of fields)
      if (field.number === 7) whole.message(7, graph);
      else whole.copy(field);
    assert.equal(mergeYunetHeads(whole.finish()), null);
  });

  test('a file of megabytes', () => {
    const padding = new Message().bytes(6, new Uint8Array(2 ** 20)).finish();
    assert.equal(mergeYunetHeads(Buffer.concat([buildSmallYunet(), padding])), null);
  });
});

describe('bytes that are damaged', () => {
  const model = buildSmallYunet();
  const random = seededRandom(11);
  const mergedOrNull = (bytes: Uint8Array) => {
    const merged = mergeYunetHeads(bytes);
    assert.ok(merged === null || merged.length < 2 * model.length);
    return merged;
  };

  test('cut off anywhere, they are left alone', () => {
    for (let length = 0; length < model.length; length += 1 + Math.floor(random() * 40))
      assert.equal(mergedOrNull(model.subarray(0, length)), null);
  });

  test('changed in a few places, they are left alone or merged, and nothing hangs or throws', () => {
    for (let round = 0; round < 1000; round++) {
      const damaged = Uint8Array.from(model);
      for (let i = 0; i <= round % 4; i++)
        damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      mergedOrNull(damaged);
    }
  });

  test('drawn by chance, they are left alone', () => {
    for (let round = 0; round < 500; round++)
      assert.equal(mergedOrNull(Uint8Array.from({ length: round }, () => 256 * random())), null);
  });
});

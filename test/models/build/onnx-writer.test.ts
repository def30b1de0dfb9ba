import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildDlibResnet } from '../../../models/build/dlib-resnet.ts';
import { buildLandmarks68 } from '../../../models/build/landmarks-68.ts';
import { OnnxGraph } from '../../../models/build/onnx-writer.ts';
import { buildSsdMobilenet } from '../../../models/build/ssd-mobilenet.ts';

describe('OnnxGraph', () => {
  test('writes a graph that ONNX Runtime runs, with a batch of any size', async () => {
    const graph = new OnnxGraph('affine');
    const input = graph.input('input', ['batch', 2]);
    const product = graph.node('MatMul', [input, graph.weights('w', [2, 2], Float32Array.of(1, 2, 3, 4))]);
    const sum = graph.node('ReduceSum', [product, graph.int64([1])], { keepdims: 1 });
    graph.output('output', ['batch', 1], graph.node('Add', [sum, graph.scalar(0.5)]));
    const session = await InferenceSession.create(graph.build());
    const { output } = await session.run({
      input: new Tensor('float32', Float32Array.of(1, 0, 0, 1, 1, 1), [3, 2]),
    });
    assert.deepEqual(output!.dims, [3, 1]);
    assert.deepEqual([...(output!.data as Float32Array)], [3.5, 7.5, 10.5]);
  });

  test('stores equal constants once', () => {
    const graph = new OnnxGraph('constants');
    assert.equal(graph.scalar(6), graph.scalar(6));
    assert.equal(graph.int64([0, -1]), graph.int64([0, -1]));
    assert.notEqual(graph.scalar(1), graph.int64([1]));
  });

  test('refuses weights that do not fill their shape', () => {
    assert.throws(() => new OnnxGraph('short').weights('w', [2, 3], new Float32Array(5)), {
      name: 'RangeError',
      message: 'w: expected 6 values for [2,3], received 5',
    });
  });
});

describe('a build is always the same bytes', () => {
  const builds = {
    'dlib-resnet-v1': buildDlibResnet,
    'face-landmark-68': buildLandmarks68,
    'ssd-mobilenet-v1': () => buildSsdMobilenet({ inputWidth: 320, inputHeight: 256 }),
  };
  for (const [name, build] of Object.entries(builds)) {
    test(name, () => {
      const hash = () => createHash('sha256').update(build()).digest('hex');
      assert.equal(hash(), hash());
    });
  }
});

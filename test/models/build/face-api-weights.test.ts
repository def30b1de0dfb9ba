import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeWeights, readFaceApiWeights } from '../../../models/build/face-api-weights.ts';

const quantization = { dtype: 'uint8', scale: 0.5, min: -1 };

describe('decodeWeights', () => {
  test('takes one byte for a quantised int32, and four for a plain float32', () => {
    const bytes = new Uint8Array(6);
    bytes[0] = 4;
    new DataView(bytes.buffer).setFloat32(1, 2.5, true);
    bytes[5] = 2;
    const weights = decodeWeights(
      [
        { name: 'constant', shape: [], dtype: 'int32', quantization },
        { name: 'plain', shape: [1], dtype: 'float32' },
        { name: 'filters', shape: [1, 1], dtype: 'float32', quantization },
      ],
      bytes,
    );
    assert.deepEqual(weights.get('constant')?.data, Float32Array.of(1));
    assert.deepEqual(weights.get('plain')?.data, Float32Array.of(2.5));
    assert.deepEqual(weights.get('filters')?.data, Float32Array.of(0));
  });

  test('multiplies in double precision and rounds once, as TensorFlow.js does', () => {
    const scale = 0.0012345678901234567;
    const entry = {
      name: 'w',
      shape: [1],
      dtype: 'float32',
      quantization: { dtype: 'uint8', scale, min: -0.1 },
    };
    const [value] = decodeWeights([entry], Uint8Array.of(201)).get('w')!.data;
    assert.equal(value, Math.fround(201 * scale - 0.1));
  });

  for (const length of [1, 3]) {
    test(`refuses a file of ${length} bytes where the manifest says 2`, () => {
      const entry = { name: 'w', shape: [2], dtype: 'float32', quantization };
      assert.throws(() => decodeWeights([entry], new Uint8Array(length)), /expected 2 bytes by the manifest/);
    });
  }

  test('refuses data types that these networks do not have', () => {
    const int32 = { name: 'w', shape: [1], dtype: 'int32' };
    assert.throws(() => decodeWeights([int32], new Uint8Array(4)), /w: expected float32, found int32/);
    const uint16 = { ...int32, quantization: { ...quantization, dtype: 'uint16' } };
    assert.throws(() => decodeWeights([uint16], new Uint8Array(2)), /expected uint8 quantisation/);
  });
});

test('weights are asked for by name, and a wrong name is said', () => {
  const weights = readFaceApiWeights('face_landmark_68');
  assert.deepEqual(weights.get('fc/weights').shape, [256, 136]);
  assert.throws(() => weights.get('fc/gamma'), {
    message: 'face_landmark_68: expected weights named fc/gamma, found none',
  });
});

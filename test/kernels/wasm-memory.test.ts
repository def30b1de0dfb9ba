import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPixelKernels } from '../../kernels/kernels.ts';
import { WasmMemory } from '../../kernels/wasm-memory.ts';
import { randomBytes } from './random.ts';

const pageBytes = 65_536;

describe("a module's memory", () => {
  it('grows when more is taken than there is, keeps what it holds, and is reused after a release', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });
    const handed = new WasmMemory(memory, 1024, 4 * 2 ** 20);
    const first = handed.takeBytes(Uint8Array.of(1, 2, 3));
    const { mark } = handed;
    const second = handed.take(10 * pageBytes);
    assert.deepEqual([...handed.bytes.subarray(first, first + 3)], [1, 2, 3]);
    assert.equal(handed.bytes.length, handed.floats.length * 4);
    const grown = memory.buffer.byteLength;
    for (let i = 0; i < 100; i++) {
      handed.release(mark);
      assert.equal(handed.take(10 * pageBytes), second);
    }
    assert.equal(memory.buffer.byteLength, grown);
  });

  it('ends at its bound, with the need that was too large', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });
    const handed = new WasmMemory(memory, 1024, 2 ** 20);
    assert.throws(
      () => handed.take(2 ** 20),
      /expected a need of at most 1048576 bytes, received one of 10\d+/,
    );
    // Nothing was taken: what fits is still to be had.
    assert.equal(handed.take(16), 1024);
  });

  it('does not change what is unpacked after frames of every size have been through it', async () => {
    const kernels = await createPixelKernels('simd');
    const bytes = randomBytes(8 * 6 * 2, 1);
    const expected = kernels.unpackRgb565(bytes, 8, 6, 'BE').data;
    for (const [width, height] of [
      [1, 1],
      [1601, 1199],
      [3, 700],
      [1600, 1200],
    ] as const) {
      kernels.unpackRgb565(randomBytes(width * height * 2, width), width, height, 'LE');
      kernels.load({ width, height, data: randomBytes(width * height * 3, height) });
      assert.deepEqual(kernels.unpackRgb565(bytes, 8, 6, 'BE').data, expected);
    }
  });
});

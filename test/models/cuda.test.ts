import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingLibraries } from '../../models/cuda.ts';

test('libraries that the linker does not find are named with their owner', () => {
  const output = `
\tlinux-vdso.so.1 (0x00007ffd4d5f2000)
\tlibcublasLt.so.12 => not found
\tlibcudnn.so.9 => not found
\tlibcuda.so.1 => not found
\tlibstrange.so.3 => not found
\tlibstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f0e4a000000)`;
  assert.deepEqual(missingLibraries(output), [
    { name: 'libcublasLt.so.12', owner: 'the CUDA toolkit' },
    { name: 'libcudnn.so.9', owner: 'cuDNN' },
    { name: 'libcuda.so.1', owner: "NVIDIA's driver" },
    { name: 'libstrange.so.3', owner: 'another package' },
  ]);
  assert.deepEqual(missingLibraries('\tnot a dynamic executable'), []);
});

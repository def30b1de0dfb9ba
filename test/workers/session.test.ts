import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildLandmarks68 } from '../../models/build/landmarks-68.ts';
import { createGraphOpener, ProviderError } from '../../workers/session.ts';

const shape = [1, 3, 112, 112];
const input = Float32Array.from({ length: 3 * 112 * 112 }, (_, i) => 127 + 100 * Math.sin(i / 50));

test('WASM gives the answer of the CPU', async () => {
  const answers = [];
  for (const provider of ['cpu', 'wasm'] as const) {
    const graph = await (await createGraphOpener(provider)).open('landmarks', buildLandmarks68());
    answers.push((await graph.run(input, shape)).landmarks!);
    await graph.release();
  }
  const [cpu, wasm] = answers as [Float32Array, Float32Array];
  assert.equal(wasm.length, 136);
  for (let i = 0; i < cpu.length; i++) assert.ok(Math.abs(cpu[i]! - wasm[i]!) < 1e-4);
});

for (const provider of ['cpu', 'wasm'] as const)
  test(`outputs that may be written over hold the new answer, on ${provider}`, async () => {
    const graph = await (await createGraphOpener(provider)).open('landmarks', buildLandmarks68());
    const other = input.map((value) => 255 - value);
    const wanted = (await graph.run(other, shape)).landmarks!;
    const first = await graph.run(input, shape);
    assert.notDeepEqual(first.landmarks, wanted);
    const second = await graph.run(other, shape, first);
    assert.deepEqual(second.landmarks, wanted);
    if (provider === 'cpu') assert.equal(second.landmarks, first.landmarks);
    await graph.release();
  });

test('a file that is no network is an error that names the provider and the model', async () => {
  const opener = await createGraphOpener('cpu');
  await assert.rejects(opener.open('broken', Buffer.from('not a network')), (error: Error) => {
    assert.ok(error instanceof ProviderError);
    assert.match(error.message, /^cpu cannot load broken: /);
    return true;
  });
});

test('a file that is missing is an error that names it', async () => {
  const opener = await createGraphOpener('cpu');
  await assert.rejects(
    opener.open('absent', 'no-such-file.onnx'),
    /cpu cannot load absent: .*no-such-file\.onnx/,
  );
});

test('an input of the wrong shape is an error, and the graph works on', async () => {
  const graph = await (await createGraphOpener('cpu')).open('landmarks', buildLandmarks68());
  await assert.rejects(graph.run(new Float32Array(12), [1, 3, 2, 2]), ProviderError);
  assert.equal((await graph.run(input, shape)).landmarks!.length, 136);
});

test('CUDA without its libraries is an error and leaves the CPU working', async (context) => {
  const opener = await createGraphOpener('cuda');
  const opened = await opener.open('landmarks', buildLandmarks68()).then(
    () => true,
    (error: unknown) => {
      assert.ok(error instanceof ProviderError);
      return false;
    },
  );
  if (opened) return context.skip('CUDA works on this machine');
  const graph = await (await createGraphOpener('cpu')).open('landmarks', buildLandmarks68());
  assert.equal((await graph.run(input, shape)).landmarks!.length, 136);
});

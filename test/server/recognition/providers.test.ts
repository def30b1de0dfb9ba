import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { PROVIDER_ORDER, probeInChild, rankProviders } from '../../../server/recognition/providers.ts';

const visible = async () => true;
const invisible = async () => false;

test('without a GPU nothing is tried: CPU first, WASM behind it, and the reason for the others', async () => {
  const { usable, refused } = await rankProviders(
    PROVIDER_ORDER,
    () => assert.fail('a probe was started'),
    invisible,
  );
  assert.deepEqual(usable, ['cpu', 'wasm']);
  assert.deepEqual(
    refused.map(({ provider }) => provider),
    ['cuda', 'webgpu'],
  );
  for (const { why } of refused) assert.match(why, /no GPU is visible/);
});

test('a GPU that proves itself comes before the CPU, one that does not is refused with its reason', async () => {
  const probe = async (provider: string) => ({ usable: provider === 'webgpu', why: `${provider} said so` });
  const { usable, refused } = await rankProviders(PROVIDER_ORDER, probe, visible);
  assert.deepEqual(usable, ['webgpu', 'cpu', 'wasm']);
  assert.deepEqual(refused, [{ provider: 'cuda', why: 'cuda said so' }]);
});

test('only the providers that were asked for are considered, in the order given', async () => {
  const { usable } = await rankProviders(['wasm', 'cpu'], () => assert.fail(), visible);
  assert.deepEqual(usable, ['wasm', 'cpu']);
});

test('the probe of a provider whose libraries are missing says what failed and harms nobody', async (context) => {
  if (existsSync('/dev/nvidia0')) return context.skip('this machine has an NVIDIA GPU');
  const { usable, why } = await probeInChild('cuda');
  assert.equal(usable, false);
  assert.match(why, /cuda/);
});

test('WebGPU without a hardware adapter is refused', async (context) => {
  if (existsSync('/dev/dri') || existsSync('/dev/nvidia0'))
    return context.skip('this machine may have a real adapter');
  const { usable, why } = await probeInChild('webgpu');
  assert.equal(usable, false);
  assert.ok(why.length > 10, why);
});

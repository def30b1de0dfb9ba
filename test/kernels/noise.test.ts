import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  estimatePlaneNoise,
  higherWeights,
  transformFactors,
  trustedSpectrum,
} from '../../kernels/noise-estimate.ts';
import { thresholdTable } from '../../kernels/noise-fit.ts';
import { channelVariances, modelGains } from '../../kernels/noise-model.ts';
import { blockCoefficients, inverse8, readMultipliers } from '../../kernels/reference-dct.ts';
import { squaredSpectrum } from '../../kernels/squared-spectrum.ts';
import { randomBytes, seededNormal } from './random.ts';

const multipliers = readMultipliers(thresholdTable(0, new Float32Array(64).fill(1)));

describe('the noise model', () => {
  it('grows with gain at every brightness that is not black', () => {
    for (let i = 1; i < modelGains.length; i++) {
      const [lower, higher] = [channelVariances(modelGains[i - 1]!), channelVariances(modelGains[i]!)];
      for (let level = 40; level < 250; level += 10)
        assert.ok(higher[level]! > lower[level]!, `gain ${i}, level ${level}`);
    }
  });

  it('agrees with the formula where the gamma curve is nearly straight', () => {
    // gain x light / well + read noise, through the slope 255 / 2.2 x light ^ (1 / 2.2 - 1).
    const light = 0.5;
    const variance = (4 * light) / 10_000 + (40 / 10_000) ** 2 + (30 / 10_000) ** 2;
    const expected = variance * ((255 / 2.2) * light ** (1 / 2.2 - 1)) ** 2;
    const level = Math.round(255 * light ** (1 / 2.2));
    assert.ok(Math.abs(channelVariances(4)[level]! / expected - 1) < 0.1);
  });
});

describe('the 16-bit transform', () => {
  it('gives back eight times the block after both directions, to the rounding of its 16 bits', () => {
    const block = Int16Array.from(randomBytes(64, 1), (byte) => 3 * byte - 382);
    const coefficients = blockCoefficients(block, 0, 8, multipliers);
    const half = new Int16Array(64);
    for (let v = 0; v < 8; v++) {
      const row = Array.from({ length: 8 }, (_, u) => (coefficients[u * 8 + v]! + 2) >> 2);
      inverse8(row, multipliers).forEach((value, x) => {
        half[x * 8 + v] = value;
      });
    }
    for (let x = 0; x < 8; x++) {
      inverse8(half.subarray(x * 8, x * 8 + 8), multipliers).forEach((value, y) => {
        assert.ok(
          Math.abs(value / 8 - block[y * 8 + x]!) < 4.5,
          `x ${x}, y ${y}: ${value / 8}, expected ${block[y * 8 + x]}`,
        );
      });
    }
  });

  it('has the energies of the orthonormal transform', () => {
    const block = Int16Array.from(randomBytes(64, 2), (byte) => byte - 128);
    const coefficients = blockCoefficients(block, 0, 8, multipliers);
    const expected = squaredSpectrum(Float32Array.from(block));
    for (let i = 0; i < 64; i++) {
      // Weights leave out the lowest frequencies and divide by the 58 others.
      if (higherWeights[i] === 0) continue;
      const energy = coefficients[i]! ** 2 * higherWeights[i]! * 58;
      // Outputs are whole numbers, off by a few; high frequencies carry small factors.
      const tolerance = 3 / (4 * transformFactors[i >> 3]! * transformFactors[i & 7]!);
      assert.ok(Math.abs(Math.sqrt(energy) - Math.sqrt(expected[i]!)) < tolerance, `coefficient ${i}`);
    }
  });
});

describe('the estimate of a frame', () => {
  it('finds the variance of white noise within a fifth, and calls it white', () => {
    for (const sigma of [4, 10, 30]) {
      const normal = seededNormal(sigma);
      const count = 600;
      const coefficients = new Int16Array(count * 64);
      const energies = new Float32Array(count);
      for (let block = 0; block < count; block++) {
        const values = Int16Array.from({ length: 64 }, () => Math.round(sigma * normal()));
        coefficients.set(blockCoefficients(values, 0, 8, multipliers), block * 64);
        for (let i = 0; i < 64; i++)
          energies[block]! += coefficients[block * 64 + i]! ** 2 * higherWeights[i]!;
      }
      const levels = new Uint8Array(count).fill(100);
      const { binVariances, binBlocks, spectrum } = estimatePlaneNoise({
        count,
        coefficients,
        energies,
        levels,
      });
      assert.ok(Math.abs(binVariances[3]! / sigma ** 2 - 1) < 0.2, `sigma ${sigma}: ${binVariances[3]}`);
      assert.deepEqual([...binBlocks], [0, 0, 0, count, 0, 0, 0, 0]);
      assert.ok(trustedSpectrum(spectrum).every((value) => value === 1));
    }
  });

  it('says nothing about a frame without blocks', () => {
    const empty = {
      count: 0,
      coefficients: new Int16Array(0),
      energies: new Float32Array(0),
      levels: new Uint8Array(0),
    };
    const { binBlocks, spectrum } = estimatePlaneNoise(empty);
    assert.ok(binBlocks.every((blocks) => blocks === 0));
    assert.ok(trustedSpectrum(spectrum).every((value) => value === 1));
  });
});

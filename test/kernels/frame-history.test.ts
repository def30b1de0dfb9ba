import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { psnr } from '../../bench/psnr.ts';
import { samplePhoto } from '../../bench/sample-photos.ts';
import { capture, plainCapture } from '../../bench/simulated-sensor.ts';
import { createEnhancer } from '../../kernels/enhance.ts';
import { unknownSensorState } from '../../kernels/enhancement-report.ts';
import { FrameHistories, FrameHistory, historyBytes } from '../../kernels/frame-history.ts';
import type { Picture } from '../../kernels/picture.ts';

const [width, height] = [320, 240];
const enhancer = await createEnhancer('simd');
const { data: wide } = await samplePhoto(3, width + 64, height);

/** What a camera sees that has turned by so many pixels. */
function view(shift: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = (y * (width + 64) + shift) * 3;
    data.set(wide.subarray(start, start + width * 3), y * width * 3);
  }
  return { width, height, data };
}

/** A scene in which something large and dark stands `left` pixels from the edge. */
function withVisitor({ data: scene }: Picture, left: number): Picture {
  const data = scene.slice();
  for (let y = 80; y < 200; y++) {
    for (let x = left; x < left + 60; x++)
      data.fill(30 + (((x - left) ^ y) & 8) * 6, (y * width + x) * 3, (y * width + x) * 3 + 3);
  }
  return { width, height, data };
}

/** Mean square error of the values that differ between two captures by more than a code. */
function errorWhereMoved(data: Uint8Array, noiseless: Float32Array, before: Float32Array): number {
  let [squares, count] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    if (Math.abs(noiseless[i]! - before[i]!) < 1) continue;
    squares += (data[i]! - noiseless[i]!) ** 2;
    count++;
  }
  return squares / count;
}

/**
 * Enhances views one after another with one history; the last one also alone. Both against the last view; as they were captured, both
 * against what the sensor would have given without noise.
 */
function series(shifts: readonly number[], gain: number) {
  const history = new FrameHistory(width, height);
  const capturedHistory = new FrameHistory(width, height);
  let last = { merged: 0, alone: 0, stillShare: 0, asCaptured: { merged: 0, alone: 0 } };
  for (const [i, shift] of shifts.entries()) {
    const clean = view(shift);
    const { bytes, noiseless } = capture(clean, {
      ...plainCapture,
      gain,
      exposure: 0.4,
      mosaic: 'bayer',
      seed: 10 + 7 * i,
    });
    const frame = { bytes, width, height, format: 'RGB565', byteOrder: 'BE' } as const;
    const alone = enhancer.enhance(frame, unknownSensorState, null).picture;
    const { picture, report } = enhancer.enhance(frame, unknownSensorState, history);
    const captured = (remembered: FrameHistory | null) =>
      psnr(enhancer.enhance(frame, unknownSensorState, remembered, 'captured').picture.data, noiseless);
    last = {
      merged: psnr(picture.data, clean.data),
      alone: psnr(alone.data, clean.data),
      stillShare: report.merged!.stillShare,
      asCaptured: { merged: captured(capturedHistory), alone: captured(null) },
    };
  }
  return last;
}

describe('merging over time', () => {
  it('improves what a still camera sees', () => {
    for (const gain of [4, 16]) {
      const { merged, alone, stillShare } = series(Array(8).fill(0), gain);
      assert.ok(stillShare > 0.85, `still: ${stillShare}`);
      assert.ok(merged > alone + 0.3, `gain ${gain}: merged ${merged}, alone ${alone}`);
    }
  });

  it('costs nothing where everything moves', () => {
    for (const step of [1, 2, 5]) {
      const { merged, alone, asCaptured } = series(
        [0, 1, 2, 3, 4, 5, 6, 7].map((i) => i * step),
        4,
      );
      assert.ok(merged > alone - 0.3, `${step} px a frame: merged ${merged}, alone ${alone}`);
      assert.ok(
        asCaptured.merged > asCaptured.alone - 0.05,
        `${step} px a frame: merged ${asCaptured.merged}, alone ${asCaptured.alone}`,
      );
    }
  });

  it('leaves no ghost of what moves through a still scene', () => {
    for (const gain of [1, 4, 16]) {
      const history = new FrameHistory(width, height);
      let before: Float32Array | null = null;
      for (let i = 0; i < 8; i++) {
        const { bytes, noiseless } = capture(withVisitor(view(0), 20 + 6 * i), {
          ...plainCapture,
          gain,
          exposure: 0.4,
          mosaic: 'bayer',
          seed: 40 + i,
        });
        const frame = { bytes, width, height, format: 'RGB565', byteOrder: 'BE' } as const;
        const merged = enhancer.enhance(frame, unknownSensorState, history, 'captured').picture.data;
        const alone = enhancer.enhance(frame, unknownSensorState, null, 'captured').picture.data;
        if (before !== null) {
          const moved = (data: Uint8Array) => errorWhereMoved(data, noiseless, before!);
          assert.ok(
            moved(merged) < 1.1 * moved(alone),
            `gain ${gain}, frame ${i}: ${moved(merged)}, alone ${moved(alone)}`,
          );
        }
        before = noiseless;
      }
    }
  });

  it('forgets a scene as soon as it changes', () => {
    const { merged, alone, stillShare } = series([0, 0, 0, 0, 40], 4);
    assert.ok(stillShare < 0.7);
    assert.ok(merged > alone - 0.3);
  });

  it('learns the spectrum of the noise from still frames', () => {
    const history = new FrameHistory(width, height);
    let spectrum = '';
    for (let seed = 0; seed < 14; seed++) {
      const { bytes } = capture(view(0), { ...plainCapture, gain: 8, mosaic: 'bayer', seed });
      const frame = { bytes, width, height, format: 'RGB565', byteOrder: 'BE' } as const;
      spectrum = enhancer.enhance(frame, unknownSensorState, history).report.noise.spectrum;
    }
    assert.equal(spectrum, 'learnt');
  });

  it('leaves a history alone that another thread holds', () => {
    const history = new FrameHistory(width, height);
    assert.ok(history.tryLock());
    const { bytes } = capture(view(0), plainCapture);
    const frame = { bytes, width, height, format: 'RGB565', byteOrder: 'BE' } as const;
    assert.equal(enhancer.enhance(frame, unknownSensorState, history).report.merged, null);
    assert.equal(history.frames, 0);
    history.unlock();
    assert.notEqual(enhancer.enhance(frame, unknownSensorState, history).report.merged, null);
    assert.equal(history.frames, 1);
  });

  it('can be continued from the same shared memory', () => {
    const history = new FrameHistory(width, height);
    const { bytes } = capture(view(0), plainCapture);
    enhancer.enhance(
      { bytes, width, height, format: 'RGB565', byteOrder: 'BE' },
      unknownSensorState,
      history,
    );
    assert.equal(new FrameHistory(width, height, history.buffer).frames, 1);
    assert.throws(() => new FrameHistory(width, height + 16, history.buffer), /buffer: expected \d+ bytes/);
  });
});

describe('histories of many devices', () => {
  it('are bounded in number: the longest unused one goes first', () => {
    const histories = new FrameHistories({ maxDevices: 2, maxBytes: 1e9, maxPauseMs: 1000 });
    const first = histories.get('a', 32, 32, 0);
    histories.get('b', 32, 32, 1);
    assert.equal(histories.get('a', 32, 32, 2), first);
    histories.get('c', 32, 32, 3);
    assert.deepEqual([histories.devices, histories.dropped], [2, 1]);
    assert.equal(histories.get('a', 32, 32, 4), first);
    assert.equal(histories.bytes, 2 * historyBytes(32, 32));
  });

  it('are bounded in bytes, and refuse a frame that is too large for all of them', () => {
    const histories = new FrameHistories({
      maxDevices: 100,
      maxBytes: 2.5 * historyBytes(64, 64),
      maxPauseMs: 1000,
    });
    for (const id of ['a', 'b', 'c']) assert.ok(histories.get(id, 64, 64, 0));
    assert.equal(histories.devices, 2);
    assert.equal(histories.get('d', 640, 480, 0), null);
    assert.equal(histories.devices, 2);
  });

  it('keep what was learnt of a device after a pause, for frames of the same size', () => {
    const histories = new FrameHistories({ maxDevices: 2, maxBytes: 1e9, maxPauseMs: 1000 });
    histories.get('a', 32, 32, 0)!.statistics(1)[5] = 7;
    assert.equal(histories.get('a', 32, 32, 5000)!.statistics(1)[5], 7);
    assert.equal(histories.get('a', 32, 32, 5000)!.frames, 0);
    assert.equal(histories.get('a', 48, 32, 5001)!.statistics(1)[5], 0);
    assert.equal(histories.get('b', 32, 32, 5002)!.statistics(1)[5], 0);
  });

  it('are dropped after a pause and when the size of the frames changes', () => {
    const histories = new FrameHistories({ maxDevices: 10, maxBytes: 1e9, maxPauseMs: 1000 });
    const first = histories.get('a', 32, 32, 0);
    assert.notEqual(histories.get('a', 48, 32, 10), first);
    histories.get('b', 32, 32, 2000);
    assert.deepEqual([histories.devices, histories.dropped], [1, 2]);
    assert.equal(histories.bytes, historyBytes(32, 32));
  });
});

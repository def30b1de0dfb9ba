import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff } from '../../../server/cameras/back-off.ts';
import { isBlank } from '../../../server/cameras/blank-frame.ts';
import { KeyFrameSpacing } from '../../../server/cameras/key-frames.ts';

function spacingAfter(intervalMs: number, gapsMs: readonly number[]): KeyFrameSpacing {
  const spacing = new KeyFrameSpacing(intervalMs);
  let nowMs = 0;
  spacing.keyFrame(nowMs);
  for (const gapMs of gapsMs) {
    nowMs += gapMs;
    spacing.keyFrame(nowMs);
  }
  return spacing;
}

test('key frames are enough while one comes each scan interval', () => {
  const { decoding, spacingMs } = spacingAfter(5000, [2000, 2000, 2010]);
  assert.deepEqual({ decoding, spacingMs }, { decoding: 'key frames', spacingMs: 2010 });
  assert.equal(spacingAfter(5000, [2000, 9000, 2000, 9000]).decoding, 'key frames');
});

test('two gaps in a row longer than the interval ask for every frame, ten shorter ones for key frames again', () => {
  assert.equal(spacingAfter(5000, [10_000, 10_000]).decoding, 'all frames');
  assert.equal(spacingAfter(1000, [2000, 2000, ...Array(9).fill(900)]).decoding, 'all frames');
  assert.equal(spacingAfter(1000, [2000, 2000, ...Array(10).fill(900)]).decoding, 'key frames');
});

test('frames that go on without a key frame ask for every frame, silence does not', () => {
  const spacing = spacingAfter(1000, []);
  spacing.packet(1900);
  assert.equal(spacing.decoding, 'key frames');
  spacing.packet(2100);
  assert.equal(spacing.decoding, 'all frames');
});

test('a new connection forgets the time since the last key frame, not the decision', () => {
  const spacing = spacingAfter(1000, [500]);
  spacing.restart();
  spacing.packet(60_000);
  spacing.keyFrame(60_000);
  assert.equal(spacing.decoding, 'key frames');
  spacing.sawNoPicture();
  spacing.restart();
  assert.equal(spacing.decoding, 'all frames');
});

test('pauses double up to their limit and are spread over half of each', () => {
  const pausesWith = (random: () => number) => {
    const backOff = new BackOff({ firstMs: 1000, maxMs: 30_000, forgivenAfterMs: 60_000, random });
    return Array.from({ length: 7 }, () => backOff.nextMs(0));
  };
  assert.deepEqual(
    pausesWith(() => 1),
    [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
  );
  assert.deepEqual(
    pausesWith(() => 0),
    [500, 1000, 2000, 4000, 8000, 15_000, 15_000],
  );
});

test('pauses start again after a camera was live for long, not after a moment', () => {
  const backOff = new BackOff({ firstMs: 1000, maxMs: 30_000, forgivenAfterMs: 60_000, random: () => 1 });
  assert.deepEqual(
    [0, 0, 500, 60_000, 0].map((liveMs) => backOff.nextMs(liveMs)),
    [1000, 2000, 4000, 1000, 2000],
  );
  for (let i = 0; i < 5000; i++) assert.ok(backOff.nextMs(0) <= 30_000);
});

function frame(luma: (x: number, y: number) => number, u: number, v: number) {
  const [width, height] = [64, 48];
  const bytes = new Uint8Array((width * height * 3) / 2);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) bytes[y * width + x] = luma(x, y);
  bytes.fill(u, width * height, (width * height * 5) / 4).fill(v, (width * height * 5) / 4);
  return { width, height, bytes, capturedAt: new Date(0) };
}

test('a frame that a decoder left grey or green is blank, also by half', () => {
  assert.ok(isBlank(frame(() => 128, 128, 128)));
  assert.ok(isBlank(frame(() => 126, 128, 128)));
  assert.ok(isBlank(frame(() => 0, 0, 0)));
  assert.ok(isBlank(frame(() => 16, 16, 16)));
  assert.ok(isBlank(frame((x, y) => (y < 24 ? x * 2 : 128), 128, 128)));
});

test('a dark room, a white wall and a grey ramp are pictures', () => {
  assert.ok(!isBlank(frame(() => 16, 128, 128)));
  assert.ok(!isBlank(frame(() => 235, 128, 128)));
  assert.ok(!isBlank(frame((x) => 40 + x * 3, 128, 128)));
});

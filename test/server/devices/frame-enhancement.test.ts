import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameEnhancer, sensorStateOf } from '../../../server/devices/frame-enhancement.ts';

test('the gain comes as a factor, or from the index of the driver', () => {
  assert.equal(sensorStateOf({ gain: 2.5, agcGain: 7 }).gain, 2.5);
  assert.equal(sensorStateOf({ agcGain: 7 }).gain, 8);
  assert.equal(sensorStateOf({}).gain, null);
});

test('values beyond what a sensor can have are brought to the nearest one', () => {
  assert.equal(sensorStateOf({ gain: 0.01 }).gain, 0.25);
  assert.deepEqual(sensorStateOf({ awb: false, awbGains: [0.01, 1, 60] }).illuminantGains, [0.1, 1, 10]);
});

test('white-balance gains are left alone where the sensor has applied them', () => {
  const awbGains = [1.5, 1, 2] as const;
  assert.deepEqual(sensorStateOf({ awb: false, awbGains }).illuminantGains, [1.5, 1, 2]);
  assert.equal(sensorStateOf({ awb: true, awbGains }).illuminantGains, null);
  assert.equal(sensorStateOf({ awbGains }).illuminantGains, null);
  assert.equal(sensorStateOf({ awb: false, wbMode: 4, awbGains }).illuminantGains, null);
});

test('a device is remembered at its size, one without an id is not', () => {
  const enhancer = createFrameEnhancer('full');
  const frame = { width: 320, height: 240 };
  const first = enhancer.prepare('a', frame, {})!.history;
  assert.ok(first !== null);
  assert.equal(enhancer.prepare('a', frame, {})!.history, first);
  assert.notEqual(enhancer.prepare('b', frame, {})!.history, first);
  assert.notEqual(enhancer.prepare('a', { width: 640, height: 480 }, {})!.history, first);
  assert.equal(enhancer.prepare(null, frame, {})!.history, null);
  assert.equal(enhancer.devices, 2);
});

test('the cheap tier filters, and remembers no device', () => {
  const enhancer = createFrameEnhancer('fast');
  const prepared = enhancer.prepare('a', { width: 320, height: 240 }, { gain: 4 })!;
  assert.deepEqual([prepared.method, prepared.history, prepared.sensor.gain], ['wiener', null, 4]);
  assert.equal(enhancer.devices, 0);
});

test('turned off, frames are left as they come', () => {
  assert.equal(createFrameEnhancer('off').prepare('a', { width: 320, height: 240 }, {}), null);
});

test('X-Sensor-Gamma tells linear light; nothing is assumed without it', () => {
  assert.equal(sensorStateOf({ gamma: false }).gammaApplied, false);
  assert.equal(sensorStateOf({ gamma: true }).gammaApplied, true);
  assert.equal(sensorStateOf({}).gammaApplied, null);
  // Left as it was sent.
  assert.equal(createFrameEnhancer('off').prepare('board', { width: 8, height: 8 }, { gamma: false }), null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence } from '../../server/dashboard/client/api.ts';
import { agoWords, durationWords } from '../../server/dashboard/client/clock.ts';
import { linkTo, readLocation } from '../../server/dashboard/client/router.ts';
import { seriesOf } from '../../server/dashboard/client/views/devices/series.ts';
import {
  type EnhancementReport,
  enhancementWords,
  sensorWords,
} from '../../server/dashboard/client/views/wall/enhancement-words.ts';

test('an age is told in the largest unit that says enough', () => {
  assert.equal(agoWords(1000, 2500), 'now');
  assert.equal(agoWords(5000, 2500), 'now', 'a clock that is behind makes nothing negative');
  assert.equal(agoWords(0, 45_000), '45 s ago');
  assert.equal(durationWords(600), '10 min');
  assert.equal(durationWords(3 * 3600), '3 h');
  assert.equal(durationWords(3 * 86_400), '3 days');
});

test('an address comes back as the segments that it was made of, whatever they hold', () => {
  const segments = ['wall', 'device', 'a/b #c%'];
  assert.deepEqual(readLocation(linkTo(...segments)), segments);
  assert.deepEqual(readLocation('#/wall/%E0%A4%A'), ['wall', '%E0%A4%A']);
  assert.deepEqual(readLocation(''), []);
});

test('what the server says becomes a sentence', () => {
  assert.equal(sentence('the disk is full'), 'The disk is full.');
  assert.equal(sentence('Done!'), 'Done!');
});

test('every number of a measurement is a series in the order of time, however deep it lies', () => {
  const reading = (second: number, data: object) => ({
    receivedAt: new Date(second * 1000).toISOString(),
    data: { deviceId: 'x', timestamp: 1, ...data },
  });
  const point = (second: number, value: number) => ({
    atMs: second * 1000,
    value,
    least: value,
    most: value,
  });
  const series = seriesOf([
    reading(2, { air: { humidity: 40 }, temperature: 21, note: 'fine' }),
    reading(1, { temperature: 20, broken: Number.NaN }),
  ]);
  assert.deepEqual(series, [
    { name: 'air.humidity', points: [point(2, 40)] },
    { name: 'temperature', points: [point(1, 20), point(2, 21)] },
  ]);
});

test('a mean keeps the least and the most of what it stands for', () => {
  const [series] = seriesOf([
    {
      receivedAt: new Date(1000).toISOString(),
      data: { deviceId: 'x', timestamp: 1, air: { humidity: 40 } },
      least: { 'air.humidity': 35 },
      most: { 'air.humidity': 50 },
    },
  ]);
  assert.deepEqual(series!.points, [{ atMs: 1000, value: 40, least: 35, most: 50 }]);
});

const REPORT: EnhancementReport = {
  noise: { source: 'frame', gain: 8, sigma: 6.24, spectrum: 'learnt' },
  merged: { stillShare: 0.5, meanFrames: 3.456 },
  whiteBalance: { source: 'frame', gains: [0.84, 1, 1.251] },
  exposureGain: 1.5,
  black: 2.87,
  colourMatrixStrength: 0.72,
  lift: 0,
  notBelieved: ['gain'],
};

test('the enhancement is told in plain words: what was estimated, from where, what was done', () => {
  assert.deepEqual(enhancementWords(REPORT, 'RGB565'), [
    'Noise: 6.2 of 255 levels at middle grey, as a sensor has at gain 8; estimated from the frame itself, with the pattern that this sensor showed over many frames, and taken away.',
    'The gain that the board states does not fit what the frame shows, and was not used.',
    'Merging over time: 50 % of the picture stood still and was averaged, 3.46 frames deep on average.',
    'White balance: red × 0.84, green × 1.00, blue × 1.25; from the colours of the frame itself.',
    'Brightness: × 1.50, from how bright the frame is.',
    'Black: 2.9 of 255 levels taken off, part of the grey that noise makes of what is black.',
    'Colours: what the colour filters of small sensors mix was unmixed, 72 % of the way; less where there is more noise.',
  ]);
  const untouched = enhancementWords(
    {
      ...REPORT,
      noise: { ...REPORT.noise, source: 'headers' },
      merged: { stillShare: 0, meanFrames: 1 },
      whiteBalance: { source: 'none', gains: [1, 1, 1] },
      exposureGain: 1,
      black: 0,
      colourMatrixStrength: 0,
      notBelieved: [],
    },
    'RGB565',
  );
  assert.match(untouched[0]!, /taken from the gain that the board states/);
  assert.deepEqual(untouched.slice(1), [
    'Merging over time: none; everything in the picture moved.',
    'White balance: left as it was.',
    'Brightness: left as it was.',
  ]);
  assert.match(enhancementWords(null, 'JPEG')[0]!, /sends JPEG/);
});

test('headers of the sensor are told by their names; a board without any is told so', () => {
  assert.deepEqual(sensorWords({ sensorModel: 'OV2640', awb: true, wbMode: 2, awbGains: [1.5, 1, 2] }), [
    'Model: OV2640',
    'White balance by the sensor: on',
    'White balance mode: cloudy',
    'White balance gains (red, green, blue): 1.5, 1, 2',
  ]);
  assert.match(sensorWords({})[0]!, /^Nothing/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkFrameLength,
  readFrameDescription,
  readSensorSettings,
} from '../../../server/http/frame-headers.ts';

const reader = (headers: Record<string, string>) => (name: string) => headers[name] ?? '';
const describe = (width: string, height: string, format: string) =>
  readFrameDescription(
    reader({ 'X-Frame-Width': width, 'X-Frame-Height': height, 'X-Frame-Format': format }),
    1e6,
  );

test('the size and the format of a frame are read, the format in any case', () => {
  assert.deepEqual(describe('320', '240', 'rgb565'), { width: 320, height: 240, format: 'RGB565' });
});

test('a missing or impossible size or format says what was expected and what came', () => {
  assert.throws(
    () => describe('', '240', 'RGB565'),
    /X-Frame-Width: expected a whole number.*received nothing/,
  );
  for (const width of ['0', '-1', '1.5', '0x10', '99999999', 'abc'])
    assert.throws(() => describe(width, '240', 'RGB565'), /X-Frame-Width: expected/);
  assert.throws(() => describe('320', '', 'RGB565'), /X-Frame-Height/);
  assert.throws(
    () => describe('320', '240', 'RGB444'),
    /X-Frame-Format: expected one of RGB565, .*received "RGB444"/,
  );
  assert.throws(() => describe('320', '240', ''), /X-Frame-Format: .*received nothing/);
  assert.throws(() => describe('2000', '2000', 'RGB565'), /at most 1000000 pixels, received 4000000/);
  assert.throws(() => describe('321', '240', 'YUV422'), /even/);
});

test('a body must have exactly the bytes of its frame', () => {
  const bytesPerPixel = { RGB565: 2, GRAYSCALE: 1, YUV422: 2, RGB888: 3 } as const;
  for (const [format, bytes] of Object.entries(bytesPerPixel)) {
    const frame = describe('160', '120', format);
    checkFrameLength(frame, 160 * 120 * bytes);
    assert.throws(
      () => checkFrameLength(frame, 160 * 120 * bytes - 1),
      /expected \d+ bytes .*received \d+ bytes/,
    );
    assert.throws(() => checkFrameLength(frame, 160 * 120 * bytes + 1), /received/);
  }
  checkFrameLength(describe('160', '120', 'JPEG'), 5000);
  assert.throws(
    () => checkFrameLength(describe('160', '120', 'JPEG'), 0),
    /expected a JPEG, received 0 bytes/,
  );
});

test('what the sensor tells about itself is read', () => {
  const { settings, ignored } = readSensorSettings(
    reader({
      'X-Frame-Byte-Order': 'le',
      'X-Frame-Seq': '17',
      'X-Frame-Timestamp': '123456.5',
      'X-Sensor-Model': 'OV2640',
      'X-Sensor-Exposure-Lines': '1200',
      'X-Sensor-Gain': '2.5',
      'X-Sensor-Agc-Gain': '30',
      'X-Sensor-Awb': '1',
      'X-Sensor-Awb-Gains': '1.5, 1.0, 2',
      'X-Sensor-Gamma': '0',
      'X-Sensor-Brightness': '-2',
    }),
  );
  assert.deepEqual(ignored, []);
  assert.deepEqual(settings, {
    byteOrder: 'LE',
    seq: 17,
    timestampMs: 123456.5,
    sensorModel: 'OV2640',
    exposureLines: 1200,
    gain: 2.5,
    agcGain: 30,
    awb: true,
    awbGains: [1.5, 1, 2],
    gamma: false,
    brightness: -2,
  });
});

test('a header that cannot be read is left out and named', () => {
  const headers = {
    'X-Sensor-Gain': '0',
    'X-Sensor-Agc-Gain': '31',
    'X-Sensor-Awb-Gains': '1,2',
    'X-Sensor-Gamma': 'yes',
    'X-Sensor-Contrast': '1.5',
    'X-Frame-Seq': 'NaN',
    'X-Frame-Byte-Order': 'middle',
    'X-Sensor-Exposure-Lines': '1e3',
  };
  const { settings, ignored } = readSensorSettings(reader(headers));
  assert.deepEqual(settings, {});
  assert.deepEqual(ignored.map(({ header }) => header).sort(), Object.keys(headers).sort());
  assert.match(
    ignored.find(({ header }) => header === 'X-Sensor-Agc-Gain')!.warning,
    /expected a whole number from 0 to 30, received "31"/,
  );
});

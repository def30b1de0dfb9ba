import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  openSensorData,
  type SensorData,
  type SensorDataOptions,
} from '../../../server/devices/sensor-data.ts';
import { createSensorDataStore } from '../../../server/store/sensor-data.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let own: TestDatabase;
before(async () => {
  own = await openTestDatabase();
});
after(() => own.close());
beforeEach(() => own.reset());

let wallMs = Date.UTC(2026, 0, 1);
const opened: SensorData[] = [];
afterEach(async () => {
  for (const sensorData of opened.splice(0)) await sensorData.close();
});

function open(options: Partial<SensorDataOptions> = {}): SensorData {
  const sensorData = openSensorData({
    store: createSensorDataStore(own.database),
    retentionDays: 30,
    maxRows: 1000,
    clocks: { wallMs: () => wallMs },
    ...options,
  });
  opened.push(sensorData);
  return sensorData;
}

test('readings come back letter by letter, newest first', async () => {
  const sensorData = open();
  const data = {
    deviceId: 'a',
    timestamp: 12,
    nested: { list: [1, 2.5, null, true], empty: {} },
    text: 'Grüße \u0000 \ud83d\ude00 "\\',
    big: 1e300,
  };
  await sensorData.add('a', data);
  await sensorData.add('b', { deviceId: 'b' });
  assert.deepEqual(
    (await sensorData.list({ limit: 10 })).map((reading) => [reading.deviceId, reading.data]),
    [
      ['b', { deviceId: 'b' }],
      ['a', data],
    ],
  );
});

test('readings are chosen by device, by time and by number', async () => {
  const sensorData = open();
  const startMs = wallMs;
  for (let i = 0; i < 6; i++) {
    await sensorData.add(i % 2 === 0 ? 'even' : 'odd', { i });
    wallMs += 1000;
  }
  const numbers = async (filter: Parameters<SensorData['list']>[0]) =>
    (await sensorData.list(filter)).map(({ data }) => (data as { i: number }).i);
  assert.deepEqual(await numbers({ deviceId: 'odd', limit: 10 }), [5, 3, 1]);
  assert.deepEqual(await numbers({ sinceMs: startMs + 3000, limit: 10 }), [5, 4, 3]);
  assert.deepEqual(await numbers({ deviceId: 'even', sinceMs: startMs + 1, limit: 1 }), [4]);
  assert.deepEqual(await numbers({ deviceId: "x' OR 1=1", limit: 10 }), []);
});

test('a thousand readings at once are all stored when they are acknowledged', async () => {
  const sensorData = open();
  await Promise.all(Array.from({ length: 1000 }, (_, i) => sensorData.add('a', { i })));
  const { rows } = await own.database.read<{ count: number }>(
    'SELECT count(*)::int AS count FROM sensor_readings',
  );
  assert.equal(rows[0]!.count, 1000);
});

test('readings beyond their days or beyond the number of rows are removed, the oldest first', async () => {
  const removed: [string, number][] = [];
  const sensorData = open({
    retentionDays: 1,
    maxRows: 3,
    onRemoved: (reason, rows) => removed.push([reason, rows]),
  });
  for (let i = 0; i < 5; i++) await sensorData.add('old', { i });
  wallMs += 25 * 3600 * 1000;
  for (let i = 0; i < 5; i++) await sensorData.add('new', { i });
  await sensorData.removeDue();
  assert.deepEqual(
    (await sensorData.list({ limit: 10 })).map(({ data }) => (data as { i: number }).i),
    [4, 3, 2],
  );
  assert.deepEqual(removed, [
    ['age', 5],
    ['space', 2],
  ]);
});

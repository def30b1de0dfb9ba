import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { seriesOf } from '../../../server/dashboard/client/views/devices/series.ts';
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

describe('means over parts of a time', () => {
  const DEVICE = 'a';

  /** What the query does, in plain TypeScript. */
  function meansOf(readings: readonly TimedReading[], sinceMs: number, untilMs: number, buckets: number) {
    const parts = Map.groupBy(readings, ({ receivedMs }) =>
      Math.min(buckets - 1, Math.floor(((receivedMs - sinceMs) * buckets) / (untilMs - sinceMs))),
    );
    return [...parts]
      .sort(([a], [b]) => b - a)
      .map(([, inside]) => {
        const means: Record<string, number> = {};
        const least: Record<string, number> = {};
        const most: Record<string, number> = {};
        const newestFirst = inside
          .map(({ receivedMs, data }) => ({ receivedAt: new Date(receivedMs).toISOString(), data }))
          .reverse();
        for (const { name, points } of seriesOf(newestFirst)) {
          const values = points.map(({ value }) => value);
          means[name] = values.reduce((sum, value) => sum + value, 0) / values.length;
          least[name] = Math.min(...values);
          most[name] = Math.max(...values);
        }
        return { readings: inside.length, means, least, most };
      });
  }

  async function fill(sensorData: SensorData, data: readonly Record<string, unknown>[], everyMs: number) {
    const readings: TimedReading[] = [];
    for (const each of data) {
      await sensorData.add(DEVICE, each);
      readings.push({ receivedMs: wallMs, data: each });
      wallMs += everyMs;
    }
    return readings;
  }

  test('are those of the readings, whatever shape a board gives them', async () => {
    const sensorData = open();
    const sinceMs = wallMs;
    const readings = await fill(
      sensorData,
      Array.from({ length: 60 }, (_, i) => ({
        deviceId: DEVICE,
        timestamp: i,
        temperature: 20 + Math.sin(i),
        air: {
          humidity: 40 + i / 7,
          quality: { index: i % 5 === 0 ? null : i, deeper: { still: i, not: { seen: i } } },
        },
        cells: [3.7, 5 - i, 'full', { volts: i }],
        text: '12',
        on: true,
      })),
      1000,
    );
    // The time before the first reading takes no part.
    const found = await sensorData.averages({ deviceId: DEVICE, sinceMs: sinceMs - 3_600_000, buckets: 7 });
    const expected = meansOf(readings, sinceMs, wallMs, 7);
    assert.equal(found.length, expected.length);
    for (const [i, { means, least, most, readings, id, receivedMs }] of found.entries()) {
      const { means: _, ...rest } = expected[i]!;
      assert.deepEqual({ readings, least, most }, rest);
      assert.deepEqual(Object.keys(means).sort(), Object.keys(expected[i]!.means).sort());
      for (const [name, mean] of Object.entries(means))
        assert.ok(Math.abs(mean - expected[i]!.means[name]!) < 1e-9);
      assert.ok(id > 0 && receivedMs >= sinceMs && receivedMs <= wallMs);
    }
  });

  test('leave out parts without a reading, other boards, older ones, and what text and sums cannot hold', async () => {
    const sensorData = open();
    await fill(sensorData, [{ t: 1000 }], 1000);
    await sensorData.add('b', { t: 2000 });
    const sinceMs = wallMs;
    await fill(sensorData, [{ t: 1 }, { t: 3 }], 0);
    wallMs += 8000;
    await fill(
      sensorData,
      [{ t: 5 }, { t: 99, 'nul\u0000': 1 }, { t: 99, text: 'half \ud800' }, { t: 1e300 }, { text: 'none' }],
      0,
    );
    wallMs += 1000;
    const found = await sensorData.averages({ deviceId: DEVICE, sinceMs, buckets: 9 });
    assert.deepEqual(
      found.map(({ readings, means, least, most }) => ({ readings, means, least, most })),
      [
        { readings: 3, means: { t: 5 }, least: { t: 5 }, most: { t: 5 } },
        { readings: 2, means: { t: 2 }, least: { t: 1 }, most: { t: 3 } },
      ],
    );
  });

  test('of a day of a board that measures every ten seconds are all of it, in as many rows as were asked for', async () => {
    const sensorData = open({ maxRows: 10_000 });
    const sinceMs = wallMs;
    const store = createSensorDataStore(own.database);
    await store.add(
      Array.from({ length: 8640 }, (_, i) => ({
        deviceId: DEVICE,
        receivedMs: sinceMs + i * 10_000,
        data: { deviceId: DEVICE, timestamp: i, i, sensor: { a: 1, b: 2, c: i % 2 } },
      })),
    );
    wallMs = sinceMs + 86_400_000;
    const found = await sensorData.averages({ deviceId: DEVICE, sinceMs, buckets: 288 });
    assert.equal(found.length, 288);
    assert.ok(found.every(({ readings }) => readings === 30));
    assert.deepEqual(found.at(-1)!.means, { i: 14.5, 'sensor.a': 1, 'sensor.b': 2, 'sensor.c': 0.5 });
    assert.equal(found[0]!.most.i, 8639);
  });
});

interface TimedReading {
  readonly receivedMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

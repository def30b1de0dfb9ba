/** What sensors of boards measure: taken in, told to those who listen, read back. */
import Type from 'typebox';
import { checkDeviceId } from '../../devices/device-id.ts';
import type { Registry } from '../../devices/registry.ts';
import type { SensorData } from '../../devices/sensor-data.ts';
import { invalidField } from '../../errors.ts';
import type { Message } from '../../live/messages.ts';
import type { BodyReader } from '../body.ts';
import { readJsonObject } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { validate } from '../validate.ts';

export interface IngestDependencies {
  readonly sensorData: SensorData;
  readonly registry: Pick<Registry, 'heard'>;
  readonly bodies: BodyReader;
  readonly publish: (message: Message) => void;
}

const LIST_LIMIT = 100;
const MAX_LIST_LIMIT = 1000;
/** The largest time that a Date holds. */
const MAX_TIME_MS = 8.64e15;

const Reading = Type.Object({
  deviceId: Type.String({ expected: 'the id of the device' }),
  timestamp: Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 64 })], {
    expected: 'a number or a text',
  }),
});

export function ingestRoutes({ sensorData, registry, bodies, publish }: IngestDependencies): Route[] {
  async function take(ctx: Context): Promise<void> {
    const data = await readJsonObject(ctx, bodies);
    const deviceId = checkDeviceId(validate(Reading, data).deviceId);
    await sensorData.add(deviceId, data);
    registry.heard(deviceId, ctx.ip);
    publish({ type: 'sensor-data', data, timestamp: Date.now() });
    ctx.body = { success: true, message: 'Data received', data };
  }

  async function list(ctx: Context): Promise<void> {
    const { deviceId } = ctx.query;
    const readings = await sensorData.list({
      deviceId: deviceId === undefined ? undefined : checkDeviceId(deviceId, '?deviceId'),
      sinceMs: readTime(ctx.query.since),
      limit: readLimit(ctx.query.limit),
    });
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      success: true,
      data: readings.map((reading) => ({
        id: reading.id,
        deviceId: reading.deviceId,
        receivedAt: new Date(reading.receivedMs).toISOString(),
        data: reading.data,
      })),
    };
  }

  return [
    { method: 'POST', path: '/api/v1/ingest/sensor-data', access: 'board', frequent: true, handle: take },
    { method: 'GET', path: '/api/v1/ingest/sensor-data', access: 'key', frequent: true, handle: list },
  ];
}

/** Milliseconds since the epoch, or ISO 8601. */
function readTime(given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  const text = typeof given === 'string' ? given : '';
  const ms = /^\d{1,16}$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\d/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (!(ms <= MAX_TIME_MS))
    throw invalidField(
      '?since',
      'milliseconds since the epoch, or a time such as 2026-01-31T12:00:00Z',
      given,
    );
  return ms;
}

function readLimit(given: string | string[] | undefined): number {
  if (given === undefined) return LIST_LIMIT;
  const limit = typeof given === 'string' && /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > MAX_LIST_LIMIT)
    throw invalidField('?limit', `a whole number from 1 to ${MAX_LIST_LIMIT}`, given);
  return limit;
}

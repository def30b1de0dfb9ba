/** What sensors of boards measure: taken in, told to those who listen, read back. */
import { checkDeviceId } from '../../devices/device-id.ts';
import type { Registry } from '../../devices/registry.ts';
import type { SensorData } from '../../devices/sensor-data.ts';
import { invalidField } from '../../errors.ts';
import type { Message } from '../../live/messages.ts';
import type { BodyReader } from '../body.ts';
import {
  ListQuery,
  listReadingsDescription,
  Reading,
  SINCE_WORDS,
  takeReadingDescription,
} from '../descriptions/measurements.ts';
import { readJsonObject } from '../read-fields.ts';
import { readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { validate } from '../validate.ts';

export interface IngestDependencies {
  readonly sensorData: SensorData;
  readonly registry: Pick<Registry, 'heard'>;
  readonly bodies: BodyReader;
  readonly publish: (message: Message) => void;
}

/** The largest time that a Date holds. */
const MAX_TIME_MS = 8.64e15;

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
    const { deviceId, since, limit, buckets } = readQuery(ctx, ListQuery);
    ctx.set('Cache-Control', 'no-store');
    if (buckets !== undefined) {
      if (deviceId === undefined) throw invalidField('?deviceId', 'the id of a device, with ?buckets', null);
      if (since === undefined) throw invalidField('?since', SINCE_WORDS, null);
      ctx.body = {
        success: true,
        data: await averages(checkDeviceId(deviceId, '?deviceId'), since, buckets),
      };
      return;
    }
    const readings = await sensorData.list({
      deviceId: deviceId === undefined ? undefined : checkDeviceId(deviceId, '?deviceId'),
      sinceMs: since === undefined ? undefined : readTime(since),
      limit,
    });
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

  async function averages(deviceId: string, since: string, buckets: number) {
    const found = await sensorData.averages({ deviceId, sinceMs: readTime(since), buckets });
    return found.map(({ id, readings, receivedMs, means, least, most }) => ({
      id,
      deviceId,
      receivedAt: new Date(receivedMs).toISOString(),
      data: means,
      readings,
      least,
      most,
    }));
  }

  const common = { path: '/api/v1/ingest/sensor-data', frequent: true } as const;
  return [
    { ...common, method: 'POST', access: 'board', description: takeReadingDescription, handle: take },
    { ...common, method: 'GET', access: 'key', description: listReadingsDescription, handle: list },
  ];
}

/** Milliseconds since the epoch, or ISO 8601. */
function readTime(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!(ms <= MAX_TIME_MS)) throw invalidField('?since', SINCE_WORDS, text);
  return ms;
}

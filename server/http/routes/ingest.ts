/** What sensors of boards measure: taken in, told to those who listen, read back. */
import Type from 'typebox';
import { checkDeviceId } from '../../devices/device-id.ts';
import type { Registry } from '../../devices/registry.ts';
import type { SensorData } from '../../devices/sensor-data.ts';
import { invalidField } from '../../errors.ts';
import type { Message } from '../../live/messages.ts';
import type { BodyReader } from '../body.ts';
import { readJsonObject } from '../read-fields.ts';
import { readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { json, type RouteDescription, time } from '../route-description.ts';
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

const SINCE_WORDS = 'milliseconds since the epoch, or a time such as 2026-01-31T12:00:00Z';

const Reading = Type.Object({
  deviceId: Type.String({ expected: 'the id of the device' }),
  timestamp: Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 64 })], {
    expected: 'a number or a text',
    description: "The board's own time, in its own unit",
  }),
});

const ListQuery = Type.Object({
  deviceId: Type.Optional(Type.String({ description: 'Only what this board measured' })),
  since: Type.Optional(
    Type.String({
      pattern: '^(\\d{1,16}|\\d{4}-\\d\\d-\\d\\d.*)$',
      expected: SINCE_WORDS,
      description: 'Only what came at this time or later',
    }),
  ),
  limit: Type.Integer({
    default: LIST_LIMIT,
    minimum: 1,
    maximum: MAX_LIST_LIMIT,
    expected: `a whole number from 1 to ${MAX_LIST_LIMIT}`,
    description: 'Most readings in the answer, the newest first',
  }),
});

const Data = Type.Record(Type.String(), Type.Unknown(), { description: 'As the board sent it' });

const takeDescription: RouteDescription = {
  operationId: 'addSensorReading',
  summary: 'Stores what a board measured',
  details: 'All fields are kept as they came and told to WebSocket clients as `sensor-data`.',
  tag: 'boards',
  body: { content: { 'application/json': Reading } },
  answers: {
    200: json(
      Type.Object({ success: Type.Literal(true), message: Type.String(), data: Data }),
      'It is stored.',
    ),
  },
  errors: { 400: ['MALFORMED_JSON', 'JSON_TOO_DEEP', 'NOT_UTF8'] },
};

const listDescription: RouteDescription = {
  operationId: 'listSensorReadings',
  summary: 'Reads back what boards measured, the newest first',
  tag: 'boards',
  query: ListQuery,
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        data: Type.Array(
          Type.Object({
            id: Type.Integer(),
            deviceId: Type.String(),
            receivedAt: time("When it came, by this server's clock"),
            data: Data,
          }),
        ),
      }),
      'The readings.',
    ),
  },
};

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
    const { deviceId, since, limit } = readQuery(ctx, ListQuery);
    const readings = await sensorData.list({
      deviceId: deviceId === undefined ? undefined : checkDeviceId(deviceId, '?deviceId'),
      sinceMs: since === undefined ? undefined : readTime(since),
      limit,
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

  const common = { path: '/api/v1/ingest/sensor-data', frequent: true } as const;
  return [
    { ...common, method: 'POST', access: 'board', description: takeDescription, handle: take },
    { ...common, method: 'GET', access: 'key', description: listDescription, handle: list },
  ];
}

/** Milliseconds since the epoch, or ISO 8601. */
function readTime(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!(ms <= MAX_TIME_MS)) throw invalidField('?since', SINCE_WORDS, text);
  return ms;
}

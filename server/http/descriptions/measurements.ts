import Type from 'typebox';
import { json, type RouteDescription, time } from '../route-description.ts';

const LIST_LIMIT = 100;
const MAX_LIST_LIMIT = 1000;
export const SINCE_WORDS = 'milliseconds since the epoch, or a time such as 2026-01-31T12:00:00Z';

export const Reading = Type.Object({
  deviceId: Type.String({ expected: 'the id of the device' }),
  timestamp: Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 64 })], {
    expected: 'a number or a text',
    description: "The board's own time, in its own unit",
  }),
});

export const ListQuery = Type.Object({
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
  buckets: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_LIST_LIMIT,
      expected: `a whole number from 1 to ${MAX_LIST_LIMIT}`,
      description:
        'With `deviceId` and `since`: means in place of single readings, over so many equal parts of the time from the oldest of them until now; `limit` says nothing then',
    }),
  ),
});

const Numbers = Type.Record(Type.String(), Type.Number());

const Data = Type.Record(Type.String(), Type.Unknown(), { description: 'As the board sent it' });

export const takeReadingDescription: RouteDescription = {
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
};

export const listReadingsDescription: RouteDescription = {
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
            readings: Type.Optional(
              Type.Integer({
                description:
                  'With `buckets`, as the next two: how many came in this part. `data` then holds the mean of each number by its path (`air.humidity`), `id` is the newest, and `receivedAt` their mean time',
              }),
            ),
            least: Type.Optional(Numbers),
            most: Type.Optional(Numbers),
          }),
        ),
      }),
      'The readings.',
    ),
  },
};

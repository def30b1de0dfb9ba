import Type from 'typebox';
import { json, nullable, type RouteDescription } from '../route-description.ts';

const MAX_NAME_CHARACTERS = 128;

const text = (maximum: number) =>
  Type.String({ minLength: 1, maxLength: maximum, expected: `1 to ${maximum} printable characters` });
const number = (description: string) => Type.Number({ expected: 'a number', description });
const deviceId = Type.String({
  expected: 'the id of the device',
  description: 'The id that the board gives itself: 1 to 128 printable characters',
});

export const Registration = Type.Object({
  deviceId,
  deviceName: text(MAX_NAME_CHARACTERS),
  deviceType: Type.Optional(text(64)),
  ipAddress: Type.Optional(text(64)),
  capabilities: Type.Optional(
    Type.Array(text(64), { maxItems: 64, expected: 'an array of at most 64 texts' }),
  ),
});

export const Heartbeat = Type.Object({
  deviceId,
  uptime: Type.Optional(number("In the board's own unit")),
  freeHeap: Type.Optional(number('Bytes')),
  wifiRssi: Type.Optional(number('dBm')),
  status: Type.Optional(text(32)),
});

export const Command = Type.Object({
  command: Type.String({
    minLength: 1,
    maxLength: 64,
    expected: '1 to 64 printable characters',
    description: '`restart`, `ping`, `snapshot`, or any other name that the board knows',
  }),
  params: Type.Optional(Type.Unknown({ description: 'Handed to the board as it is' })),
});

export const DevicePath = Type.Object({ deviceId: Type.String({ description: 'Id of the board' }) });

const millisecondsOrNull = (description: string) => nullable(Type.Number({ description }));

const deviceFields = {
  id: Type.String(),
  deviceId: Type.String(),
  name: Type.String(),
  deviceName: Type.String(),
  type: Type.String(),
  deviceType: Type.String(),
  status: Type.String({
    description: '`online`, `offline`, `maintenance`, `unregistered`, or what the board said of itself',
  }),
  registered: Type.Boolean(),
  ipAddress: Type.String(),
  capabilities: Type.Array(Type.String()),
  uptime: Type.Number(),
  freeHeap: Type.Number({ description: 'Bytes' }),
  wifiRssi: nullable(Type.Number({ description: 'dBm' })),
  lastSeen: Type.Number({ description: 'Milliseconds since the epoch' }),
  lastHeartbeat: millisecondsOrNull('Milliseconds since the epoch'),
  errors: Type.Array(Type.String(), { description: 'The last ones, oldest first' }),
  errorCount: Type.Integer({ minimum: 0 }),
};

const Device = Type.Object(deviceFields, {
  title: 'Device',
  description: 'A board, in the words of both older services',
});

const forms = (schema: typeof Registration | typeof Heartbeat) => ({
  'application/json': schema,
  'application/x-www-form-urlencoded': schema,
  'multipart/form-data': schema,
});

export const registerDescription: RouteDescription = {
  operationId: 'registerDevice',
  summary: 'Registers a board, or updates what is known of it',
  tag: 'boards',
  body: { content: forms(Registration) },
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        message: Type.String(),
        ...deviceFields,
        device: Device,
      }),
      'It is registered. Its fields stand at the top, and again under `device`.',
    ),
  },
  errors: { 429: ['DEVICES_FULL'] },
};

export const heartbeatDescription: RouteDescription = {
  operationId: 'sendHeartbeat',
  summary: 'A sign of life of a board; the answer carries the commands that wait for it',
  details: 'A board that never registered is listed as `unregistered`. Each command is handed out once.',
  tag: 'boards',
  body: { content: forms(Heartbeat) },
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        message: Type.String(),
        status: Type.Literal('success'),
        commands: Type.Array(
          Type.Object({
            id: Type.Integer(),
            command: Type.String(),
            params: Type.Unknown(),
            timestamp: Type.Number({ description: 'When it was ordered, milliseconds since the epoch' }),
          }),
        ),
      }),
      'It is noted.',
    ),
  },
  errors: { 429: ['DEVICES_FULL'] },
};

export const listDevicesDescription: RouteDescription = {
  operationId: 'listDevices',
  summary: 'Lists the boards and their state',
  tag: 'boards',
  answers: {
    200: json(Type.Object({ success: Type.Literal(true), devices: Type.Array(Device) }), 'The boards.'),
  },
};

export const commandDescription: RouteDescription = {
  operationId: 'commandDevice',
  summary: 'Queues a command for the next heartbeat of a board',
  tag: 'boards',
  path: DevicePath,
  body: { content: { 'application/json': Command } },
  answers: {
    200: json(
      Type.Object({ success: Type.Literal(true), message: Type.String(), deviceStatus: Type.String() }),
      'It waits for the board.',
    ),
  },
  errors: { 404: ['NOT_FOUND'], 429: ['COMMANDS_FULL'] },
};

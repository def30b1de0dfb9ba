import Type from 'typebox';
import { bytes, json, nullable, type RouteDescription } from '../route-description.ts';
import { Face } from './face.ts';
import { Enhancement } from './frames.ts';

export const LastFrameQuery = Type.Object({
  name: Type.Optional(
    Type.String({
      expected: 'the file name of a frame',
      description: 'The frame of this name, as long as it is the newest or the one before',
    }),
  ),
});

const DevicePath = Type.Object({ deviceId: Type.String({ description: 'Id of the board' }) });

const LastFrame = {
  deviceId: Type.String(),
  name: Type.String({ description: 'File name of the stored picture' }),
  at: Type.Integer({ description: 'When it was stored, ms since the epoch' }),
  url: Type.String({ description: 'Where the stored picture is' }),
  width: Type.Integer(),
  height: Type.Integer(),
  faces: Type.Array(Face),
};

export const listLastFramesDescription: RouteDescription = {
  operationId: 'listLastFrames',
  summary: 'The last frame of each board since the start, those heard last first',
  tag: 'frames',
  answers: {
    200: json(
      Type.Object({ success: Type.Literal(true), data: Type.Array(Type.Object(LastFrame)) }),
      'The frames.',
    ),
  },
};

export const showLastFrameDescription: RouteDescription = {
  operationId: 'getLastFrame',
  summary: 'The last frame of a board: who is in it, what was estimated of it, and what was done to it',
  tag: 'frames',
  path: DevicePath,
  query: LastFrameQuery,
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        data: Type.Object({
          ...LastFrame,
          enhancement: nullable(Enhancement),
          sensor: Type.Record(Type.String(), Type.Unknown(), {
            description: 'What the headers say of the sensor',
          }),
          warnings: Type.Array(Type.String()),
          original: nullable(
            Type.Object({
              url: Type.String({ description: 'Where the frame as it came can be had as a JPEG' }),
              format: Type.String({ description: 'What the board sent' }),
              byteOrder: Type.Optional(Type.Enum(['BE', 'LE'])),
              bytes: Type.Integer(),
            }),
          ),
        }),
      }),
      'The frame.',
    ),
  },
  errors: { 404: ['NOT_FOUND'] },
};

export const originalFrameDescription: RouteDescription = {
  operationId: 'getOriginalFrame',
  summary: 'The last frame of a board as it came: unpacked, neither enhanced nor looked at',
  details: 'Kept in memory for the newest frames of all boards, within 64 MiB.',
  tag: 'frames',
  path: DevicePath,
  query: LastFrameQuery,
  answers: {
    200: { description: 'The picture.', content: { 'image/jpeg': bytes('The picture') } },
  },
  errors: { 404: ['NOT_FOUND', 'ORIGINAL_GONE'] },
};

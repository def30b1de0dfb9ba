import Type from 'typebox';
import { json, type RouteDescription } from '../route-description.ts';
import { FILE_ERRORS_BY_STATUS, fileAnswers, storedFile } from './frames.ts';

export const Wish = Type.Object({
  deviceId: Type.Optional(
    Type.String({ expected: 'the id of a device', description: 'Only frames of this board' }),
  ),
});

export const RecordingPath = Type.Object({
  filename: Type.String({ description: 'Plain name of the .mp4' }),
});

export const recordDescription: RouteDescription = {
  operationId: 'record',
  summary: 'Makes a video of the frames of the last 30 seconds',
  details: 'H.264 in an MP4, in the order and at the pace in which the frames came.',
  tag: 'recordings',
  query: Wish,
  body: {
    optional: true,
    content: {
      'application/json': Wish,
      'application/x-www-form-urlencoded': Wish,
      'multipart/form-data': Wish,
    },
  },
  answers: {
    200: json(
      Type.Union([
        Type.Object({
          success: Type.Literal(true),
          data: Type.Object({
            recordingId: Type.String(),
            frameCount: Type.Integer({ minimum: 1 }),
            videoUrl: Type.String(),
          }),
        }),
        Type.Object({ success: Type.Literal(false), message: Type.String() }),
      ]),
      'The video, or that there is no frame to make one of.',
    ),
  },
  errors: { 500: ['RECORDING_FAILED'], 503: ['FFMPEG_MISSING'], 507: ['RECORDINGS_FULL', 'STORAGE_FULL'] },
};

export const listRecordingsDescription: RouteDescription = {
  operationId: 'listRecordings',
  summary: 'Lists recordings, the newest first',
  tag: 'recordings',
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        data: Type.Array(storedFile('video', 'When it was made')),
      }),
      'The recordings.',
    ),
  },
};

export const removeRecordingDescription: RouteDescription = {
  operationId: 'removeRecording',
  summary: 'Deletes a recording',
  tag: 'recordings',
  path: RecordingPath,
  answers: {
    200: json(Type.Object({ success: Type.Literal(true), message: Type.String() }), 'It is deleted.'),
  },
  errors: { 404: ['NOT_FOUND'] },
};

export const serveRecordingDescription: RouteDescription = {
  operationId: 'getRecording',
  summary: 'A recording; a player can seek in it',
  tag: 'recordings',
  path: RecordingPath,
  answers: fileAnswers(['video/mp4'], 'The video'),
  errors: FILE_ERRORS_BY_STATUS,
};

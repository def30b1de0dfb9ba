import Type from 'typebox';
import { FrameHeaders } from '../frame-headers.ts';
import { bytes, json, nullable, type RouteDescription, time } from '../route-description.ts';
import { pictureOutcome } from './face.ts';
import { FILE_ERRORS, PICTURE_ERRORS } from './recognition.ts';

const LIST_LIMIT = 1000;
const MAX_LIST_LIMIT = 10_000;

export const FRAME_FILE_FIELDS = ['image'] as const;

export const FrameListQuery = Type.Object({
  limit: Type.Integer({
    default: LIST_LIMIT,
    minimum: 1,
    maximum: MAX_LIST_LIMIT,
    expected: `a whole number from 1 to ${MAX_LIST_LIMIT}`,
    description: 'Most frames in the answer, the newest first',
  }),
  deviceId: Type.Optional(
    Type.String({ expected: 'the id of a device', description: 'Only those of this device' }),
  ),
});

export const FramePath = Type.Object({ name: Type.String({ description: 'Name of the stored frame' }) });

export const FrameQuery = Type.Object({
  raw: Type.Boolean({
    default: false,
    expected: '1 or 0',
    description: 'The frame as it came, where KEEP_RAW_FRAMES is on',
  }),
});

export const Enhancement = Type.Object(
  {
    fromHeaders: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What the headers say of the sensor',
    }),
    noise: Type.Optional(
      Type.Object({
        method: Type.Enum(['dct', 'wiener'], { description: 'How noise was shrunk' }),
        source: Type.Enum(['headers', 'frame']),
        gain: Type.Number({ description: 'The gain whose noise the frame has' }),
        sigma: Type.Number({ description: 'Of (R + G + B) / 3 at middle grey, in 8-bit codes' }),
        spectrum: Type.Enum(['white', 'frame', 'learnt']),
      }),
    ),
    merged: Type.Optional(
      nullable(
        Type.Object({
          stillShare: Type.Number({
            description: 'Share of the picture that was merged with earlier frames',
          }),
          meanFrames: Type.Number({ description: 'Frames per cell, on average' }),
        }),
      ),
    ),
    gamma: Type.Optional(
      Type.Object(
        { source: Type.Enum(['headers', 'none']), applied: Type.Boolean() },
        {
          description:
            'Whether a gamma curve (exponent 1 / 2.2) was applied, as `X-Sensor-Gamma: 0` asks for',
        },
      ),
    ),
    whiteBalance: Type.Optional(
      Type.Object({
        source: Type.Enum(['headers', 'frame', 'none']),
        gains: Type.Array(Type.Number(), { minItems: 3, maxItems: 3, description: 'Of red, green and blue' }),
      }),
    ),
    exposureGain: Type.Optional(Type.Number({ description: 'Factor on values with their gamma' })),
    colourMatrixStrength: Type.Optional(Type.Number()),
    black: Type.Optional(
      Type.Number({ description: 'Codes taken off every channel: the grey that noise makes of black' }),
    ),
    legible: Type.Optional(
      Type.Boolean({
        description: 'False where faces can be found, but not told apart: very dark, and few frames merged',
      }),
    ),
    lift: Type.Optional(Type.Number({ description: 'How much dark parts were lifted' })),
    notBelieved: Type.Optional(
      Type.Array(Type.String(), { description: 'Hints that the frame contradicts' }),
    ),
  },
  { title: 'Enhancement', description: 'What was estimated or read from headers, and what was applied' },
);

export const streamDescription: RouteDescription = {
  operationId: 'sendFrame',
  summary: "Takes in a board's frame: stored, looked at, told to those who watch",
  details:
    'Raw: application/octet-stream with width, height and format in headers, exactly width x height x bytes per pixel long. A header of the sensor that cannot be read is ignored and named in `warnings`. Of one board only the newest frame waits.',
  tag: 'frames',
  headers: FrameHeaders,
  body: {
    content: {
      'application/octet-stream': bytes('A raw frame'),
      'multipart/form-data': Type.Object({
        image: bytes('The picture'),
        deviceId: Type.Optional(Type.String({ description: 'Id of the board, where no header says it' })),
      }),
      'image/jpeg': bytes('The picture'),
      'image/png': bytes('The picture'),
    },
  },
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        message: Type.String(),
        filename: Type.String(),
        url: Type.String({ description: 'Where the stored picture is' }),
        deviceId: Type.String(),
        recognitionStatus: Type.Enum(['recognized', 'unknown_face', 'no_faces']),
        ...pictureOutcome,
        enhancement: Enhancement,
        warnings: Type.Array(Type.String()),
      }),
      'The frame is stored.',
    ),
  },
  errors: {
    ...PICTURE_ERRORS,
    400: [...FILE_ERRORS, ...PICTURE_ERRORS[400], 'FRAME_LENGTH'],
    507: ['STORAGE_FULL'],
  },
};

/** One of a list of stored files. */
export const storedFile = (type: 'image' | 'video', createdAt: string) =>
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    url: Type.String(),
    createdAt: time(createdAt),
    size: Type.Integer({ description: 'Bytes' }),
    type: Type.Literal(type),
  });

export const listFramesDescription: RouteDescription = {
  operationId: 'listFrames',
  summary: 'Lists stored frames, the newest first',
  tag: 'frames',
  query: FrameListQuery,
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        data: Type.Array(storedFile('image', 'When it was stored')),
      }),
      'The frames.',
    ),
  },
};

const FileHeaders = Type.Object({
  'Accept-Ranges': Type.String(),
  ETag: Type.String(),
  'Last-Modified': Type.String(),
});

/** The answers of a route that serves a file: whole, unchanged, or a range of it. */
export const fileAnswers = (mediaTypes: readonly string[], what: string): RouteDescription['answers'] => {
  const content = Object.fromEntries(mediaTypes.map((type) => [type, bytes(what)]));
  return {
    200: { description: `${what}.`, content, headers: FileHeaders },
    206: {
      description: 'The range that was asked for.',
      content,
      headers: Type.Object({ ...FileHeaders.properties, 'Content-Range': Type.String() }),
    },
    304: { description: 'It has not changed.' },
  };
};

export const FILE_ERRORS_BY_STATUS = { 404: ['NOT_FOUND'], 416: ['RANGE_NOT_SATISFIABLE'] } as const;

export const serveFrameDescription: RouteDescription = {
  operationId: 'getFrame',
  summary: 'A stored frame',
  tag: 'frames',
  path: FramePath,
  query: FrameQuery,
  answers: fileAnswers(
    ['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'application/octet-stream'],
    'The picture',
  ),
  errors: { ...FILE_ERRORS_BY_STATUS, 404: ['NOT_FOUND', 'RAW_NOT_KEPT'] },
};

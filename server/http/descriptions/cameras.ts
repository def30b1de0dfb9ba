import Type from 'typebox';
import { contractTimeSchema, enveloped, json, type RouteDescription } from '../route-description.ts';
import { FILE_ERRORS_BY_STATUS, fileAnswers } from './frames.ts';

const SHORT_MAX = 2 ** 15 - 1;

const rtspUrl = Type.Optional(Type.String({ description: 'rtsp:// or rtsps://' }));

const cameraId = Type.Optional(
  Type.Integer({
    minimum: -SHORT_MAX - 1,
    maximum: SHORT_MAX,
    expected: `a whole number from ${-SHORT_MAX - 1} to ${SHORT_MAX}`,
    description: 'A camera that is known by its id; this or rtspUrl is needed',
  }),
);

export const TestConnectionQuery = Type.Object({ rtspUrl, cameraId });

export const CaptureFrameQuery = Type.Object({
  cameraId,
  rtspUrl,
  format: Type.Enum(['base64', 'file'], {
    default: 'base64',
    expected: 'base64 or file',
    description: 'The picture in the answer, or the name of a file',
  }),
});

export const PreviewPath = Type.Object({ name: Type.String({ description: 'Name of the file' }) });

const resolution = Type.Object({
  width: Type.Integer({ minimum: 1 }),
  height: Type.Integer({ minimum: 1 }),
});

export const testConnectionDescription: RouteDescription = {
  operationId: 'testCameraConnection',
  summary: 'Tries a camera: frame rate, resolution, how steady it is',
  details: 'A camera that gives nothing is an answer with `connected: false` and the reason, not an error.',
  tag: 'cameras',
  query: TestConnectionQuery,
  answers: {
    200: json(
      enveloped(
        Type.Union([
          Type.Object({
            rtspUrl: Type.String(),
            connected: Type.Literal(true),
            frameRate: Type.Union([Type.Number(), Type.Null()], { description: 'Frames a second' }),
            resolution,
            latency: Type.Number({ description: 'Milliseconds to the first frame' }),
            stability: Type.Enum(['stable', 'unstable', 'unknown']),
            testedAt: contractTimeSchema('Now'),
          }),
          Type.Object({
            rtspUrl: Type.String(),
            connected: Type.Literal(false),
            error: Type.String(),
            testedAt: contractTimeSchema('Now'),
          }),
        ]),
      ),
      'How it went.',
    ),
  },
  errors: { 400: ['RTSP_URL_REQUIRED'] },
};

const captured = {
  cameraId: Type.Optional(Type.Integer()),
  rtspUrl: Type.String(),
  resolution,
  capturedAt: contractTimeSchema('When the frame came'),
};

export const captureFrameDescription: RouteDescription = {
  operationId: 'captureFrame',
  summary: 'One picture of a camera',
  tag: 'cameras',
  query: CaptureFrameQuery,
  answers: {
    200: json(
      enveloped(
        Type.Union([
          Type.Object({
            ...captured,
            format: Type.Literal('base64'),
            image: Type.String({ description: 'data:image/jpeg;base64,...' }),
          }),
          Type.Object({
            ...captured,
            format: Type.Literal('file'),
            filePath: Type.String({ description: 'On the server' }),
            fileUrl: Type.String({ description: 'Where it can be fetched' }),
          }),
        ]),
      ),
      'The picture.',
    ),
  },
  errors: {
    400: ['CAMERA_ID_OR_RTSP_URL_REQUIRED'],
    404: ['CAMERA_NOT_FOUND'],
    500: ['FRAME_CAPTURE_FAILED'],
  },
};

export const previewFileDescription: RouteDescription = {
  operationId: 'getPreviewFile',
  summary: 'A picture that captureFrame stored',
  tag: 'cameras',
  path: PreviewPath,
  answers: fileAnswers(['image/jpeg'], 'The picture'),
  errors: FILE_ERRORS_BY_STATUS,
};

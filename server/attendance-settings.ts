/** The settings of the attendance API, its cameras, also those that are watched live, and its face videos: a part of server/settings.ts. */
import Type from 'typebox';
import { liveSettings } from './live-settings.ts';

const workedOut = (words: string) => ({ workedOut: words });

export const attendanceSettings = {
  FFMPEG_PATH: Type.Optional(
    Type.String({
      ...workedOut('the PATH, else the npm package'),
      pattern: '^/',
      expected: 'an absolute path',
      description: 'The ffmpeg that cameras, face videos and recordings go through',
    }),
  ),
  UPLOADS_DIR: Type.Optional(
    Type.String({
      ...workedOut('none: only addresses'),
      minLength: 1,
      description: 'Folder that `videoUrl` `/uploads/...` of the attendance API means',
    }),
  ),
  JAVA_BACKEND_URL: Type.Optional(
    Type.String({
      ...workedOut('none'),
      pattern: '^https?://',
      expected: 'an address that starts with http:// or https://',
      description:
        'The Java backend: the only host of callbacks and videos, and where a `cameraId` is looked up',
    }),
  ),
  ALLOWED_URL_HOSTS: Type.Array(Type.String({ pattern: '^[A-Za-z0-9.:[\\]-]{1,255}$' }), {
    default: [],
    ...workedOut('none'),
    expected: 'a list of hosts such as cdn.example.org,10.0.0.5:8080',
    description: 'Further hosts of callbacks and videos',
  }),
  ALLOW_PRIVATE_URLS: Type.Boolean({
    default: false,
    description: 'Also fetch videos from private addresses where no hosts are named; for test beds',
  }),
  CAMERA_LOOKUP_PATH: Type.String({
    default: '/api/v1/cameras/{cameraId}',
    pattern: '^/.*\\{cameraId\\}',
    expected: 'a path with {cameraId} in it',
    description: "Where the Java backend tells a camera's `rtspUrl`",
  }),
  MAX_SESSIONS: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 10_000,
    description: 'Most attendance sessions at a time',
  }),
  SESSION_MAX_HOURS: Type.Number({
    default: 12,
    exclusiveMinimum: 0,
    maximum: 168,
    description: 'Hours after which a session that nobody stops ends',
  }),
  SCAN_INTERVAL: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 3600,
    description: 'Seconds between scans where a session does not say',
  }),
  CALLBACK_MODE: Type.Enum(['every', 'first'], {
    default: 'every',
    description: 'Whether each recognition is told to the backend, or a student once a session',
  }),
  CALLBACK_EXPIRE_HOURS: Type.Number({
    default: 24,
    exclusiveMinimum: 0,
    maximum: 8760,
    description: 'Hours for which results wait for a backend that is away',
  }),
  MIN_FACE_PX: Type.Integer({
    default: 24,
    minimum: 8,
    maximum: 1000,
    description: 'Narrower faces of a session are counted, not judged',
  }),
  MIN_FACE_QUALITY: Type.Number({
    default: 0.25,
    minimum: 0,
    maximum: 1,
    description: 'Faces of a session below this quality are counted, not judged',
  }),
  MIN_VIDEO_QUALITY: Type.Number({
    default: 0.5,
    minimum: 0,
    maximum: 1,
    description: 'Face videos below this quality give no embedding',
  }),
  ...liveSettings,
};

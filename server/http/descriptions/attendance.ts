import Type from 'typebox';
import { ConfigBody, SESSION_LIMITS, SessionBody } from '../../../workers/session-body.ts';
import {
  contractTimeSchema,
  enveloped,
  json,
  nullable,
  type RouteDescription,
} from '../route-description.ts';

const count = (description?: string) => Type.Integer({ minimum: 0, ...(description ? { description } : {}) });

export const StopBody = Type.Object({
  slotId: Type.Integer({
    ...SESSION_LIMITS.slotId,
    expected: 'a whole number',
  }),
});

const Warning = Type.Object(
  {
    code: Type.Enum([
      'EMBEDDING_NOT_UNIT_LENGTH',
      'EMBEDDING_OF_ANOTHER_MODEL',
      'EMBEDDING_ZERO',
      'DUPLICATE_STUDENT',
    ]),
    message: Type.String(),
    students: count('How many students it is about'),
    userIds: Type.Array(Type.Integer(), { description: 'The first of them' }),
  },
  { title: 'SessionWarning' },
);

const sessionFields = {
  slotId: Type.Integer(),
  roomId: Type.Integer(),
  totalStudents: count(),
  totalCameras: count(),
  activeCameras: count('Cameras that give pictures'),
  failedCameras: count('The others; each is tried again as long as the session lives'),
};
const { similarityThreshold, scanInterval, minMargin, minSightings } = ConfigBody.properties;

export const startSessionDescription: RouteDescription = {
  operationId: 'startSession',
  summary: 'Starts to look for the students of a slot through the cameras of its room',
  details:
    'Answers when every camera has given a frame or given up. Results are posted to config.callbackUrl with the API key in X-API-Key; one that the backend did not take is sent again, also after a restart.',
  tag: 'attendance',
  body: { content: { 'application/json': SessionBody } },
  answers: {
    200: json(
      enveloped(
        Type.Object({
          ...sessionFields,
          config: Type.Object({ similarityThreshold: Type.Number(), scanInterval: Type.Integer() }),
          sessionStartedAt: contractTimeSchema('When it started'),
          warnings: Type.Optional(Type.Array(Warning, { description: 'What is odd, where something is' })),
        }),
      ),
      'The session runs.',
    ),
  },
  errors: {
    400: [
      'SLOT_ID_REQUIRED',
      'ROOM_ID_REQUIRED',
      'STUDENTS_REQUIRED',
      'CAMERAS_REQUIRED',
      'CONFIG_REQUIRED',
      'CALLBACK_URL_REQUIRED',
      'STUDENTS_EMPTY',
      'CAMERAS_EMPTY',
      'INVALID_EMBEDDING_DIMENSION',
      'INVALID_SIMILARITY_THRESHOLD',
      'INVALID_SCAN_INTERVAL',
      'INVALID_CALLBACK_URL',
      'CALLBACK_HOST_NOT_ALLOWED',
    ],
    409: ['SESSION_ALREADY_EXISTS'],
    429: ['MAX_SESSIONS_REACHED'],
    500: ['ALL_CAMERAS_FAILED'],
  },
};

export const stopSessionDescription: RouteDescription = {
  operationId: 'stopSession',
  summary: 'Ends the session of a slot',
  details: 'What has been found is sent first, for at most 10 seconds; the rest is sent later.',
  tag: 'attendance',
  body: { content: { 'application/json': StopBody } },
  answers: {
    200: json(
      enveloped(
        Type.Object({
          slotId: Type.Integer(),
          sessionDuration: count('Seconds'),
          totalRecognitions: count('Results that the backend took'),
          sessionStoppedAt: contractTimeSchema('When it ended'),
          pendingRecognitions: Type.Optional(count('Results that wait for the backend, where some do')),
        }),
      ),
      'The session has ended.',
    ),
  },
  errors: { 400: ['SLOT_ID_REQUIRED'], 404: ['SESSION_NOT_FOUND'] },
};

const SessionCameraStatus = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  active: Type.Boolean(),
  frameRate: nullable(Type.Number({ description: 'Frames a second' })),
  lastFrameAt: nullable(contractTimeSchema('When its last frame came')),
  error: nullable(Type.String({ description: 'Why it gives no pictures' })),
});

const ScanCounts = Type.Object({
  scans: count(),
  droppedScans: count('Frames that a newer one overtook'),
  faces: count(),
  recognized: count(),
  unknown: count(),
  uncertain: count('Too close to a second student'),
  tooSmall: count(),
  tooPoor: count(),
  recognitions: count('Results that went into the outbox'),
});

export const listSessionsDescription: RouteDescription = {
  operationId: 'listSessions',
  summary: 'Lists the sessions that run',
  tag: 'attendance',
  answers: {
    200: json(
      enveloped(
        Type.Object({
          sessions: Type.Array(
            Type.Object({
              ...sessionFields,
              config: Type.Object({ similarityThreshold, scanInterval, minMargin, minSightings }),
              sessionStartedAt: contractTimeSchema('When it started'),
              sessionDuration: count('Seconds'),
              totalRecognitions: count('Results that the backend took'),
              pendingRecognitions: count('Results that wait for the backend'),
              counts: ScanCounts,
              cameras: Type.Array(SessionCameraStatus),
              warnings: Type.Array(Warning),
            }),
          ),
        }),
      ),
      'The sessions.',
    ),
  },
};

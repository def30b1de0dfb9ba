import Type from 'typebox';
import { contractTimeSchema, enveloped, json, type RouteDescription } from '../route-description.ts';

const count = (description?: string) => Type.Integer({ minimum: 0, ...(description ? { description } : {}) });
const average = (description: string) => Type.Number({ minimum: 0, description });

export const Greeting = Type.Object({
  success: Type.Literal(true),
  message: Type.String(),
  service: Type.String(),
  version: Type.String(),
  status: Type.Literal('running'),
});

export const greetingDescription: RouteDescription = {
  operationId: 'greet',
  summary: 'Says that the server runs',
  tag: 'operation',
  answers: {
    200: json(Greeting, 'It runs.'),
  },
};

const Health = Type.Object(
  {
    status: Type.Enum(['healthy', 'unhealthy']),
    uptime: count('Seconds'),
    uptime_seconds: count('The same'),
    timestamp: Type.Number({ description: 'Milliseconds since the epoch' }),
    face_recognition_ready: Type.Boolean(),
    ssh_tunnel_active: Type.Boolean(),
    version: Type.String(),
    models: Type.Object({ detector: Type.String(), embedder: Type.String() }),
    provider: Type.Object({
      inUse: Type.Enum(['cuda', 'webgpu', 'cpu', 'wasm']),
      warmUpMs: Type.Number({ description: 'From the start of its threads to the first answer' }),
      refused: Type.Array(Type.Object({ provider: Type.String(), why: Type.String() })),
    }),
    threads: Type.Object({ total: count(), ready: count(), busy: count() }),
    queue: Type.Object({ depth: count('Pictures that wait for a thread') }),
    gallery: Type.Object({ persons: count(), pictures: count() }),
    database: Type.Object({ kind: Type.Enum(['embedded', 'server']), connected: Type.Boolean() }),
    errors: Type.Array(Type.String(), { description: 'Why no work can be done' }),
    degraded: Type.Array(Type.String(), {
      description: 'What does not work as it should, though work is done',
    }),
  },
  { title: 'Health' },
);

export const deviceHealthDescription: RouteDescription = {
  operationId: 'getHealth',
  summary: 'How the server is: models, provider, threads, queue, gallery, database',
  tag: 'operation',
  answers: { 200: json(Health, 'It is well.'), 503: json(Health, 'It is not; `errors` says why.') },
};

export const attendanceHealthDescription: RouteDescription = {
  operationId: 'getAttendanceHealth',
  summary: 'How the server is, in the words of the attendance API',
  tag: 'operation',
  answers: {
    200: json(
      enveloped(
        Type.Object({
          service: Type.String(),
          version: Type.String(),
          status: Type.Enum(['healthy', 'degraded']),
          uptime: count('Seconds'),
          activeSessions: count(),
          timestamp: contractTimeSchema('Now'),
        }),
      ),
      'It is well.',
    ),
    503: json(
      enveloped(
        Type.Object({ service: Type.String(), status: Type.Literal('unhealthy'), error: Type.String() }),
        503,
      ),
      'It is not.',
    ),
  },
};

export const systemStatusDescription: RouteDescription = {
  operationId: 'getSystemStatus',
  summary: 'Boards online, commands, load',
  tag: 'operation',
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        status: Type.Object({
          devicesOnline: count(),
          devicesTotal: count(),
          systemUptime: count('Seconds'),
          totalCommandsSent: count(),
          totalCommandsFailed: count(),
          backendConnected: Type.Boolean({
            description: "Whether the attendance backend's last call was answered",
          }),
          lastBackendSync: Type.Union([Type.String(), Type.Null()]),
          systemLoad: Type.Number({ minimum: 0, maximum: 1, description: "Share of the processors' time" }),
        }),
      }),
      'All of it measured.',
    ),
  },
};

export const metricsJsonDescription: RouteDescription = {
  operationId: 'getMetrics',
  summary: 'Figures of the attendance API',
  tag: 'operation',
  details: 'Answers with the text format of Prometheus where `Accept` asks for `text/plain`.',
  answers: {
    200: {
      description: 'The figures, 0 where nothing was counted yet.',
      content: {
        'text/plain': Type.String(),
        'application/json': enveloped(
          Type.Object({
            service: Type.Object({
              uptime: count('Seconds'),
              activeSessions: count(),
              totalSessionsToday: count(),
            }),
            recognition: Type.Object({
              totalRecognitions: count(),
              averageConfidence: average('Similarity'),
              averageProcessingTime: average('Seconds a frame'),
              recognitionRate: average('Recognised faces, of all that were tried'),
            }),
            embedding: Type.Object({
              totalGenerated: count(),
              averageQuality: average('0 to 1'),
              averageProcessingTime: average('Seconds a video'),
              successRate: average('Of all videos'),
            }),
            cameras: Type.Object({
              totalCameras: count(),
              activeCameras: count(),
              failedCameras: count(),
              averageFrameRate: average('Frames a second'),
            }),
            timestamp: contractTimeSchema('Now'),
          }),
        ),
      },
    },
  },
};

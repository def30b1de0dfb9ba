/**
 * The body of process-session: the limits that `session-request.ts` applies, and the schema that is documented, made from the same
 * limits. The order of the checks and their codes are the contract's, which no schema can say.
 */
import Type from 'typebox';

const INT_MAX = 2 ** 31 - 1;
const SHORT_MAX = 2 ** 15 - 1;

export const SESSION_LIMITS = {
  slotId: { minimum: -INT_MAX - 1, maximum: INT_MAX },
  /** Of rooms and cameras. */
  shortId: { minimum: -SHORT_MAX - 1, maximum: SHORT_MAX },
  userId: { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  embeddingVersion: { minimum: 0, maximum: INT_MAX },
  /** Beyond it the squares of 512 numbers would leave single precision. */
  vectorElement: { minimum: -1e15, maximum: 1e15 },
  vector: { minItems: 512, maxItems: 512 },
  students: { minItems: 1, maxItems: 10_000 },
  cameras: { minItems: 1, maxItems: 64 },
  text: { maxLength: 1000 },
  url: { maxLength: 2000 },
  similarityThreshold: { minimum: 0, maximum: 1 },
  /** Seconds. */
  scanInterval: { minimum: 1, maximum: 3600 },
  minMargin: { minimum: 0, maximum: 1, default: 0 },
  minSightings: { minimum: 1, maximum: 100, default: 1 },
} as const;

const limits = SESSION_LIMITS;
const text = (description: string) => Type.String({ ...limits.text, description });

const StudentBody = Type.Object(
  {
    userId: Type.Integer({ ...limits.userId, description: 'Id of the student' }),
    fullName: text('For the log'),
    rollNumber: text('For the log'),
    embeddingVector: Type.Array(Type.Number(limits.vectorElement), {
      ...limits.vector,
      description: 'Brought to length 1; one that cannot come from the model in use is warned of',
    }),
    embeddingVersion: Type.Integer(limits.embeddingVersion),
  },
  { title: 'Student' },
);

const CameraBody = Type.Object(
  {
    id: Type.Integer({ ...limits.shortId, description: 'Another one for each camera' }),
    name: text('For the log'),
    rtspUrl: Type.String({ minLength: 1, ...limits.url, description: 'rtsp:// or rtsps://' }),
  },
  { title: 'SessionCamera' },
);

export const ConfigBody = Type.Object({
  similarityThreshold: Type.Optional(
    Type.Number({
      ...limits.similarityThreshold,
      description: 'Least cosine similarity of a match; SIMILARITY_THRESHOLD without it',
    }),
  ),
  scanInterval: Type.Optional(
    Type.Integer({
      ...limits.scanInterval,
      description: 'Seconds between two scans of a camera; SCAN_INTERVAL without it',
    }),
  ),
  callbackUrl: Type.String({ ...limits.url, description: 'Where results are posted' }),
  minMargin: Type.Optional(
    Type.Number({
      ...limits.minMargin,
      description: 'Closer to the second student than this, a face is uncertain',
    }),
  ),
  minSightings: Type.Optional(
    Type.Integer({
      ...limits.minSightings,
      description: 'So many scans have to agree before a result goes out',
    }),
  ),
});

export const SessionBody = Type.Object({
  slotId: Type.Integer({ ...limits.slotId, description: 'Slot that the session is for' }),
  roomId: Type.Integer({ ...limits.shortId, description: 'Room of the cameras' }),
  students: Type.Array(StudentBody, limits.students),
  cameras: Type.Array(CameraBody, limits.cameras),
  config: ConfigBody,
});

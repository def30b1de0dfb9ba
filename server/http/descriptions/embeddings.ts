import Type from 'typebox';
import { bytes, enveloped, json, type RouteDescription } from '../route-description.ts';

const MAX_VIDEO_URL_CHARACTERS = 4096;

export const GenerateBody = Type.Object({
  videoUrl: Type.String({
    minLength: 1,
    maxLength: MAX_VIDEO_URL_CHARACTERS,
    expected: `text of at most ${MAX_VIDEO_URL_CHARACTERS} characters`,
    description: 'A path below /uploads/, or an http or https URL on an allowed host',
  }),
  submissionId: Type.Integer({
    minimum: Number.MIN_SAFE_INTEGER,
    maximum: Number.MAX_SAFE_INTEGER,
    expected: 'a whole number',
    description: 'Given back in the answer',
  }),
});

const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const count = () => Type.Integer({ minimum: 0 });

export const generateDescription: RouteDescription = {
  operationId: 'generateEmbedding',
  summary: 'Makes the embedding of the person in a face video',
  tag: 'embeddings',
  body: { content: { 'application/json': GenerateBody } },
  answers: {
    200: json(
      enveloped(
        Type.Object({
          submissionId: Type.Integer(),
          embeddingVector: Type.Array(Type.Number(), {
            minItems: 512,
            maxItems: 512,
            description: 'Unit length: plain cosine compares it',
          }),
          quality: share('Of the faces that it was made of'),
          faceDetected: Type.Literal(true),
          totalFrames: count(),
          framesWithFace: count(),
          processingTime: Type.Number({ minimum: 0, description: 'Seconds' }),
          embeddingModel: Type.String({ description: 'Only vectors of one model compare' }),
        }),
      ),
      'The embedding.',
    ),
  },
  errors: {
    400: [
      'VIDEO_URL_REQUIRED',
      'SUBMISSION_ID_REQUIRED',
      'INVALID_VIDEO_URL',
      'NO_FACE_DETECTED',
      'LOW_QUALITY_FACE',
      'MULTIPLE_FACES',
    ],
    404: ['VIDEO_FILE_NOT_FOUND'],
    500: ['VIDEO_PROCESSING_FAILED'],
  },
};

export const validateDescription: RouteDescription = {
  operationId: 'validateFaceVideo',
  summary: 'Tells how good a face video is, and what to do better',
  tag: 'embeddings',
  body: {
    content: {
      'multipart/form-data': Type.Object({ video: bytes('MP4, MOV or AVI, at most 50 MB') }),
    },
  },
  answers: {
    200: json(
      enveloped(
        Type.Object({
          quality: share('Of the whole video'),
          faceDetected: Type.Literal(true),
          isAcceptable: Type.Boolean({ description: 'At least 0.70' }),
          metrics: Type.Object({
            faceSize: share('1 from about 30 % of the frame on'),
            clarity: share('How sharp'),
            lighting: share('How well lit'),
            faceAngle: share('1 from the front'),
          }),
          feedback: Type.Array(Type.String()),
        }),
      ),
      'The judgement.',
    ),
  },
  errors: {
    400: ['VIDEO_FILE_REQUIRED', 'FILE_TOO_LARGE', 'INVALID_FILE_FORMAT', 'NO_FACE_DETECTED'],
    500: ['VIDEO_PROCESSING_FAILED'],
  },
};

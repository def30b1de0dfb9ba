/** Face videos of the attendance API: an embedding of one, and whether one is good enough. */
import { rm } from 'node:fs/promises';
import type { FaceVideos } from '../../attendance/face-videos.ts';
import { badRequest } from '../../errors.ts';
import type { BodyReader } from '../body.ts';
import { GenerateBody, generateDescription, validateDescription } from '../descriptions/embeddings.ts';
import { readJsonObject } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { receiveFile } from '../upload-file.ts';
import { validate } from '../validate.ts';

export interface EmbeddingDependencies {
  readonly videos: FaceVideos;
  /** Id of the embedder in use. */
  readonly embedderId: () => string;
  /** Uploads lie here while they are looked at. */
  readonly uploadFolder: string;
  readonly bodies: BodyReader;
}

const MAX_VIDEO_BYTES = 50 * 1024 * 1024;

export function embeddingRoutes({
  videos,
  embedderId,
  uploadFolder,
  bodies,
}: EmbeddingDependencies): Route[] {
  async function generate(ctx: Context): Promise<void> {
    const body = await readJsonObject(ctx, bodies);
    if (isMissing(body.videoUrl) || body.videoUrl === '')
      throw badRequest('VIDEO_URL_REQUIRED', 'Video URL is required');
    if (isMissing(body.submissionId)) throw badRequest('SUBMISSION_ID_REQUIRED', 'Submission ID is required');
    const { videoUrl, submissionId } = validate(GenerateBody, body);
    const model = embedderId();
    const made = await videos.embed(videoUrl, signalOf(ctx));
    ctx.body = {
      status: 200,
      message: 'Face embedding generated successfully',
      data: {
        submissionId,
        embeddingVector: Array.from(made.embedding),
        quality: made.quality,
        faceDetected: true,
        totalFrames: made.totalFrames,
        framesWithFace: made.framesWithFace,
        processingTime: made.processingS,
        embeddingModel: model,
      },
    };
  }

  async function validateVideo(ctx: Context): Promise<void> {
    const file = await receiveFile(ctx, {
      field: 'video',
      folder: uploadFolder,
      maxBytes: MAX_VIDEO_BYTES,
      tooLarge: () => badRequest('FILE_TOO_LARGE', 'Video file exceeds maximum size of 50MB'),
    });
    if (file === null) throw badRequest('VIDEO_FILE_REQUIRED', 'Video file is required');
    try {
      const { quality, isAcceptable, metrics, feedback } = await videos.validate(file.path, signalOf(ctx));
      ctx.body = {
        status: 200,
        message: isAcceptable ? 'Video quality is good' : 'Video quality needs improvement',
        data: { quality, faceDetected: true, isAcceptable, metrics, feedback },
      };
    } finally {
      await rm(file.path, { force: true });
    }
  }

  const common = { method: 'POST', access: 'always', envelope: 'attendance' } as const;
  return [
    { ...common, path: '/api/v1/embeddings/generate', description: generateDescription, handle: generate },
    {
      ...common,
      path: '/api/v1/embeddings/validate',
      description: validateDescription,
      handle: validateVideo,
    },
  ];
}

const isMissing = (value: unknown): boolean => value === undefined || value === null;

/** Fires when the client leaves before its answer. */
function signalOf(ctx: Context): AbortSignal {
  const leaving = new AbortController();
  ctx.res.once('close', () => leaving.abort());
  return leaving.signal;
}

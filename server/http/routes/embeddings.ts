/** Face videos of the attendance API: an embedding of one, and whether one is good enough. */
import { rm } from 'node:fs/promises';
import type { FaceVideos } from '../../attendance/face-videos.ts';
import { badRequest, invalidField } from '../../errors.ts';
import type { BodyReader } from '../body.ts';
import { readJsonObject } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { receiveFile } from '../upload-file.ts';

export interface EmbeddingDependencies {
  readonly videos: FaceVideos;
  /** Id of the embedder in use. */
  readonly embedderId: () => string;
  /** Uploads lie here while they are looked at. */
  readonly uploadFolder: string;
  readonly bodies: BodyReader;
}

const MAX_VIDEO_BYTES = 50 * 1024 * 1024;
const MAX_VIDEO_URL_CHARACTERS = 4096;

export function embeddingRoutes({
  videos,
  embedderId,
  uploadFolder,
  bodies,
}: EmbeddingDependencies): Route[] {
  async function generate(ctx: Context): Promise<void> {
    const { videoUrl, submissionId } = await readJsonObject(ctx, bodies);
    if (videoUrl === undefined || videoUrl === null || videoUrl === '')
      throw badRequest('VIDEO_URL_REQUIRED', 'Video URL is required');
    if (submissionId === undefined || submissionId === null)
      throw badRequest('SUBMISSION_ID_REQUIRED', 'Submission ID is required');
    if (typeof videoUrl !== 'string' || videoUrl.length > MAX_VIDEO_URL_CHARACTERS)
      throw invalidField('videoUrl', `text of at most ${MAX_VIDEO_URL_CHARACTERS} characters`, videoUrl);
    if (!Number.isSafeInteger(submissionId))
      throw invalidField('submissionId', 'a whole number', submissionId);
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

  async function validate(ctx: Context): Promise<void> {
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
    { ...common, path: '/api/v1/embeddings/generate', handle: generate },
    { ...common, path: '/api/v1/embeddings/validate', handle: validate },
  ];
}

/** Fires when the client leaves before its answer. */
function signalOf(ctx: Context): AbortSignal {
  const leaving = new AbortController();
  ctx.res.once('close', () => leaving.abort());
  return leaving.signal;
}

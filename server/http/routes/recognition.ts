/** POST /recognize and POST /api/v1/recognize: who is in this picture? */
import type { BodyReader } from '../body.ts';
import {
  olderRecognizeDescription,
  RECOGNIZE_FILE_FIELDS,
  RecognizeQuery,
  recognizeDescription,
} from '../descriptions/recognition.ts';
import type { PictureOutcome } from '../face-view.ts';
import { type LookDependencies, lookAt } from '../look-at.ts';
import { readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { readPicture } from '../upload.ts';

export interface RecognitionDependencies extends LookDependencies {
  readonly bodies: BodyReader;
}

export function recognitionRoutes(dependencies: RecognitionDependencies): Route[] {
  const { recognizer, bodies } = dependencies;

  async function recognize(ctx: Context): Promise<void> {
    const { annotate } = readQuery(ctx, RecognizeQuery);
    const { bytes } = await readPicture(ctx, bodies, RECOGNIZE_FILE_FIELDS);
    const startedMs = performance.now();
    const input = { kind: 'encoded', bytes } as const;
    const { result, outcome } = await lookAt(dependencies, input, { jpegQuality: null });
    ctx.set('Cache-Control', 'no-store');
    if (annotate) {
      const { jpeg } = await recognizer.annotate({ input, faces: labelled(outcome) });
      ctx.type = 'image/jpeg';
      ctx.body = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
      return;
    }
    const { status, recognizedAs, confidence, faces } = outcome;
    ctx.body = {
      success: true,
      status,
      recognizedAs,
      confidence,
      faces_detected: faces.length,
      processing_time: secondsSince(startedMs),
      width: result.width,
      height: result.height,
      faces,
    };
  }

  return [
    {
      method: 'POST',
      path: '/recognize',
      access: 'board',
      description: olderRecognizeDescription,
      handle: recognize,
    },
    {
      method: 'POST',
      path: '/api/v1/recognize',
      access: 'board',
      description: recognizeDescription,
      handle: recognize,
    },
  ];
}

export function secondsSince(startedMs: number): number {
  return Math.round(performance.now() - startedMs) / 1000;
}

function labelled(outcome: PictureOutcome) {
  return outcome.faces.map(({ box, landmarks, recognizedAs, similarity }) => ({
    box,
    landmarks,
    known: recognizedAs !== null,
    label: recognizedAs === null ? 'unknown' : `${recognizedAs} ${similarity?.toFixed(2) ?? ''}`.trim(),
  }));
}

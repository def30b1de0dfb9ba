/** POST /recognize and POST /api/v1/recognize: who is in this picture? */
import { invalidField } from '../../errors.ts';
import type { BodyReader } from '../body.ts';
import type { PictureOutcome } from '../face-view.ts';
import { type LookDependencies, lookAt } from '../look-at.ts';
import type { Context, Route } from '../route.ts';
import { readPicture } from '../upload.ts';

export interface RecognitionDependencies extends LookDependencies {
  readonly bodies: BodyReader;
}

export function recognitionRoutes(dependencies: RecognitionDependencies): Route[] {
  const { recognizer, bodies } = dependencies;

  async function recognize(ctx: Context): Promise<void> {
    const annotate = readSwitch(ctx, 'annotate');
    const { bytes } = await readPicture(ctx, bodies, ['image', 'file']);
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
    { method: 'POST', path: '/recognize', access: 'board', handle: recognize },
    { method: 'POST', path: '/api/v1/recognize', access: 'board', handle: recognize },
  ];
}

/** A query parameter that is on or off: `1`, `true` or empty (`?annotate`), `0` or `false`. */
export function readSwitch(ctx: Context, name: string): boolean {
  const value = ctx.query[name];
  if (value === undefined || value === '0' || value === 'false') return false;
  if (value === '' || value === '1' || value === 'true') return true;
  throw invalidField(`?${name}`, '1 or 0', value);
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

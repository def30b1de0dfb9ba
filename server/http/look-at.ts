/** Has the threads look at a picture, and says who is in it. */
import type { AnalyseResult, EncodedPicture, RawFrame } from '../../workers/protocol.ts';
import type { Metrics } from '../metrics.ts';
import type { Gallery } from '../recognition/gallery.ts';
import type { Recognizer } from '../recognition/recognizer.ts';
import { type PictureOutcome, presentFaces } from './face-view.ts';

export interface LookDependencies {
  readonly recognizer: Recognizer;
  readonly gallery: Gallery;
  readonly metrics: Metrics;
}

export interface LookOptions {
  /** Quality of the upright JPEG to give back, or null for none. */
  readonly jpegQuality: number | null;
  /** Spares faces whose name is beyond doubt their second embedding (workers/protocol.ts): for those who send many pictures. */
  readonly onlyNames?: boolean;
  /** Who sends it: a newer picture of the same source overtakes one that waits. */
  readonly source?: string;
}

export async function lookAt(
  { recognizer, gallery, metrics }: LookDependencies,
  input: EncodedPicture | RawFrame,
  { jpegQuality, onlyNames = false, source }: LookOptions,
): Promise<{ result: AnalyseResult; outcome: PictureOutcome }> {
  return gallery.withIndex(async (index) => {
    const threshold = onlyNames ? gallery.threshold() : undefined;
    const task = { input, index, returnEmbeddings: false, jpegQuality, threshold } as const;
    const result = await recognizer.analyse(task, source);
    const outcome = presentFaces(result, gallery.decide);
    metrics.recognitions.inc({ result: outcome.status });
    for (const { similarity, recognizedAs } of outcome.faces)
      if (similarity !== null)
        metrics.gallerySimilarity.observe(
          { result: recognizedAs === null ? 'unnamed' : 'named' },
          similarity,
        );
    return { result, outcome };
  });
}

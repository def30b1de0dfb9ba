/** After a change of the embedder: its embeddings of the pictures that are stored. */
import type { Box } from '../../workers/protocol.ts';
import { forEachPicture, withPatience } from './background-pictures.ts';
import { type EnrolmentFace, faceAt, onlyFace, withEmbedding } from './enrolment.ts';
import type { GalleryStore, StoredPicture } from './gallery-store.ts';
import type { Recognizer } from './recognizer.ts';

export interface ReembedProgress {
  readonly done: number;
  readonly total: number;
}

export interface ReembedReport {
  readonly embedded: number;
  /** Kept, not deleted: another model, or a better picture, may help. */
  readonly failed: readonly {
    readonly name: string;
    readonly fileName: string;
    readonly reason: string;
  }[];
}

export interface ReembedOptions {
  readonly store: Pick<GalleryStore, 'picturesWithout'>;
  readonly modelId: string;
  readonly recognizer: Pick<Recognizer, 'analyse'>;
  readonly read: (fileName: string) => Promise<Uint8Array>;
  /** Stores the embedding and takes it into use; false where the person was deleted meanwhile. */
  readonly keep: (picture: StoredPicture, embedding: Float32Array) => Promise<boolean>;
  readonly onProgress?: (progress: ReembedProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Embeds every stored picture that has no embedding of the model. Stopped half way, it goes on at the next start. The quality gate is
 * not asked again: these pictures were accepted once, and an operator's list of people must not shrink by a change of model.
 */
export async function reembed(options: ReembedOptions): Promise<ReembedReport> {
  const { store, modelId, onProgress, signal } = options;
  const pictures = await store.picturesWithout(modelId);
  const failed: { name: string; fileName: string; reason: string }[] = [];
  let embedded = 0;
  let done = 0;
  if (pictures.length > 0) onProgress?.({ done, total: pictures.length });
  await forEachPicture(pictures, signal, async (picture) => {
    try {
      const bytes = await options.read(picture.fileName);
      const { embedding } = await withPatience(signal, () =>
        embedFace(options.recognizer, bytes, picture.box),
      );
      if (await options.keep(picture, embedding)) embedded++;
    } catch (error) {
      failed.push({ name: picture.name, fileName: picture.fileName, reason: (error as Error).message });
    }
    done++;
    onProgress?.({ done, total: pictures.length });
  });
  return { embedded, failed };
}

/**
 * @param box where the face is that is meant; null where the picture has to show one person only
 * @throws ServerError as Recognizer.analyse, faceAt and onlyFace do
 */
export async function embedFace(
  recognizer: Pick<Recognizer, 'analyse'>,
  bytes: Uint8Array,
  box: Box | null,
): Promise<EnrolmentFace> {
  const { faces } = await recognizer.analyse({
    input: { kind: 'encoded', bytes },
    index: null,
    returnEmbeddings: true,
    jpegQuality: null,
  });
  return box === null ? onlyFace(faces) : withEmbedding(faceAt(faces, box));
}

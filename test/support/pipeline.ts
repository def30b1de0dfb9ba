/** The pipeline in this thread, on the CPU: for tests and benches that look inside. */
import { createPixelKernels } from '../../kernels/kernels.ts';
import { decodePicture } from '../../workers/decode.ts';
import { createMatcher } from '../../workers/match.ts';
import { openModels } from '../../workers/models.ts';
import { type FoundFaces, findFaces, type PipelineParts } from '../../workers/pipeline.ts';
import type { AnalyseTask, ModelSelection, PictureLimits, ProviderName } from '../../workers/protocol.ts';
import { createGraphOpener } from '../../workers/session.ts';

export const EMBEDDED_PACK: ModelSelection = {
  detector: { id: 'ssd-mobilenet-v1', path: null },
  embedder: { id: 'dlib-resnet-v1', path: null },
};

export const withYunet = (path: string): ModelSelection => ({
  ...EMBEDDED_PACK,
  detector: { id: 'yunet-n', path },
});

export const TEST_LIMITS: PictureLimits = { maxPixels: 50e6, maxFaces: 100 };

export async function openPipeline(
  models: ModelSelection,
  provider: ProviderName = 'cpu',
): Promise<PipelineParts> {
  return {
    kernels: await createPixelKernels('simd'),
    ...(await openModels(await createGraphOpener(provider), models)),
    matcher: createMatcher(),
    limits: TEST_LIMITS,
  };
}

export async function findFacesIn(
  parts: PipelineParts,
  bytes: Uint8Array,
  how: Pick<AnalyseTask, 'smallFaces' | 'view'> = {},
): Promise<FoundFaces> {
  const { picture, width } = await decodePicture(bytes, parts.limits);
  return findFaces(parts, picture, width / picture.width, { index: null, returnEmbeddings: true, ...how });
}

export function cosine(first: Float32Array, second: Float32Array): number {
  let dot = 0;
  for (let i = 0; i < first.length; i++) dot += first[i]! * second[i]!;
  return dot;
}

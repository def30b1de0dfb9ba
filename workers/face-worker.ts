/** The work of one thread: one task in, one answer out. Setup happens once, before the first task. */
import { threadId } from 'node:worker_threads';
import { createEnhancer, type Enhancer } from '../kernels/enhance.ts';
import type { EnhancementReport } from '../kernels/enhancement-report.ts';
import { FrameHistory } from '../kernels/frame-history.ts';
import { createJpegEncoder, type JpegEncoder } from '../kernels/jpeg-encoder.ts';
import { createPixelKernels } from '../kernels/kernels.ts';
import type { Picture, PixelKernels, Yuv420Picture } from '../kernels/picture.ts';
import { annotatePicture } from './annotate.ts';
import { cropPicture } from './crop.ts';
import { configureSharp, decodePicture, PictureError } from './decode.ts';
import { createDeviceOpener } from './device.ts';
import { EnhancedPixels } from './enhanced-pixels.ts';
import { createMatcher } from './match.ts';
import { openModels } from './models.ts';
import { findFaces, type PipelineParts } from './pipeline.ts';
import type {
  AnalyseResult,
  AnalyseTask,
  EncodedPicture,
  RawFrame,
  VideoPicture,
  WorkerAnswer,
  WorkerFailure,
  WorkerSetup,
  WorkerTask,
} from './protocol.ts';
import { createGraphOpener, ProviderError } from './session.ts';

interface WorkerParts extends PipelineParts {
  readonly enhancer: Enhancer;
  readonly enhanced: EnhancedPixels;
  readonly jpegEncoder: JpegEncoder;
}

export type FaceWorker = (task: WorkerTask) => Promise<WorkerAnswer>;

/**
 * Builds everything a thread needs. A provider that cannot load does not stop the thread, which would only be started again:
 * every task is answered with that failure, and the main thread turns to the next provider.
 */
export async function createFaceWorker(setup: WorkerSetup): Promise<FaceWorker> {
  configureSharp();
  let parts: WorkerParts;
  try {
    const opener =
      setup.deviceThreadId === null
        ? await createGraphOpener(setup.provider)
        : await createDeviceOpener(setup.provider, setup.deviceThreadId);
    parts = {
      kernels: await createPixelKernels('simd'),
      enhancer: await createEnhancer('simd'),
      enhanced: new EnhancedPixels(),
      jpegEncoder: await createJpegEncoder('simd'),
      ...(await openModels(opener, setup.models)),
      matcher: createMatcher(),
      limits: setup.limits,
    };
  } catch (error) {
    const failure: WorkerFailure = { kind: 'failed', reason: 'provider_failed', message: messageOf(error) };
    return async () => failure;
  }
  return async (task) => {
    try {
      if (task.kind === 'annotate') {
        return { kind: 'annotated', jpeg: await annotatePicture(task.input.bytes, task.faces, setup.limits) };
      }
      if (task.kind === 'crop') return await cropPicture(task, setup.limits);
      if (task.kind === 'unpack') {
        const picture = unpack(parts.kernels, task.input);
        return { kind: 'unpacked', jpeg: parts.jpegEncoder.encode(picture, task.jpegQuality) };
      }
      return await analyse(parts, task);
    } catch (error) {
      if (error instanceof PictureError)
        return { kind: 'failed', reason: error.reason, message: error.message };
      if (error instanceof ProviderError)
        return { kind: 'failed', reason: 'provider_failed', message: error.message };
      throw error;
    }
  };
}

async function analyse(parts: WorkerParts, task: AnalyseTask): Promise<AnalyseResult> {
  const start = performance.now();
  const { picture, looks, factor, enhancement, enhanceMs } = await readPicture(parts, task.input);
  const readAt = performance.now();
  // Before the networks have driven the pixels out of the processor's cache.
  const jpeg =
    task.jpegQuality === null
      ? null
      : parts.jpegEncoder.encode(unpacked(parts.kernels, picture), task.jpegQuality);
  const encodedAt = performance.now();
  const { faces, timings } = await findFaces(parts, picture, factor, task, {
    looks,
    legible: enhancement?.legible ?? true,
  });
  const end = performance.now();
  return {
    kind: 'analysed',
    threadId,
    requestId: task.requestId,
    width: Math.round(picture.width * factor),
    height: Math.round(picture.height * factor),
    faces,
    timings: {
      decodeMs: readAt - start - enhanceMs,
      enhanceMs,
      ...timings,
      encodeMs: encodedAt - readAt,
      totalMs: end - start,
    },
    jpeg,
    enhancement,
  };
}

function unpacked(kernels: PixelKernels, picture: Picture | Yuv420Picture): Picture {
  if (!('yuv420' in picture)) return picture;
  return kernels.unpackYuv420(picture.yuv420, picture.width, picture.height, picture.layout);
}

interface ReadPicture {
  readonly picture: Picture | Yuv420Picture;
  /** What faces are detected in instead, of a very dark frame. */
  readonly looks: readonly Picture[];
  /** Pixels of the picture that was sent per pixel of this one. */
  readonly factor: number;
  readonly enhancement: EnhancementReport | null;
  readonly enhanceMs: number;
}

async function readPicture(
  { kernels, enhancer, enhanced, limits }: WorkerParts,
  input: EncodedPicture | RawFrame | VideoPicture,
): Promise<ReadPicture> {
  const asItIs = { looks: [], factor: 1, enhancement: null, enhanceMs: 0 };
  if (input.kind === 'encoded') {
    const { picture, width } = await decodePicture(input.bytes, limits);
    return { ...asItIs, picture, factor: width / picture.width };
  }
  if (input.kind === 'video') {
    const { bytes: yuv420, width, height } = input;
    return { ...asItIs, picture: { yuv420, width, height } };
  }
  if (input.enhancement === null) return { ...asItIs, picture: unpack(kernels, input) };
  const start = performance.now();
  const { sensor, method, history } = input.enhancement;
  const { width, height } = input;
  const remembered = history === null ? null : new FrameHistory(width, height, history);
  const target = enhanced.take(width * height * 3);
  const { picture, looks, report } = enhancer.enhance(
    input,
    sensor,
    remembered,
    'corrected',
    method,
    true,
    target,
  );
  return { picture, looks, factor: 1, enhancement: report, enhanceMs: performance.now() - start };
}

function unpack(kernels: PixelKernels, input: RawFrame | VideoPicture): Picture {
  const { bytes, width, height } = input;
  if (input.kind === 'video') return kernels.unpackYuv420(bytes, width, height);
  switch (input.format) {
    case 'RGB565':
      return kernels.unpackRgb565(bytes, width, height, input.byteOrder);
    case 'GRAYSCALE':
      return kernels.unpackGrayscale(bytes, width, height);
    case 'YUV422':
      return kernels.unpackYuv422(bytes, width, height);
    case 'RGB888':
      return { width, height, data: bytes };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

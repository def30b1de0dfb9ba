/** What the page needs to find faces in the browser: for those who are signed in, and loaded only when asked for. */

import type { DetectorFile } from '../../../workers/detector-files-protocol.ts';
import type { BrowserDetectors } from '../../dashboard/browser-detector.ts';
import { readDetectorFile } from '../../dashboard/browser-detector.ts';
import { notFound } from '../../errors.ts';
import { BACKGROUND_WIDTH_SHARE, LEAST_FACE_WIDTH_PX, LEAST_QUALITY } from '../../recognition/enrolment.ts';
import {
  DetectorFilePath,
  detectorDescription,
  detectorFileDescription,
} from '../descriptions/page-detector.ts';
import { readPath } from '../read-query.ts';
import type { Context, Route } from '../route.ts';

export interface PageDetectorDependencies {
  readonly detectors: BrowserDetectors;
  /** Address of the worker script that runs it. */
  readonly workerUrl: () => Promise<string>;
}

const TYPES = { wasm: 'application/wasm', onnx: 'application/octet-stream' } as const;

export function pageDetectorRoutes({ detectors, workerUrl }: PageDetectorDependencies): Route[] {
  async function describe(ctx: Context): Promise<void> {
    const { model, detector, landmarks, runtimes } = await detectors.describe();
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      success: true,
      worker: await workerUrl(),
      detector: {
        id: model.id,
        family: model.family,
        scoreThreshold: model.scoreThreshold,
        overlapThreshold: model.iouThreshold,
        layout: model.layout,
        ...present(detector),
      },
      landmarks: present(landmarks),
      runtimes: { wasm: present(runtimes.wasm), webgpu: present(runtimes.webgpu) },
      enrolment: {
        leastFaceWidthPx: LEAST_FACE_WIDTH_PX,
        backgroundWidthShare: BACKGROUND_WIDTH_SHARE,
        leastQuality: LEAST_QUALITY,
      },
    };
  }

  async function send(ctx: Context): Promise<void> {
    const file = detectors.file(readPath(ctx, DetectorFilePath).file);
    if (file === null) throw notFound('this file of the detector');
    ctx.vary('Accept-Encoding');
    const acceptsBrotli = ctx.acceptsEncodings('br', 'identity') === 'br';
    const { bytes, encoding } = await readDetectorFile(file, acceptsBrotli);
    // The name holds a hash of the content.
    ctx.set('Cache-Control', 'private, max-age=31536000, immutable');
    if (encoding !== null) ctx.set('Content-Encoding', encoding);
    ctx.type = TYPES[file.fileName.endsWith('.wasm') ? 'wasm' : 'onnx'];
    ctx.body = bytes;
  }

  const path = '/api/v1/page/detector';
  return [
    { method: 'GET', path, access: 'key', description: detectorDescription, handle: describe },
    {
      method: 'GET',
      path: `${path}/:file`,
      access: 'key',
      description: detectorFileDescription,
      handle: send,
    },
  ];
}

const present = ({ fileName, sizeBytes, brotliBytes }: DetectorFile) => ({
  url: `/api/v1/page/detector/${fileName}`,
  sizeBytes,
  compressedBytes: brotliBytes,
});

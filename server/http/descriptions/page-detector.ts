import Type from 'typebox';
import { bytes, json, type RouteDescription } from '../route-description.ts';

const file = {
  url: Type.String(),
  sizeBytes: Type.Integer({ description: 'Unpacked' }),
  compressedBytes: Type.Integer({ description: 'As it is sent to a browser that takes Brotli' }),
};
const File = Type.Object(file);
const share = Type.Number({ minimum: 0, maximum: 1 });
const three = Type.Array(Type.Number(), { minItems: 3, maxItems: 3 });

export const DetectorFilePath = Type.Object({
  file: Type.String({ expected: 'the name of a file of the detector' }),
});

export const detectorDescription: RouteDescription = {
  operationId: 'getBrowserDetector',
  summary: 'What a browser needs to find the same faces as the server',
  details:
    'The files are made at the first call, which then takes seconds. A graph and its landmarks run on ONNX Runtime in a worker of the page; `enrolment` says what enrolment will ask of a face.',
  tag: 'page',
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        worker: Type.String({ description: "Address of the worker's script" }),
        detector: Type.Object({
          id: Type.String(),
          family: Type.Enum(['ssd-mobilenet', 'yunet']),
          scoreThreshold: share,
          overlapThreshold: share,
          layout: Type.Object({ channels: Type.Enum(['RGB', 'BGR']), mean: three, scale: three }),
          ...file,
        }),
        landmarks: File,
        runtimes: Type.Object({ wasm: File, webgpu: File }),
        enrolment: Type.Object({
          leastFaceWidthPx: Type.Number(),
          backgroundWidthShare: share,
          leastQuality: Type.Object({ clarity: share, angle: share, lighting: share }),
        }),
      }),
      'The files and what to do with them.',
    ),
  },
  errors: { 503: ['PAGE_NOT_BUILT'] },
};

export const detectorFileDescription: RouteDescription = {
  operationId: 'getBrowserDetectorFile',
  summary: 'A file of the detector in browsers',
  tag: 'page',
  path: DetectorFilePath,
  answers: {
    200: {
      description: 'The file; its name holds a hash, so that it may be kept for a year.',
      content: {
        'application/wasm': bytes('ONNX Runtime'),
        'application/octet-stream': bytes('An ONNX graph'),
      },
    },
  },
  errors: { 404: ['NOT_FOUND'] },
};

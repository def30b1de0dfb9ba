/** Cameras live: WebRTC for browsers that can, MJPEG for all others and for boards. */
import type { Readable } from 'node:stream';
import type { types } from 'mediasoup';
import Type from 'typebox';
import { ServerError } from '../../errors.ts';
import { MIXED_REPLACE } from '../../live/picture-stream.ts';
import type { Preview } from '../../live/preview.ts';
import type { Viewers } from '../../live/viewers.ts';
import type { BodyReader } from '../body.ts';
import { readFields } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { json, nullable, type RouteDescription } from '../route-description.ts';
import { validate } from '../validate.ts';

export interface LiveDependencies {
  readonly media: { readonly rtpCapabilities: types.RtpCapabilities | null; readonly why: string | null };
  readonly viewers: Viewers;
  /** @throws {ServerError} 404; null where there is no media server */
  readonly previewOf: (cameraId: string) => Preview | null;
  /** @throws {ServerError} 404, 503 TOO_MANY_VIEWERS */
  readonly cameraPictures: (cameraId: string) => Readable;
  readonly devicePictures: (deviceId: string) => Readable;
  readonly bodies: BodyReader;
}

const ANY = Type.Unknown();
const Capabilities = Type.Unsafe<types.RtpCapabilities>(
  Type.Object({ codecs: Type.Array(ANY) }, { expected: 'the RTP capabilities of the browser' }),
);
const Fingerprint = Type.Object({ algorithm: Type.String(), value: Type.String() });
const Dtls = Type.Unsafe<types.DtlsParameters>(
  Type.Object(
    {
      role: Type.Optional(Type.String()),
      fingerprints: Type.Array(Fingerprint, { minItems: 1, maxItems: 10 }),
    },
    { expected: "the DTLS parameters of the browser's transport" },
  ),
);
const OpenBody = Type.Object({
  cameraId: Type.String({ minLength: 1, maxLength: 32, description: 'As `GET /api/v1/cameras` tells it' }),
});
const ConnectBody = Type.Object({ dtlsParameters: Dtls });
const ConsumeBody = Type.Object({ rtpCapabilities: Capabilities });
const Done = Type.Object({ success: Type.Literal(true) });
const inJson = (schema: Type.TObject) => ({ content: { 'application/json': schema } });
const VIEWER = Type.Object({ viewerId: Type.String({ description: 'From the opening of the viewer' }) });
const PICTURES = {
  description: 'Pictures without end, each a part of its own',
  content: { 'multipart/x-mixed-replace': Type.String() },
};

const describe = (
  operationId: string,
  summary: string,
  rest: Omit<RouteDescription, 'operationId' | 'summary' | 'tag' | 'answers'> &
    Partial<Pick<RouteDescription, 'answers'>> = {},
): RouteDescription => ({
  operationId,
  summary,
  tag: 'live',
  answers: { 200: json(Done, 'Done') },
  ...rest,
});

export function liveRoutes(dependencies: LiveDependencies): Route[] {
  const { media, viewers, previewOf, cameraPictures, devicePictures, bodies } = dependencies;

  function tell(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    const { rtpCapabilities, why } = media;
    ctx.body = { success: true, data: { available: rtpCapabilities !== null, why, rtpCapabilities } };
  }

  async function open(ctx: Context): Promise<void> {
    const { cameraId } = validate(OpenBody, await readFields(ctx, bodies, OpenBody));
    const preview = previewOf(cameraId);
    if (preview === null)
      throw new ServerError(503, 'LIVE_UNAVAILABLE', media.why ?? 'there is no media server');
    const { viewerId, ...transport } = await viewers.open(preview);
    ctx.body = { success: true, data: { viewerId, transport } };
  }

  async function connect(ctx: Context): Promise<void> {
    const { dtlsParameters } = validate(ConnectBody, await readFields(ctx, bodies, ConnectBody));
    await viewers.connect(String(ctx.params.viewerId), dtlsParameters);
    ctx.body = { success: true };
  }

  async function consume(ctx: Context): Promise<void> {
    const { rtpCapabilities } = validate(ConsumeBody, await readFields(ctx, bodies, ConsumeBody));
    ctx.body = { success: true, data: await viewers.consume(String(ctx.params.viewerId), rtpCapabilities) };
  }

  async function resume(ctx: Context): Promise<void> {
    await viewers.resume(String(ctx.params.viewerId));
    ctx.body = { success: true };
  }

  function close(ctx: Context): void {
    viewers.close(String(ctx.params.viewerId));
    ctx.body = { success: true };
  }

  const streamed = (pictures: (id: string) => Readable, parameter: string) => (ctx: Context) => {
    // Whoever asks for the head alone would never read the pictures.
    const body = ctx.method === 'HEAD' ? '' : pictures(String(ctx.params[parameter]));
    ctx.set('Cache-Control', 'no-store');
    // A proxy that collects the answer would show nothing.
    ctx.set('X-Accel-Buffering', 'no');
    ctx.body = body;
    ctx.type = MIXED_REPLACE;
    // The first picture may be long in coming: whoever is let in is told at once.
    ctx.flushHeaders();
  };

  const viewer = { access: 'key', frequent: true } as const;
  const path = '/api/v1/live/viewers/:viewerId';
  return [
    {
      ...viewer,
      method: 'GET',
      path: '/api/v1/live',
      handle: tell,
      description: describe(
        'describeLive',
        'Whether cameras can be seen by WebRTC, and what the server can send',
        {
          answers: {
            200: json(
              Type.Object({
                success: Type.Literal(true),
                data: Type.Object({
                  available: Type.Boolean(),
                  why: nullable(Type.String({ description: 'Why not, and what mends it' })),
                  rtpCapabilities: nullable(ANY),
                }),
              }),
              'The media server',
            ),
          },
        },
      ),
    },
    {
      ...viewer,
      method: 'POST',
      path: '/api/v1/live/viewers',
      handle: open,
      description: describe('openViewer', 'A transport for one camera', {
        details: 'A viewer that does not connect within 20 seconds, or goes silent for 15, is dropped.',
        body: inJson(OpenBody),
        answers: {
          200: json(
            Type.Object({
              success: Type.Literal(true),
              data: Type.Object({
                viewerId: Type.String(),
                transport: Type.Object({
                  id: Type.String(),
                  iceParameters: ANY,
                  iceCandidates: ANY,
                  dtlsParameters: ANY,
                }),
              }),
            }),
            'What the browser makes its transport of',
          ),
        },
        errors: { 404: ['NOT_FOUND'], 503: ['LIVE_UNAVAILABLE', 'TOO_MANY_VIEWERS'] },
      }),
    },
    {
      ...viewer,
      method: 'POST',
      path: `${path}/connect`,
      handle: connect,
      description: describe('connectViewer', "The browser's half of the handshake", {
        path: VIEWER,
        body: inJson(ConnectBody),
        errors: { 404: ['NOT_FOUND'], 503: ['LIVE_UNAVAILABLE'] },
      }),
    },
    {
      ...viewer,
      method: 'POST',
      path: `${path}/consume`,
      handle: consume,
      description: describe('consumeCamera', "The camera's picture on the viewer's transport, paused", {
        details: 'Called again, it tells the same, or what replaced it after the camera was started anew.',
        path: VIEWER,
        body: inJson(ConsumeBody),
        answers: {
          200: json(
            Type.Object({
              success: Type.Literal(true),
              data: Type.Object({
                id: Type.String(),
                producerId: Type.String(),
                kind: Type.Literal('video'),
                rtpParameters: ANY,
              }),
            }),
            'What the browser makes its consumer of',
          ),
        },
        errors: { 404: ['NOT_FOUND'], 503: ['CAMERA_NOT_READY', 'LIVE_UNAVAILABLE'] },
      }),
    },
    {
      ...viewer,
      method: 'POST',
      path: `${path}/resume`,
      handle: resume,
      description: describe('resumeViewer', 'Lets the picture flow', {
        path: VIEWER,
        errors: { 404: ['NOT_FOUND'] },
      }),
    },
    {
      ...viewer,
      method: 'DELETE',
      path,
      handle: close,
      description: describe('closeViewer', 'Ends a viewer', { path: VIEWER, errors: { 404: ['NOT_FOUND'] } }),
    },
    {
      method: 'GET',
      path: '/api/v1/cameras/:cameraId/mjpeg',
      access: 'read',
      handle: streamed(cameraPictures, 'cameraId'),
      description: describe('watchCamera', 'A camera as JPEG pictures, up to ten a second', {
        details:
          'For an `<img>`. Who reads slowly misses pictures; who stops reading for 30 seconds is dropped.',
        answers: { 200: PICTURES },
        errors: { 404: ['NOT_FOUND'], 503: ['TOO_MANY_VIEWERS'] },
      }),
    },
    {
      method: 'GET',
      path: '/api/v1/devices/:deviceId/mjpeg',
      access: 'read',
      handle: streamed(devicePictures, 'deviceId'),
      description: describe('watchDevice', 'The pictures of a board as they come', {
        answers: { 200: PICTURES },
        errors: { 404: ['NOT_FOUND'], 503: ['TOO_MANY_VIEWERS'] },
      }),
    },
  ];
}

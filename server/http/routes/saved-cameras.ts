/** Cameras that are known: saved ones, added, changed and deleted here, and those that sessions brought. */
import Type, { type Static } from 'typebox';
import { redactUrl } from '../../cameras/camera-address.ts';
import type { CameraDirectory, KnownCamera } from '../../cameras/camera-directory.ts';
import type { SavedCameras } from '../../cameras/saved-cameras.ts';
import { invalidField } from '../../errors.ts';
import type { SeenFace } from '../../live/messages.ts';
import type { AccessControl } from '../api-key.ts';
import type { BodyReader } from '../body.ts';
import { Box } from '../descriptions/face.ts';
import { readFields } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { bytes, json, nullable, type RouteDescription, time } from '../route-description.ts';
import { validate } from '../validate.ts';

export interface CameraPreview {
  readonly kind: 'webrtc' | 'mjpeg' | 'none';
  /** Why it is no better, in words for people; null where it is the best there is. */
  readonly why: string | null;
}

export interface SavedCameraDependencies {
  readonly directory: CameraDirectory;
  readonly saved: () => SavedCameras;
  readonly previewOf: (camera: KnownCamera) => CameraPreview;
  readonly pictureOf: (camera: KnownCamera) => Promise<{ readonly jpeg: Uint8Array; readonly at: Date }>;
  /** Who is in its last picture; null where that was not looked at, or is not for everybody. */
  readonly facesIn: (camera: KnownCamera, maySeeClass: boolean) => readonly SeenFace[] | null;
  readonly access: Pick<AccessControl, 'maySeeClass'>;
  readonly bodies: BodyReader;
}

const Name = Type.String({ minLength: 1, maxLength: 100, expected: 'a name of 1 to 100 characters' });
const Url = Type.String({
  minLength: 1,
  maxLength: 1024,
  expected: 'an rtsp:// or rtsps:// URL',
  description: 'With user and password where the camera wants them',
});
const Recognise = Type.Boolean({ description: 'Whether its pictures are compared with the permitted faces' });
const CameraNumber = Type.Integer({
  minimum: 1,
  maximum: 32_767,
  expected: 'a whole number from 1 to 32767',
});
const NewCamera = Type.Object({
  cameraId: Type.Optional(CameraNumber),
  name: Name,
  rtspUrl: Url,
  recognise: Type.Optional(Recognise),
});
const Change = Type.Object({
  name: Type.Optional(Name),
  rtspUrl: Type.Optional(Url),
  recognise: Type.Optional(Recognise),
});
const Face = Type.Object({
  box: Box,
  recognizedAs: nullable(Type.String()),
  similarity: nullable(Type.Number()),
});
const Camera = Type.Object({
  cameraId: Type.String(),
  name: Type.String(),
  url: Type.String({ description: 'Without user and password' }),
  saved: Type.Boolean(),
  recognise: Type.Boolean(),
  slots: Type.Array(Type.Object({ slotId: Type.Integer(), cameraId: Type.Integer() })),
  state: Type.Enum(['connecting', 'live', 'stalled', 'waiting', 'stopped']),
  trouble: nullable(Type.String({ description: 'Why there is no picture' })),
  frameRate: nullable(Type.Number({ description: 'Frames a second that the camera sends' })),
  width: nullable(Type.Integer()),
  height: nullable(Type.Integer()),
  codec: nullable(Type.String()),
  lastFrameAt: nullable(time('Of the last picture')),
  faces: nullable(
    Type.Array(Face, { description: 'In the last picture; null where it was not looked at yet' }),
  ),
  restarts: Type.Integer({ description: 'How often it was lost or could not be reached' }),
  preview: Type.Object({ kind: Type.Enum(['webrtc', 'mjpeg', 'none']), why: nullable(Type.String()) }),
});
const One = Type.Object({ success: Type.Literal(true), data: Camera });
const CAMERA = Type.Object({ cameraId: Type.String({ description: 'As the list tells it' }) });
const errors = { 404: ['NOT_FOUND'] } as const;
const taken = { 409: ['CAMERA_EXISTS', 'TOO_MANY_CAMERAS'] } as const;

export function savedCameraRoutes(dependencies: SavedCameraDependencies): Route[] {
  const { directory, saved, previewOf, pictureOf, facesIn, access, bodies } = dependencies;

  const viewFor = (ctx: Context) => (known: KnownCamera) => view(known, access.maySeeClass(ctx));

  function view(known: KnownCamera, maySeeClass: boolean): Static<typeof Camera> {
    const { camera, saved: own } = known;
    const { state, lastFailure, lastFrameAt, frameRate, width, height, codec, failures } = camera.report;
    return {
      cameraId: known.id,
      name: known.name,
      url: redactUrl(camera.address.secretUrl),
      saved: own !== null,
      recognise: own?.recognise ?? false,
      slots: known.slots.map(({ slotId, cameraId }) => ({ slotId, cameraId })),
      state,
      trouble: state === 'live' ? null : (lastFailure?.message ?? null),
      frameRate: frameRate === null ? null : Math.round(frameRate * 10) / 10,
      width,
      height,
      codec,
      lastFrameAt: lastFrameAt?.toISOString() ?? null,
      faces: facesIn(known, maySeeClass)?.slice() ?? null,
      restarts: failures,
      preview: previewOf(known),
    };
  }

  function list(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { success: true, data: directory.list().map(viewFor(ctx)) };
  }

  async function add(ctx: Context): Promise<void> {
    const {
      cameraId = null,
      name,
      rtspUrl,
      recognise = true,
    } = validate(NewCamera, await readFields(ctx, bodies, NewCamera));
    const { saved: made } = await saved().add({ cameraId, name, rtspUrl, recognise });
    ctx.status = 201;
    ctx.body = { success: true, data: viewFor(ctx)(directory.find(String(made.cameraId))) };
  }

  async function change(ctx: Context): Promise<void> {
    const { saved: made } = await saved().change(
      savedId(ctx),
      validate(Change, await readFields(ctx, bodies, Change)),
    );
    ctx.body = { success: true, data: viewFor(ctx)(directory.find(String(made.cameraId))) };
  }

  async function remove(ctx: Context): Promise<void> {
    await saved().remove(savedId(ctx));
    ctx.body = { success: true, message: 'The camera is deleted' };
  }

  async function picture(ctx: Context): Promise<void> {
    const { jpeg, at } = await pictureOf(directory.find(String(ctx.params.cameraId)));
    ctx.set('Cache-Control', 'no-store');
    ctx.set('X-Frame-At', at.toISOString());
    ctx.type = 'image/jpeg';
    ctx.body = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  }

  const describe = (
    operationId: string,
    summary: string,
    rest: Omit<RouteDescription, 'operationId' | 'summary' | 'tag'>,
  ): RouteDescription => ({ operationId, summary, tag: 'cameras', ...rest });
  const path = '/api/v1/cameras/:cameraId';
  return [
    {
      method: 'GET',
      path: '/api/v1/cameras',
      access: 'key',
      frequent: true,
      handle: list,
      description: describe('listCameras', 'Cameras that are saved, or that a running session uses', {
        answers: {
          200: json(
            Type.Object({ success: Type.Literal(true), data: Type.Array(Camera) }),
            'All of them, saved ones first',
          ),
        },
      }),
    },
    {
      method: 'POST',
      path: '/api/v1/cameras',
      access: 'key',
      handle: add,
      description: describe('saveCamera', 'Saves a camera; it is opened, and looked at, from now on', {
        details:
          'Without `cameraId` it gets the first number that is free. Its password is never told again.',
        body: { content: { 'application/json': NewCamera } },
        answers: { 201: json(One, 'The camera') },
        errors: taken,
      }),
    },
    {
      method: 'PUT',
      path,
      access: 'key',
      handle: change,
      description: describe('changeCamera', 'Changes a saved camera; what is not sent stays', {
        path: CAMERA,
        body: { content: { 'application/json': Change } },
        answers: { 200: json(One, 'The camera') },
        errors: { ...errors, ...taken },
      }),
    },
    {
      method: 'DELETE',
      path,
      access: 'key',
      handle: remove,
      description: describe('deleteCamera', 'Forgets a saved camera', {
        path: CAMERA,
        answers: { 200: json(Type.Object({ success: Type.Literal(true), message: Type.String() }), 'Done') },
        errors,
      }),
    },
    {
      method: 'GET',
      path: `${path}/picture`,
      access: 'read',
      frequent: true,
      handle: picture,
      description: describe('getCameraPicture', 'The last picture of a camera', {
        path: CAMERA,
        answers: {
          200: {
            description: 'The picture',
            content: { 'image/jpeg': bytes('JPEG') },
            headers: Type.Object({ 'X-Frame-At': time('When it was taken') }),
          },
        },
        errors,
      }),
    },
  ];
}

function savedId(ctx: Context): number {
  const text = String(ctx.params.cameraId);
  if (!/^\d{1,5}$/.test(text)) throw invalidField('cameraId', 'the number of a saved camera', text);
  return Number(text);
}

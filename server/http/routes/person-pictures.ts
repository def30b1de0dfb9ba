/** The pictures by which a person is known: listed, shown, removed; and a face of a stored frame that becomes one. */
import Type from 'typebox';
import { badRequest, invalidField, notFound } from '../../errors.ts';
import type { Gallery } from '../../recognition/gallery.ts';
import type { PictureSummary } from '../../recognition/gallery-store.ts';
import type { BodyReader } from '../body.ts';
import { readJsonObject } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { isMultipart, readPicture } from '../upload.ts';
import { validate } from '../validate.ts';
import { readSwitch } from './recognition.ts';
import { presentEnrolment } from './permitted-faces.ts';

export interface PersonPictureDependencies {
  readonly gallery: Pick<Gallery, 'pictures' | 'picture' | 'removePicture' | 'enrolFace'>;
  /** The bytes of a stored frame; null where there is none of that name. */
  readonly readFrame: (name: string) => Promise<Uint8Array | null>;
  readonly bodies: BodyReader;
}

const PIXELS = { minimum: -65_535, maximum: 65_535 } as const;
const SIDE = { exclusiveMinimum: 0, maximum: 65_535 } as const;

const BoxOfFace = Type.Object(
  {
    x: Type.Number(PIXELS),
    y: Type.Number(PIXELS),
    width: Type.Number(SIDE),
    height: Type.Number(SIDE),
  },
  { expected: 'a box of numbers: x, y, width and height in pixels of the picture' },
);

const FaceOfFrame = Type.Object({
  name: Type.String({ expected: 'the name of the person' }),
  frame: Type.String({ expected: 'the file name of a stored frame', maxLength: 200 }),
  box: BoxOfFace,
});

/** The same with the picture itself, where it is stored nowhere. */
const FaceOfPicture = Type.Object({
  name: Type.String({ expected: 'the name of the person' }),
  box: BoxOfFace,
});

export function personPictureRoutes({ gallery, readFrame, bodies }: PersonPictureDependencies): Route[] {
  async function list(ctx: Context): Promise<void> {
    const pictures = await gallery.pictures(ctx.params.name);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { success: true, data: pictures.map((picture) => present(ctx.params.name!, picture)) };
  }

  async function show(ctx: Context): Promise<void> {
    const thumbnail = readSwitch(ctx, 'thumbnail');
    const bytes = await gallery.picture(ctx.params.name, pictureIdOf(ctx), thumbnail);
    // Nothing of a person may outlive their removal in somebody's cache.
    ctx.set('Cache-Control', 'no-store');
    ctx.type = typeOf(bytes);
    ctx.body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async function remove(ctx: Context): Promise<void> {
    const { name, personRemoved, filesLeft } = await gallery.removePicture(
      ctx.params.name,
      pictureIdOf(ctx),
    );
    ctx.body = {
      success: true,
      message: personRemoved
        ? `the last picture of ${name} was removed, and ${name} with it`
        : `a picture of ${name} was removed`,
      name,
      personRemoved,
      filesLeft,
    };
  }

  async function fromFrame(ctx: Context): Promise<void> {
    if (isMultipart(ctx.get('Content-Type'))) {
      const { bytes, fields } = await readPicture(ctx, bodies, ['image']);
      const { name, box } = validate(FaceOfPicture, {
        name: fields.get('name'),
        box: parsedBox(fields.get('box')),
      });
      ctx.body = presentEnrolment(await gallery.enrolFace(name, bytes, box));
      return;
    }
    const { name, frame, box } = validate(FaceOfFrame, await readJsonObject(ctx, bodies));
    const bytes = await readFrame(frame);
    if (bytes === null) throw notFound(`the frame ${JSON.stringify(frame)}`);
    ctx.body = presentEnrolment(await gallery.enrolFace(name, bytes, box));
  }

  const base = '/api/v1/recognition/permitted-faces';
  return [
    { method: 'POST', path: `${base}/from-frame`, access: 'key', handle: fromFrame },
    { method: 'GET', path: `${base}/:name/pictures`, access: 'key', handle: list },
    { method: 'GET', path: `${base}/:name/pictures/:pictureId`, access: 'key', frequent: true, handle: show },
    { method: 'DELETE', path: `${base}/:name/pictures/:pictureId`, access: 'key', handle: remove },
  ];
}

function present(name: string, { id, quality, createdAt, box }: PictureSummary): object {
  return {
    pictureId: id,
    url: `/api/v1/recognition/permitted-faces/${encodeURIComponent(name)}/pictures/${id}`,
    createdAt: createdAt.toISOString(),
    quality,
    box,
  };
}

function pictureIdOf(ctx: Context): number {
  const text = ctx.params.pictureId ?? '';
  const id = Number(text);
  if (!/^\d{1,10}$/.test(text) || id > 2_147_483_647)
    throw invalidField('pictureId', 'the number of a picture', text);
  return id;
}

function parsedBox(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('MALFORMED_JSON', 'box: expected JSON with x, y, width and height');
  }
}

/** By the first bytes, as the pipeline knows its formats. */
function typeOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 12)).toString('latin1');
  if (text.startsWith('\x89PNG')) return 'image/png';
  if (text.startsWith('RIFF') && text.endsWith('WEBP')) return 'image/webp';
  if (text.startsWith('ftyp', 4)) return 'image/avif';
  return 'image/jpeg';
}

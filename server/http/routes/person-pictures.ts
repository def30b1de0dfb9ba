/** The pictures by which a person is known: listed, shown, removed; and a face of a stored frame that becomes one. */
import { badRequest, notFound } from '../../errors.ts';
import type { Gallery } from '../../recognition/gallery.ts';
import type { PictureSummary } from '../../recognition/gallery-store.ts';
import type { BodyReader } from '../body.ts';
import { PersonPath } from '../descriptions/people.ts';
import {
  enrolFromFrameDescription,
  FaceOfFrame,
  FaceOfPicture,
  ImageQuery,
  listPicturesDescription,
  PicturePath,
  removePictureDescription,
  showPictureDescription,
} from '../descriptions/person-pictures.ts';
import { pictureUrl, presentEnrolment } from '../enrolment-view.ts';
import { readJsonObject } from '../read-fields.ts';
import { readPath, readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { isMultipart, readPicture } from '../upload.ts';
import { validate } from '../validate.ts';
export interface PersonPictureDependencies {
  readonly gallery: Pick<Gallery, 'pictures' | 'picture' | 'removePicture' | 'enrolFace'>;
  /** The bytes of a stored frame; null where there is none of that name. */
  readonly readFrame: (name: string) => Promise<Uint8Array | null>;
  readonly bodies: BodyReader;
}

export function personPictureRoutes({ gallery, readFrame, bodies }: PersonPictureDependencies): Route[] {
  async function list(ctx: Context): Promise<void> {
    const { name } = readPath(ctx, PersonPath);
    const pictures = await gallery.pictures(name);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { success: true, data: pictures.map((picture) => present(name, picture)) };
  }

  async function show(ctx: Context): Promise<void> {
    const { name, pictureId } = readPath(ctx, PicturePath);
    const { thumbnail } = readQuery(ctx, ImageQuery);
    const bytes = await gallery.picture(name, pictureId, thumbnail);
    // Nothing of a person may outlive their removal in somebody's cache.
    ctx.set('Cache-Control', 'no-store');
    ctx.type = typeOf(bytes);
    ctx.body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async function remove(ctx: Context): Promise<void> {
    const path = readPath(ctx, PicturePath);
    const { name, personRemoved, filesLeft } = await gallery.removePicture(path.name, path.pictureId);
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
  const pictures = `${base}/:name/pictures`;
  const one = `${pictures}/:pictureId`;
  return [
    {
      method: 'POST',
      path: `${base}/from-frame`,
      access: 'key',
      description: enrolFromFrameDescription,
      handle: fromFrame,
    },
    { method: 'GET', path: pictures, access: 'key', description: listPicturesDescription, handle: list },
    {
      method: 'GET',
      path: one,
      access: 'key',
      frequent: true,
      description: showPictureDescription,
      handle: show,
    },
    { method: 'DELETE', path: one, access: 'key', description: removePictureDescription, handle: remove },
  ];
}

function present(name: string, { id, quality, createdAt, box }: PictureSummary): object {
  return {
    pictureId: id,
    url: pictureUrl(name, id),
    createdAt: createdAt.toISOString(),
    quality,
    box,
  };
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

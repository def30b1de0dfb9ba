/** The people whom the server knows: enrolled, listed, removed. */
import { invalidField } from '../../errors.ts';
import type { Gallery } from '../../recognition/gallery.ts';
import type { BodyReader } from '../body.ts';
import {
  AddFaceQuery,
  addFaceDescription,
  listPeopleDescription,
  PersonPath,
  removePersonDescription,
} from '../descriptions/people.ts';
import { pictureUrl, presentEnrolment } from '../enrolment-view.ts';
import { readPath, readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';
import { readPicture } from '../upload.ts';

export interface PermittedFaceDependencies {
  readonly gallery: Gallery;
  readonly bodies: BodyReader;
}

export function permittedFaceRoutes({ gallery, bodies }: PermittedFaceDependencies): Route[] {
  async function add(ctx: Context): Promise<void> {
    const { bytes, fields } = await readPicture(ctx, bodies, ['image']);
    // A picture sent as the body has no form to carry a name.
    const name = fields.get('name') ?? readQuery(ctx, AddFaceQuery).name;
    if (name === undefined) throw invalidField('name', 'the name of the person', undefined);
    ctx.body = presentEnrolment(await gallery.enrol(name, bytes));
  }

  async function list(ctx: Context): Promise<void> {
    const persons = await gallery.list();
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      success: true,
      data: persons.map(({ name, pictures, createdAt, lastPictureAt, newestPictureId }) => ({
        name,
        pictures,
        createdAt: createdAt.toISOString(),
        lastPictureAt: lastPictureAt.toISOString(),
        picture: pictureUrl(name, newestPictureId),
      })),
    };
  }

  async function remove(ctx: Context): Promise<void> {
    const { name, pictures, filesLeft } = await gallery.remove(readPath(ctx, PersonPath).name);
    ctx.body = { success: true, message: `${name} was removed`, name, pictures, filesLeft };
  }

  const base = '/api/v1/recognition';
  return [
    {
      method: 'POST',
      path: `${base}/add-permitted-face`,
      access: 'key',
      description: addFaceDescription,
      handle: add,
    },
    {
      method: 'GET',
      path: `${base}/permitted-faces`,
      access: 'key',
      description: listPeopleDescription,
      handle: list,
    },
    {
      method: 'DELETE',
      path: `${base}/permitted-faces/:name`,
      access: 'key',
      description: removePersonDescription,
      handle: remove,
    },
  ];
}

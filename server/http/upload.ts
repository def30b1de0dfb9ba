/** A picture that a client sends: a file in a form, or the body itself. */
import { badRequest, invalidField, unsupportedMediaType } from '../errors.ts';
import type { BodyReader } from './body.ts';
import { type Part, parseMultipart } from './multipart.ts';
import type { Context } from './route.ts';

export interface PictureUpload {
  /** May be a view into the body. */
  readonly bytes: Uint8Array;
  /** The form's other fields; of several with one name, the last. */
  readonly fields: ReadonlyMap<string, string>;
}

const MAX_FIELD_BYTES = 64 * 1024;

export const isMultipart = (contentType: string) => /^multipart\/form-data\b/i.test(contentType);
export const isPicture = (contentType: string) => /^image\//i.test(contentType);

/**
 * Reads one picture from the request.
 * @param fileFields names under which the form may carry it
 * @throws {ServerError} 4xx that names the field, what was expected and what came
 */
export async function readPicture(
  ctx: Context,
  bodies: BodyReader,
  fileFields: readonly string[],
): Promise<PictureUpload> {
  const contentType = ctx.get('Content-Type');
  if (isPicture(contentType)) {
    const bytes = await bodies.read(ctx);
    if (bytes.length === 0) throw emptyPicture('body');
    return { bytes, fields: new Map() };
  }
  if (!isMultipart(contentType)) {
    throw unsupportedMediaType(
      `multipart/form-data with a file in the field ${orList(fileFields)}, or a picture as the body (image/jpeg, image/png, image/webp, image/avif)`,
      contentType,
    );
  }
  return pictureOfForm(parseMultipart(await bodies.read(ctx), contentType), fileFields);
}

function pictureOfForm(parts: readonly Part[], fileFields: readonly string[]): PictureUpload {
  const files: Part[] = [];
  const fields = new Map<string, string>();
  for (const part of parts) {
    // Boards that write their forms by hand leave out the file name, the type, or both.
    if (part.fileName !== null || part.type?.startsWith('image/') || fileFields.includes(part.name))
      files.push(part);
    else if (part.bytes.length > MAX_FIELD_BYTES)
      throw invalidField(part.name, `at most ${MAX_FIELD_BYTES} bytes of text`, part.bytes.length);
    else fields.set(part.name, part.bytes.toString('utf8'));
  }
  const expected = `one file in the field ${orList(fileFields)}`;
  if (files.length === 0) {
    const names = [...fields.keys()];
    const came = names.length === 0 ? 'an empty form' : `no file, only the fields ${names.join(', ')}`;
    throw badRequest('FILE_MISSING', `expected ${expected}, received ${came}`);
  }
  const [file] = files;
  if (files.length > 1 || file === undefined) {
    const names = files.map((part) => part.name).join(', ');
    throw badRequest('TOO_MANY_FILES', `expected ${expected}, received ${files.length} files (${names})`);
  }
  if (!fileFields.includes(file.name))
    throw badRequest(
      'WRONG_FIELD',
      `expected ${expected}, received a file in the field ${JSON.stringify(file.name.slice(0, 80))}`,
    );
  if (file.bytes.length === 0) throw emptyPicture(file.name);
  return { bytes: file.bytes, fields };
}

function emptyPicture(field: string) {
  return badRequest('EMPTY_PICTURE', `${field}: expected a picture, received 0 bytes`);
}

function orList(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' or ');
}

/** The fields of a small request, in whichever of three ways a client sends them: JSON, a urlencoded form, a multipart form. */
import type { TObject } from 'typebox';
import { badRequest, invalidField, unsupportedMediaType } from '../errors.ts';
import type { BodyReader } from './body.ts';
import { parseMultipart } from './multipart.ts';
import type { Context } from './route.ts';
import { isMultipart } from './upload.ts';

export const MAX_FIELDS_BYTES = 64 * 1024;
/** Deeper than any message of a board, and far from what recursive readers of JSON survive. */
const MAX_DEPTH = 32;

const isForm = (contentType: string) => /^application\/x-www-form-urlencoded\b/i.test(contentType);
/** Boards that write their requests by hand leave the type out, or write text/plain. */
const isJson = (contentType: string) =>
  contentType === '' || /^(application\/([\w.-]+\+)?json|text\/plain)\b/i.test(contentType);

/**
 * The body as an object. Texts of a form become what the schema says of their field, where they can; what does not fit is left for
 * the validation to refuse.
 * @throws {ServerError} 400 where the body is no form and no JSON object, 413, 415
 */
export async function readFields(
  ctx: Context,
  bodies: BodyReader,
  schema: TObject,
): Promise<Record<string, unknown>> {
  const contentType = ctx.get('Content-Type');
  if (isJson(contentType)) return readJsonObject(ctx, bodies);
  if (isForm(contentType)) {
    const text = decoded(await bodies.read(ctx, MAX_FIELDS_BYTES));
    return fieldsOfForm([...new URLSearchParams(text)], schema);
  }
  if (isMultipart(contentType)) {
    const parts = parseMultipart(await bodies.read(ctx, MAX_FIELDS_BYTES), contentType);
    return fieldsOfForm(
      parts.map(({ name, bytes }) => [name, decoded(bytes)]),
      schema,
    );
  }
  throw unsupportedMediaType(
    'application/json, application/x-www-form-urlencoded or multipart/form-data',
    contentType,
  );
}

/** @throws {ServerError} 400 where it is none, or nested too deeply */
export async function readJsonObject(ctx: Context, bodies: BodyReader): Promise<Record<string, unknown>> {
  const contentType = ctx.get('Content-Type');
  if (!isJson(contentType)) throw unsupportedMediaType('application/json', contentType);
  const text = decoded(await bodies.read(ctx, MAX_FIELDS_BYTES));
  if (text.trim() === '') throw invalidField('body', 'a JSON object', undefined);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest('MALFORMED_JSON', `the body is not JSON: ${(error as Error).message.slice(0, 120)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidField('body', 'a JSON object', value);
  if (!isWithinDepth(value, MAX_DEPTH))
    throw badRequest('JSON_TOO_DEEP', `the body is nested deeper than ${MAX_DEPTH} levels`);
  return value as Record<string, unknown>;
}

function isWithinDepth(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((inner) => isWithinDepth(inner, left - 1));
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('NOT_UTF8', 'the body is not valid UTF-8');
  }
}

function fieldsOfForm(
  entries: readonly (readonly [string, string])[],
  schema: TObject,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.properties as Record<string, { type?: string }>)) {
    // A list is sent as a field that comes several times, with or without the brackets that PHP asks for.
    const texts = entries
      .filter(([given]) => given === name || given === `${name}[]`)
      .map(([, text]) => text);
    const last = texts.at(-1);
    if (last === undefined) continue;
    if (field.type === 'array') fields[name] = listOf(texts);
    else if (field.type === 'number' && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(last)) fields[name] = Number(last);
    else fields[name] = last;
  }
  return fields;
}

function listOf(texts: readonly string[]): unknown {
  const [only] = texts;
  if (texts.length > 1 || !only?.trimStart().startsWith('[')) return texts;
  try {
    return JSON.parse(only);
  } catch {
    return texts;
  }
}

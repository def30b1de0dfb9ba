/** A value from outside and the schema it has to fit: typed from here on, or an error that names the field. */
import type { Static, TObject } from 'typebox';
import Value from 'typebox/value';
import { invalidField } from '../errors.ts';

/** What this module reads of a schema; `expected` is our own keyword, words for a person. */
interface FieldSchema {
  readonly type?: string;
  readonly expected?: string;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly items?: FieldSchema;
}

/**
 * Fields that the schema does not name are ignored; an optional field that is null counts as not sent.
 * @param prefix set before the name of the field: `?` for a parameter of the query
 * @throws {ServerError} 400 that names the first field that does not fit, what was expected and what came
 */
export function validate<Schema extends TObject>(
  schema: Schema,
  value: unknown,
  prefix = '',
): Static<Schema> {
  const required = (schema as { required?: readonly string[] }).required ?? [];
  const candidate =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value).filter(
            ([name, field]) => name in schema.properties && (field !== null || required.includes(name)),
          ),
        )
      : value;
  const [error] = Value.Errors(schema, candidate);
  if (error === undefined) return candidate as Static<Schema>;
  const path = error.instancePath.split('/').slice(1).map(unescaped);
  const missing = (error.params as { requiredProperties?: readonly string[] }).requiredProperties?.[0];
  if (missing !== undefined) path.push(missing);
  const [name, expected] = [path.join('.') || 'body', expectation(schemaAt(schema as FieldSchema, path))];
  throw invalidField(prefix + name, expected, valueAt(candidate, path));
}

/** JSON Pointer, RFC 6901. */
const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');

function schemaAt(schema: FieldSchema, path: readonly string[]): FieldSchema {
  let found = schema;
  for (const part of path) found = found.properties?.[part] ?? found.items ?? found;
  return found;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const part of path) found = (found as Record<string, unknown> | undefined)?.[part];
  return found;
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'a JSON object',
};

const expectation = ({ expected, type }: FieldSchema) => expected ?? WORDS[type ?? ''] ?? 'another value';

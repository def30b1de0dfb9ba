/** The query and the path of a request, as the schemas of the route say: texts become numbers and switches, and are checked. */
import type { Static, TObject } from 'typebox';
import type { Context } from './route.ts';
import { validate } from './validate.ts';

/** What this module reads of a parameter's schema. */
interface ParameterSchema {
  readonly type?: string;
  readonly default?: unknown;
}

/**
 * Parameters that the schema does not name are ignored, an empty text turns a switch on (`?annotate`), and of a parameter that comes
 * several times the last counts where the schema wants one. Defaults of the schema are filled in.
 * @throws {ServerError} 400 that names the parameter (`?limit`), what was expected and what came
 */
export function readQuery<Schema extends TObject>(
  ctx: Context,
  schema: Schema,
  { emptyIsMissing = false } = {},
): Static<Schema> {
  const given = emptyIsMissing
    ? Object.fromEntries(Object.entries(ctx.query).filter(([, text]) => text !== ''))
    : ctx.query;
  return readTexts(schema, given, '?');
}

/** The parameters in the path: `readQuery`'s rules. */
export function readPath<Schema extends TObject>(ctx: Context, schema: Schema): Static<Schema> {
  return readTexts(schema, ctx.params, '');
}

function readTexts<Schema extends TObject>(
  schema: Schema,
  given: Readonly<Record<string, string | string[] | undefined>>,
  prefix: string,
): Static<Schema> {
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(schema.properties as Record<string, ParameterSchema>)) {
    const texts = given[name];
    if (texts !== undefined) values[name] = converted(texts, parameter);
    else if (parameter.default !== undefined) values[name] = parameter.default;
  }
  return validate(schema, values, prefix);
}

/** What does not fit stays text, for the validation to refuse. */
function converted(given: string | readonly string[], { type }: ParameterSchema): unknown {
  if (type === 'array') return [given].flat();
  const text = typeof given === 'string' ? given : (given.at(-1) ?? '');
  if (type === 'boolean') {
    if (['', '1', 'true'].includes(text)) return true;
    return ['0', 'false'].includes(text) ? false : text;
  }
  // Number() would also take '0x10', '1e3' and ' '.
  const isNumber = type === 'integer' ? /^-?\d{1,16}$/ : /^-?\d{1,20}(\.\d{1,20})?$/;
  return (type === 'integer' || type === 'number') && isNumber.test(text) ? Number(text) : text;
}

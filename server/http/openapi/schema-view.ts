/** A JSON Schema for people: its type in words, and its fields as a table. */
import { type Html, html, type Piece, prose } from './html.ts';
import type { JsonSchema } from './json-schema.ts';

interface Field {
  /** With the names of the objects around it: `students[].userId`. */
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

const COMPONENT = '#/components/schemas/';

/** Such as `array of integer, 1 to 64 items`; a named schema is a link to it. */
export function typeInWords(schema: JsonSchema): Html {
  const reference = referenceOf(schema);
  if (reference !== null) return html`<a href="#schema-${reference}">${reference}</a>`;
  const alternatives = (schema.anyOf ?? schema.allOf) as JsonSchema[] | undefined;
  if (alternatives !== undefined) return joined(alternatives.map(typeInWords), ' or ');
  if ('const' in schema) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (Array.isArray(schema.enum))
    return joined(
      schema.enum.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      ', ',
    );
  if (schema.type === 'array')
    return html`array of ${typeInWords((schema.items ?? {}) as JsonSchema)}${limits(schema.minItems, schema.maxItems, ' items')}`;
  if (schema.type === undefined) return html`anything`;
  const { minimum, maximum, minLength, maxLength } = schema;
  return html`${String(schema.type)}${limits(minimum, maximum, '')}${limits(minLength, maxLength, ' characters')}`;
}

/** Null for what has no fields to show. */
export function fieldTable(schema: JsonSchema, caption: string): Html | null {
  const alternatives = (schema.anyOf as JsonSchema[] | undefined)?.filter(
    (one) => fieldsOf(one, '').length > 0,
  );
  if (alternatives !== undefined && alternatives.length > 1)
    return html`${alternatives.map((one, index) => fieldTable(one, `${caption}, ${index === 0 ? 'either' : 'or'}`))}`;
  const fields = fieldsOf(alternatives?.[0] ?? schema, '');
  if (fields.length === 0) return null;
  return table(caption, ['field', 'type', 'meaning'], fields.map(fieldRow));
}

export function table(caption: string, heads: readonly string[], rows: readonly (readonly Piece[])[]): Html {
  return html`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([first = null, ...others]) =>
      html`<tr><th scope="row">${first}</th>${others.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody>
</table></div>`;
}

function fieldRow({ name, schema, required }: Field): Piece[] {
  const fallback =
    schema.default === undefined ? null : html`; without it <code>${JSON.stringify(schema.default)}</code>`;
  return [
    html`<code>${name}</code>${required ? null : html` <small>optional</small>`}`,
    typeInWords(schema),
    [prose(typeof schema.description === 'string' ? schema.description : ''), fallback],
  ];
}

/** The fields of an object, of what an array holds, and of the objects within: one row each. */
function fieldsOf(schema: JsonSchema, prefix: string): Field[] {
  if (schema.type === 'array') return fieldsOf((schema.items ?? {}) as JsonSchema, `${prefix}[]`);
  const required = (schema.required ?? []) as string[];
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  return properties.flatMap(([name, property]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const inner = fieldsOf(withoutNull(property), path);
    return [{ name: path, schema: property, required: required.includes(name) }, ...inner];
  });
}

function withoutNull(schema: JsonSchema): JsonSchema {
  const others = (schema.anyOf as JsonSchema[] | undefined)?.filter(({ type }) => type !== 'null');
  return others?.length === 1 ? others[0]! : schema;
}

function referenceOf({ $ref }: JsonSchema): string | null {
  return typeof $ref === 'string' && $ref.startsWith(COMPONENT) ? $ref.slice(COMPONENT.length) : null;
}

function limits(least: unknown, most: unknown, unit: string): string {
  if (least === undefined && most === undefined) return '';
  if (least === most) return `, ${least}${unit}`;
  if (most === undefined) return `, at least ${least}${unit}`;
  return least === undefined ? `, at most ${most}${unit}` : `, ${least} to ${most}${unit}`;
}

const joined = (pieces: readonly Html[], between: string): Html =>
  html`${pieces.map((piece, index) => (index === 0 ? piece : [between, piece]))}`;

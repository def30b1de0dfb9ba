/** Schemas of the routes as the OpenAPI document shows them: JSON Schema 2020-12, those with a title once, under `components`. */
import type { TSchema } from 'typebox';

export type JsonSchema = { [keyword: string]: unknown };

/** What a schema's title has to be for it to stand among the components. */
const COMPONENT_NAME = /^[A-Z][A-Za-z0-9]*$/;

export class Components {
  readonly schemas: Record<string, JsonSchema> = {};
  readonly #sources = new Map<string, unknown>();

  /**
   * The schema, or a reference to where it stands.
   * @throws {Error} where two different schemas bear one title: a fault of the program, found by its tests
   */
  add(schema: TSchema): JsonSchema {
    return this.#converted(schema) as JsonSchema;
  }

  #converted(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#converted(item));
    if (typeof value !== 'object' || value === null) return value;
    const { title } = value as { title?: unknown };
    if (typeof title !== 'string' || !COMPONENT_NAME.test(title)) return this.#plain(value);
    const source = this.#sources.get(title);
    if (source === undefined) {
      this.#sources.set(title, value);
      this.schemas[title] = this.#plain(value);
    } else if (source !== value && JSON.stringify(source) !== JSON.stringify(value))
      throw new Error(`two different schemas bear the title ${title}`);
    return { $ref: `#/components/schemas/${title}` };
  }

  #plain(schema: object): JsonSchema {
    const plain: JsonSchema = {};
    for (const [keyword, value] of Object.entries(schema)) {
      // Our own keyword, words for an error: said to the reader where nothing else is.
      if (keyword === 'expected') continue;
      if (keyword === 'properties') {
        const properties = Object.entries(value as Record<string, unknown>);
        plain.properties = Object.fromEntries(properties.map(([name, of]) => [name, this.#converted(of)]));
      } else if (keyword === 'patternProperties') {
        // What TypeBox writes for a record of anything.
        const [any] = Object.values(value as Record<string, unknown>);
        plain.additionalProperties = this.#converted(any);
      } else plain[keyword] = this.#converted(value);
    }
    const { expected } = schema as { expected?: unknown };
    if (typeof expected === 'string') plain.description ??= sentence(expected);
    return plain;
  }
}

const sentence = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

/** Holds real answers against what the routes say about themselves: the OpenAPI document's schemas, with nothing in them that it does not name. */
import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { createOpenApiDocument, type Operation } from '../../server/http/openapi/document.ts';
import type { JsonSchema } from '../../server/http/openapi/json-schema.ts';
import type { Route } from '../../server/http/route.ts';

export interface DescribedAnswers {
  /**
   * Returns the answer, its body still to be read.
   * @throws {AssertionError} where status, media type, fields, or the code of an error are not what the document says
   */
  check(method: string, path: string, answer: Response): Promise<Response>;
}

export function describedAnswers(routes: readonly Route[]): DescribedAnswers {
  const document = createOpenApiDocument(routes, { serviceName: 'test', version: '0', mode: 'devices' });
  const components = { schemas: closed(document.components.schemas) };
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  ajv.addSchema({ $id: 'document', components });
  const validators = new Map<JsonSchema, ValidateFunction>();
  const patterns = Object.entries(document.paths).map(([path, methods]) => ({
    // A path without parameters comes before one whose parameter would also take it.
    isPlain: !path.includes('{'),
    expression: new RegExp(`^${path.replace(/[.+*?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')}/?$`),
    methods,
  }));
  patterns.sort((a, b) => Number(b.isPlain) - Number(a.isPlain));

  function validator(schema: JsonSchema): ValidateFunction {
    const known = validators.get(schema);
    if (known !== undefined) return known;
    const made = ajv.compile(rebased(closed(schema)) as object);
    validators.set(schema, made);
    return made;
  }

  return {
    async check(method, target, answer) {
      const { pathname } = new URL(target, 'http://localhost');
      const sent = method === 'HEAD' ? 'get' : method.toLowerCase();
      const operation: Operation | undefined = patterns.find(
        ({ expression, methods }) => expression.test(pathname) && methods[sent] !== undefined,
      )?.methods[sent];
      // What no route answers is the router's affair.
      if (operation === undefined) return answer;
      const what = `${method} ${pathname} answered ${answer.status}`;
      const response = operation.responses[answer.status];
      assert.ok(response, `${what}, which ${operation.operationId} does not describe`);
      const type = answer.headers.get('content-type')?.split(';')[0] ?? null;
      if (type === null || method === 'HEAD') return answer;
      const described = response.content?.[type];
      assert.ok(described, `${what} with ${type}, which ${operation.operationId} does not describe`);
      if (type !== 'application/json') return answer;
      const body: unknown = await answer.clone().json();
      const validate = validator(described.schema);
      if (!validate(body)) {
        const [error] = validate.errors!;
        const detail = `${error!.instancePath || 'the body'} ${error!.message} ${JSON.stringify(error!.params)}`;
        assert.fail(
          `${what}, not as ${operation.operationId} describes: ${detail} in ${JSON.stringify(body).slice(0, 600)}`,
        );
      }
      return answer;
    },
  };
}

/** Objects that name their fields have no others; a part of an `allOf` does not know those of its neighbours. */
function closed(value: unknown, within = ''): JsonSchema {
  if (Array.isArray(value)) return value.map((item) => closed(item, within)) as never;
  if (typeof value !== 'object' || value === null) return value as never;
  const schema = value as JsonSchema;
  const copy: JsonSchema = Object.fromEntries(
    Object.entries(schema).map(([keyword, inner]) => [keyword, closed(inner, keyword)]),
  );
  // `properties` may itself hold a field of that name.
  if (within !== 'properties' && within !== 'allOf' && schema.properties !== undefined)
    copy.additionalProperties ??= false;
  return copy;
}

/** References of the document point into the schema that ajv knows by its id. */
const rebased = (schema: JsonSchema): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/'));

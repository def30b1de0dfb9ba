/** The OpenAPI 3.1 document of the routes: made from what they say about themselves, so that it cannot tell anything else. */
import type { TObject, TSchema } from 'typebox';
import type { Access, Route } from '../route.ts';
import { type Content, type RouteDescription, TAGS } from '../route-description.ts';
import { SESSION_COOKIE } from '../session-cookie.ts';
import { errorResponses } from './errors.ts';
import { Components, type JsonSchema } from './json-schema.ts';

export interface DocumentOptions {
  readonly serviceName: string;
  readonly version: string;
  /** What needs a key on this server. */
  readonly mode: 'devices' | 'strict' | 'open';
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  readonly headers?: Readonly<Record<string, unknown>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

const SECURITY_SCHEMES = {
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'The API key: opens everything.',
  },
  deviceKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'DEVICE_KEY: good for what boards send, and for nothing else.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description: "The page's sign-in; counts only for requests that a page of this server makes.",
  },
  readToken: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'A token of `GET /api/v1/token`: good for reading, for minutes.',
  },
} as const;

const INTRODUCTION =
  'Errors of the device API are `{success: false, error, detail, code}`, those of the attendance API `{status, message, code}`. Fields and parameters that are not named here are ignored. GET can also be HEAD.';

export function createOpenApiDocument(routes: readonly Route[], options: DocumentOptions): OpenApiDocument {
  const components = new Components();
  const paths: Record<string, Record<string, Operation>> = {};
  const tags = new Set<string>();
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    tags.add(route.description.tag);
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operation(route, route.description, components, options.mode),
    };
  }
  return {
    openapi: '3.1.1',
    info: { title: options.serviceName, version: options.version, description: INTRODUCTION },
    servers: [{ url: '/', description: 'This server' }],
    tags: Object.entries(TAGS)
      .filter(([name]) => tags.has(name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, schemas: components.schemas },
  };
}

function operation(
  route: Route,
  description: RouteDescription,
  components: Components,
  mode: DocumentOptions['mode'],
): Operation {
  const { operationId, summary, details, tag, body, answers } = description;
  const parameters = [
    ...pathParameters(route, components),
    ...(['query', 'headers'] as const).flatMap((place) =>
      description[place] === undefined ? [] : parametersOf(description[place], place, components),
    ),
  ];
  const responses: Record<string, Response> = {};
  for (const [status, answer] of Object.entries(answers))
    responses[status] = {
      description: answer.description,
      ...(answer.headers === undefined ? {} : { headers: headersOf(answer.headers, components) }),
      ...(answer.content === undefined ? {} : { content: contentOf(answer.content, components) }),
    };
  return {
    operationId,
    summary,
    ...(details === undefined ? {} : { description: details }),
    tags: [tag],
    security: securityOf(route.access, mode),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.optional !== true, content: contentOf(body.content, components) } }),
    responses: {
      ...responses,
      ...(errorResponses(route, components, Object.keys(answers).map(Number)) as Record<string, never>),
    },
  };
}

function securityOf(access: Access, mode: DocumentOptions['mode']): Operation['security'] {
  const schemes: Record<Access, (keyof typeof SECURITY_SCHEMES)[]> = {
    public: [],
    board: mode === 'strict' ? ['apiKey', 'deviceKey', 'session'] : [],
    read: mode === 'open' ? [] : ['apiKey', 'session', 'readToken'],
    key: mode === 'open' ? [] : ['apiKey', 'session'],
    always: ['apiKey', 'session'],
  };
  return schemes[access].map((name) => ({ [name]: [] }));
}

function pathParameters({ path, description }: Route, components: Components): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => {
    const described = description.path?.properties[name!] as TSchema | undefined;
    const schema = described === undefined ? { type: 'string' } : components.add(described);
    return { name: name!, in: 'path', required: true, ...lifted(schema) };
  });
}

function parametersOf(schema: TObject, place: 'query' | 'headers', components: Components): Parameter[] {
  const required = (schema as { required?: readonly string[] }).required ?? [];
  return Object.entries(schema.properties as Record<string, TSchema>).map(([name, property]) => ({
    name,
    in: place === 'headers' ? 'header' : 'query',
    required: required.includes(name) && !('default' in property),
    ...lifted(components.add(property)),
  }));
}

/** A parameter's description stands beside its schema. */
function lifted({ description, ...schema }: JsonSchema): Pick<Parameter, 'description' | 'schema'> {
  return { ...(typeof description === 'string' ? { description } : {}), schema };
}

const headersOf = (schema: TObject, components: Components) =>
  Object.fromEntries(
    Object.entries(schema.properties as Record<string, TSchema>).map(([name, property]) => [
      name,
      lifted(components.add(property)),
    ]),
  );

const contentOf = (content: Content, components: Components) =>
  Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, { schema: components.add(schema) }]),
  );

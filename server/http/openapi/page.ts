/** The OpenAPI document as a page: plain HTML, no script, one stylesheet. */
import type { OpenApiDocument, Operation, Parameter, Response } from './document.ts';
import { type Html, html, prose } from './html.ts';
import type { JsonSchema } from './json-schema.ts';
import { fieldTable, table, typeInWords } from './schema-view.ts';

export interface PageLinks {
  readonly stylesheet: string;
  readonly document: string;
}

interface NamedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const SECURITY_WORDS: Readonly<Record<string, string>> = {
  apiKey: 'the API key',
  deviceKey: "a board's key",
  session: "the page's sign-in",
  readToken: 'a read token',
};

export function renderDocumentation(document: OpenApiDocument, links: PageLinks): string {
  const { info, tags, components } = document;
  const operations: NamedOperation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const chapters = tags.map((tag) => ({
    ...tag,
    operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>API of ${info.title}</title>
<link rel="stylesheet" href="${links.stylesheet}">
</head>
<body>
<nav aria-label="Calls">
<p><a href="#top">API of ${info.title}</a></p>
${chapters.map(
  ({ name, operations: calls }) => html`<details open><summary>${name}</summary><ul>${calls.map(
    ({ method, path, operation }) =>
      html`<li><a class="call" href="#${operation.operationId}"><b class="${method.toLowerCase()}">${method}</b> ${breakable(path)}</a></li>`,
  )}</ul></details>
`,
)}
<p><a href="#schemas">Schemas</a></p>
</nav>
<main id="top">
<h1>API of ${info.title}</h1>
<p class="lead">Version ${info.version}. The same for programs: <a href="${links.document}">OpenAPI 3.1</a>.</p>
<p>${prose(info.description)}</p>
${table(
  'How a caller shows who it is',
  ['name', 'where', 'good for'],
  Object.entries(components.securitySchemes).map(
    ([scheme, { in: place = '', name = '', description = '' }]) => [
      SECURITY_WORDS[scheme] ?? scheme,
      html`${place} <code>${name}</code>`,
      prose(description),
    ],
  ),
)}
${chapters.map(
  ({ name, description, operations: calls }) => html`<section id="chapter-${name}">
<h2>${description}</h2>
${calls.map(renderOperation)}</section>
`,
)}
<section id="schemas">
<h2>Schemas</h2>
${Object.entries(components.schemas).map(
  ([name, schema]) => html`<article id="schema-${name}">
<h3>${name}</h3>
<p>${prose(String(schema.description ?? ''))}</p>
${fieldTable(schema, 'Fields') ?? html`<p>${typeInWords(schema)}</p>`}
</article>
`,
)}</section>
</main>
</body>
</html>
`.text;
}

function renderOperation({ method, path, operation }: NamedOperation): Html {
  const { operationId, summary, description, security, parameters = [], requestBody, responses } = operation;
  const needs = security.flatMap((scheme) => Object.keys(scheme)).map((name) => SECURITY_WORDS[name] ?? name);
  return html`<article id="${operationId}">
<h3><a class="anchor" href="#${operationId}"><b class="${method.toLowerCase()}">${method}</b> <code>${breakable(path)}</code></a></h3>
<p>${prose(summary)}.${description === undefined ? null : html` ${prose(description)}`}</p>
<p class="needs">${needs.length === 0 ? 'Open to everybody.' : `Needs ${needs.join(' or ')}.`} <small>${operationId}</small></p>
${parameters.length === 0 ? null : table('Parameters', ['name', 'type', 'meaning'], parameters.map(parameterRow))}
${requestBody === undefined ? null : bodyOf(requestBody.content, requestBody.required ? 'Body' : 'Body, if any')}
${Object.entries(responses)
  .filter(([, response]) => !isError(response))
  .map(([status, response]) => answer(status, response))}
${table(
  'Errors',
  ['status', 'codes', 'meaning'],
  Object.entries(responses)
    .filter(([, response]) => isError(response))
    .map(([status, response]) => [status, codesOf(response), prose(response.description)]),
)}
</article>
`;
}

function parameterRow({ name, in: place, required, description = '', schema }: Parameter) {
  const fallback =
    schema.default === undefined ? null : html`; without it <code>${JSON.stringify(schema.default)}</code>`;
  return [
    html`<code>${name}</code> <small>${place}${required ? '' : ', optional'}</small>`,
    typeInWords(schema),
    [prose(description), fallback],
  ];
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** Media types that take the same are shown together. */
function bodyOf(content: Content, caption: string): Html {
  const groups = Map.groupBy(Object.entries(content), ([, { schema }]) => JSON.stringify(schema));
  return html`${[...groups.values()].map((group) => {
    const schema = group[0]![1].schema;
    const types = group.map(([type]) => type).join(', ');
    const note = typeof schema.description === 'string' ? `${schema.description}. ` : '';
    const fields = fieldTable(schema, `${caption}: ${types}`);
    if (fields !== null) return html`${note === '' ? null : html`<p>${prose(note)}</p>`}${fields}`;
    return html`<p>${caption}: <code>${types}</code>. ${schema.type === undefined && schema.$ref === undefined ? prose(note) : typeInWords(schema)}</p>`;
  })}`;
}

function answer(status: string, response: Response): Html {
  const { description, headers, content } = response;
  const names = headers === undefined ? [] : Object.keys(headers);
  return html`<h4>${status}</h4>
<p>${prose(description)}${names.length === 0 ? null : html` Headers: ${names.join(', ')}.`}</p>
${content === undefined ? null : bodyOf(content, 'Answer')}`;
}

/** The codes that stand beside the envelope; null where the response is no error. */
function errorCodesOf({ content }: Response): readonly string[] | null {
  const parts = content?.['application/json']?.schema.allOf as JsonSchema[] | undefined;
  const properties = parts?.[1]?.properties as { code?: { enum?: string[] } } | undefined;
  return properties?.code?.enum ?? null;
}

const isError = (response: Response) => errorCodesOf(response) !== null;

const codesOf = (response: Response) =>
  html`${(errorCodesOf(response) ?? []).map((code) => html`<code>${code}</code> `)}`;

/** A long path may be broken at its slashes. */
const breakable = (path: string) =>
  html`${path.split('/').map((part, index) => (index === 0 ? part : [html`<wbr>`, `/${part}`]))}`;

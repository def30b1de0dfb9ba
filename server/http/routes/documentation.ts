/** The documentation of the API: OpenAPI for programs, a page of it for people. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { docsDescription, docsStyleDescription, openApiDescription } from '../descriptions/documentation.ts';
import { createOpenApiDocument, type DocumentOptions } from '../openapi/document.ts';
import { renderDocumentation } from '../openapi/page.ts';
import type { Context, Route } from '../route.ts';

const DOCUMENT_PATH = '/api/v1/openapi.json';
const PAGE_PATH = '/api/docs';
const STYLE_PATH = '/api/docs.css';
const STYLE_FILE = new URL('../openapi/style.css', import.meta.url);
/** No script at all, and the one stylesheet. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Prepared {
  readonly document: Resource;
  readonly page: Resource;
  readonly style: Resource;
}

interface Resource {
  readonly text: string;
  readonly etag: string;
}

/** The routes and those that document them, themselves included. */
export function withDocumentation(options: DocumentOptions, others: readonly Route[]): Route[] {
  const common = { method: 'GET', access: 'public' } as const;
  const routes: Route[] = [
    ...others,
    {
      ...common,
      path: DOCUMENT_PATH,
      description: openApiDescription,
      handle: (ctx) => send(ctx, 'application/json', prepared().document),
    },
    {
      ...common,
      path: PAGE_PATH,
      description: docsDescription,
      handle: (ctx) => send(ctx, 'text/html', prepared().page),
    },
    {
      ...common,
      path: STYLE_PATH,
      description: docsStyleDescription,
      handle: (ctx) => send(ctx, 'text/css', prepared().style),
    },
  ];
  let made: Prepared | null = null;

  /** Made when somebody asks: most servers run for months without that. */
  function prepared(): Prepared {
    if (made !== null) return made;
    const document = createOpenApiDocument(routes, options);
    made = {
      document: resource(`${JSON.stringify(document, null, 1)}\n`),
      page: resource(renderDocumentation(document, { stylesheet: STYLE_PATH, document: DOCUMENT_PATH })),
      style: resource(readFileSync(STYLE_FILE, 'utf8')),
    };
    return made;
  }

  return routes;
}

const resource = (text: string): Resource => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});

function send(ctx: Context, type: string, { text, etag }: Resource): void {
  ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  ctx.set('Cache-Control', 'no-cache');
  ctx.set('ETag', etag);
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.type = type;
  ctx.body = text;
}

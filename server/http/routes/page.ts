/** The page: its document for browsers, and the files that its build made. */
import { createHash } from 'node:crypto';
import type { Page, PageFile } from '../../dashboard/bundle.ts';
import { notFound, ServerError } from '../../errors.ts';
import { pagePartDescription, rootDescription, signInPageDescription } from '../descriptions/page.ts';
import type { Context, Route } from '../route.ts';

export interface PageDependencies {
  /** The built page; rejects where it could not be built. */
  readonly page: () => Promise<Page>;
  /** What others than browsers are told at `/`. */
  readonly greet: (ctx: Context) => void;
}

/** No script and no style of any other origin, none within the document; WebAssembly for the networks that run in the browser. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function pageRoutes({ page, greet }: PageDependencies): Route[] {
  async function root(ctx: Context): Promise<void> {
    ctx.vary('Accept');
    if (ctx.accepts(['json', 'html']) === 'html') await sendDocument(ctx);
    else greet(ctx);
  }

  async function sendDocument(ctx: Context): Promise<void> {
    const { document } = await built(page);
    ctx.set('Permissions-Policy', 'camera=(self), microphone=(), geolocation=()');
    // Browsers complain of it on pages that are not secure.
    if (ctx.secure) ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
    ctx.set('Cache-Control', 'no-cache');
    send(ctx, document);
  }

  async function sendPart(ctx: Context): Promise<void> {
    const file = (await built(page)).files.get(String(ctx.params.name));
    if (file === undefined) throw notFound('this part of the page');
    // The name holds a hash of the content.
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
    send(ctx, file);
  }

  return [
    { method: 'GET', path: '/', access: 'public', description: rootDescription, handle: root },
    // The secret in the query is for the script of the page: looking at a link ahead of time does not use it up.
    {
      method: 'GET',
      path: '/sign-in',
      access: 'public',
      description: signInPageDescription,
      handle: sendDocument,
    },
    {
      method: 'GET',
      path: '/page/:name',
      access: 'public',
      frequent: true,
      description: pagePartDescription,
      handle: sendPart,
    },
  ];
}

function send(ctx: Context, { type, bytes, brotli, gzip }: PageFile): void {
  // A worker lives by the policy that its own script came with.
  ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  ctx.vary('Accept-Encoding');
  const encoding = brotli && gzip ? ctx.acceptsEncodings('br', 'gzip', 'identity') : 'identity';
  const body = encoding === 'br' ? brotli! : encoding === 'gzip' ? gzip! : bytes;
  if (body !== bytes) ctx.set('Content-Encoding', String(encoding));
  ctx.set('ETag', `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`);
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.type = type;
  ctx.body = body;
}

async function built(page: () => Promise<Page>): Promise<Page> {
  try {
    return await page();
  } catch (cause) {
    throw new ServerError(
      503,
      'PAGE_NOT_BUILT',
      'the page could not be built: the log of the server says why',
      { cause },
    );
  }
}

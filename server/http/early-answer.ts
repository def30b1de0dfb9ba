/** Answers a request whose body was not read to its end, so that the client really gets the answer. */
import type { Context } from './route.ts';

/** How long, and how much, of an unwanted body is thrown away before the connection is cut. */
const LINGER_MS = 2000;
const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * Where the body is still under way, takes the answer over from Koa: sends it whole, with `Connection: close`, and goes on throwing
 * the body away for a while before it hangs up. Closing at once makes the kernel send a reset, and clients that are
 * still sending then never see the answer.
 */
export function answerEarly(ctx: Context): void {
  const { req, res } = ctx;
  if (req.complete || !hasBody(ctx) || !ctx.writable || res.headersSent) return;
  ctx.respond = false;
  const body = Buffer.from(JSON.stringify(ctx.body));
  ctx.set('Connection', 'close');
  ctx.type = 'application/json';
  ctx.length = body.length;
  // A client that waits for 100 Continue sends nothing more after this answer.
  if (/^100-continue$/i.test(ctx.get('Expect')) && !req.readableDidRead) {
    res.end(body);
    return;
  }
  res.write(body);
  let discardedBytes = 0;
  const hangUp = () => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(hangUp, LINGER_MS);
  req.on('data', (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > LINGER_BYTES) hangUp();
  });
  req.once('end', hangUp).once('close', hangUp).once('error', hangUp);
  req.resume();
}

function hasBody(ctx: Context): boolean {
  return ctx.req.headers['transfer-encoding'] !== undefined || (ctx.request.length ?? 0) > 0;
}

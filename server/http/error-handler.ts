/** Turns whatever a request threw into an answer, in the words of the API that was called. */
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { answerEarly } from './early-answer.ts';
import type { Context } from './route.ts';

export function createErrorHandler(log: Log, metrics: Metrics) {
  return async function handleErrors(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    try {
      await next();
    } catch (thrown) {
      const error = thrown instanceof ServerError ? thrown : unexpected(thrown, ctx, log);
      metrics.errors.inc({ code: error.code });
      // What a handler had prepared before it failed must not describe the error.
      for (const name of ['Content-Type', 'Content-Length', 'ETag', 'Last-Modified', 'Cache-Control'])
        ctx.remove(name);
      ctx.status = error.status;
      if (error.retryAfterS !== null) ctx.set('Retry-After', String(error.retryAfterS));
      ctx.body = envelope(ctx.state.route?.envelope ?? 'device', error);
      answerEarly(ctx);
    }
  };
}

/** The body of an error: `{success, error, detail, code}` for boards and older clients, `{status, message, code}` for the attendance API. */
export function envelope(
  kind: 'device' | 'attendance',
  error: Pick<ServerError, 'status' | 'code' | 'message'>,
) {
  return kind === 'attendance'
    ? { status: error.status, message: error.message, code: error.code }
    : { success: false, error: error.message, detail: error.message, code: error.code };
}

function unexpected(thrown: unknown, ctx: Context, log: Log): ServerError {
  if (!ctx.req.complete && ctx.req.destroyed) {
    // The client left; nobody reads the answer.
    log.debug({ requestId: ctx.state.requestId, err: thrown }, 'client left');
    return new ServerError(400, 'CLIENT_LEFT', 'the client left before its request was complete');
  }
  const fromKoa = thrown as { status?: unknown; expose?: unknown; message?: string };
  // Koa and its router throw http-errors for malformed paths and the like.
  if (fromKoa.expose === true && typeof fromKoa.status === 'number' && fromKoa.status < 500)
    return new ServerError(fromKoa.status, 'BAD_REQUEST', fromKoa.message ?? 'bad request');
  log.error(
    { requestId: ctx.state.requestId, method: ctx.method, path: ctx.path, err: thrown },
    'unexpected error',
  );
  return new ServerError(
    500,
    'INTERNAL_ERROR',
    `internal error; the log has it under request ${ctx.state.requestId}`,
  );
}

/** Sends a stored file: whole, or the one range that was asked for (RFC 9110 section 14). */
import type { FileHandle } from 'node:fs/promises';
import { rangeNotSatisfiable } from '../errors.ts';
import type { Context } from './route.ts';

export interface OpenedFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  readonly type: string;
}

/** Answers with the file, and closes it when the answer is through or the client is gone. */
export async function sendFile(ctx: Context, file: OpenedFile): Promise<void> {
  try {
    const etag = `"${file.sizeBytes.toString(36)}-${file.modifiedAt.getTime().toString(36)}"`;
    ctx.set('Accept-Ranges', 'bytes');
    ctx.set('ETag', etag);
    ctx.lastModified = file.modifiedAt;
    // Stored pictures never change, but they are removed, and they are nobody else's business.
    ctx.set('Cache-Control', 'private, max-age=60');
    ctx.type = file.type;
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      await file.handle.close();
      return;
    }
    const range = requestedRange(ctx, file.sizeBytes, etag, file.modifiedAt);
    if (range !== null) {
      ctx.status = 206;
      ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${file.sizeBytes}`);
    }
    const { start, end } = range ?? { start: 0, end: file.sizeBytes - 1 };
    ctx.length = end - start + 1;
    if (ctx.method === 'HEAD' || file.sizeBytes === 0) {
      await file.handle.close();
      // Koa answers with the words of the status where there is no body at all.
      if (ctx.method !== 'HEAD') ctx.body = Buffer.alloc(0);
      return;
    }
    // The stream owns the handle from here on: Koa destroys it when the client leaves, and that closes the file.
    ctx.body = file.handle.createReadStream({ start, end });
    ctx.type = file.type;
    ctx.length = end - start + 1;
  } catch (error) {
    await file.handle.close();
    throw error;
  }
}

interface ByteRange {
  /** Both ends are included. */
  readonly start: number;
  readonly end: number;
}

/** Null for the whole file: no range asked for, several at once, one that is no range, or one of an older file. */
function requestedRange(ctx: Context, sizeBytes: number, etag: string, modifiedAt: Date): ByteRange | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(ctx.get('Range').trim());
  if (match === null || (match[1] === '' && match[2] === '')) return null;
  if (!isAboutThisFile(ctx.get('If-Range'), etag, modifiedAt)) return null;
  const last = sizeBytes - 1;
  const start = match[1] === '' ? Math.max(0, sizeBytes - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? last : Math.min(Number(match[2]), last);
  if (start > last || start > end) {
    ctx.set('Content-Range', `bytes */${sizeBytes}`);
    throw rangeNotSatisfiable(sizeBytes);
  }
  return { start, end };
}

/** If-Range: a range of another version would not fit to what the client has. */
function isAboutThisFile(condition: string, etag: string, modifiedAt: Date): boolean {
  if (condition === '' || condition === etag) return true;
  // An HTTP date has whole seconds; what is no date is no match.
  return Date.parse(condition) >= Math.floor(modifiedAt.getTime() / 1000) * 1000;
}

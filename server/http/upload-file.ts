/** Takes one file of a multipart form to disk as it comes: no more of it is in memory than a piece that the network brought. */
import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bodyIncomplete, malformedMultipart, type ServerError, unsupportedMediaType } from '../errors.ts';
import { multipartBoundary } from './multipart.ts';
import type { Context } from './route.ts';

export interface UploadedFile {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface UploadFileOptions {
  /** The form's field that holds the file; other fields are passed over. */
  readonly field: string;
  readonly folder: string;
  /** Of the file. */
  readonly maxBytes: number;
  readonly tooLarge: () => ServerError;
}

const MAX_PART_HEADER_BYTES = 8192;
const MAX_PARTS = 64;
/** Beyond the file: other fields, headers, boundaries. */
const MAX_OTHER_BYTES = 1024 * 1024;
const CRLF = Buffer.from('\r\n');
const HEADER_END = Buffer.from('\r\n\r\n');

/**
 * Null where the form has no such file, or an empty one. The caller removes the file.
 * @throws {ServerError} `tooLarge()`, 400 for a body that is cut off or no form, 415 for a compressed one
 */
export async function receiveFile(ctx: Context, options: UploadFileOptions): Promise<UploadedFile | null> {
  const boundary = multipartBoundary(ctx.get('Content-Type'));
  if (boundary === null) return null;
  const encoding = ctx.get('Content-Encoding');
  if (encoding !== '' && encoding !== 'identity')
    throw unsupportedMediaType('a body without Content-Encoding', encoding);
  const declaredBytes = ctx.request.length;
  if (declaredBytes !== undefined && declaredBytes > options.maxBytes + MAX_OTHER_BYTES)
    throw options.tooLarge();
  if (/^100-continue$/i.test(ctx.get('Expect'))) ctx.res.writeContinue();

  const path = join(options.folder, `${randomUUID()}.upload`);
  const file = await open(path, 'wx', 0o600);
  let sizeBytes = 0;
  let found = false;
  let kept = false;
  const body = bodyOf(ctx);
  try {
    const reader = new PartReader(boundary, body);
    for (let parts = 0; await reader.nextPart(); parts++) {
      if (parts === MAX_PARTS) throw malformedMultipart(`more than ${MAX_PARTS} parts`);
      const isFile: boolean = !found && reader.name === options.field;
      found ||= isFile;
      let otherBytes = 0;
      for await (const piece of reader.content()) {
        if (!isFile) {
          otherBytes += piece.length;
          if (otherBytes > MAX_OTHER_BYTES) throw options.tooLarge();
          continue;
        }
        sizeBytes += piece.length;
        if (sizeBytes > options.maxBytes) throw options.tooLarge();
        await file.write(piece);
      }
    }
    kept = sizeBytes > 0;
    return kept ? { path, sizeBytes } : null;
  } finally {
    await body.return(undefined);
    await file.close();
    if (!kept) await rm(path, { force: true });
  }
}

async function* bodyOf(ctx: Context): AsyncGenerator<Buffer> {
  let receivedBytes = 0;
  try {
    // Leaving the loop must not destroy the request: the answer needs its connection.
    for await (const piece of ctx.req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      receivedBytes += piece.length;
      yield piece;
    }
  } catch {
    throw bodyIncomplete(receivedBytes, ctx.request.length);
  }
}

/** RFC 2046 section 5.1, over a body that comes in pieces. */
class PartReader {
  name = '';
  readonly #opening: Buffer;
  readonly #delimiter: Buffer;
  readonly #body: AsyncGenerator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);
  #begun = false;

  constructor(boundary: string, body: AsyncGenerator<Buffer>) {
    this.#opening = Buffer.from(`--${boundary}`);
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#body = body;
  }

  /** Goes to the next part; the one before has to be read to its end. False at the end of the form. */
  async nextPart(): Promise<boolean> {
    if (!this.#begun) {
      this.#begun = true;
      await this.#skipPreamble();
    }
    await this.#fill(2);
    if (this.#buffer.toString('latin1', 0, 2) === '--') return false;
    let headerEnd = this.#buffer.indexOf(HEADER_END);
    while (headerEnd === -1) {
      if (this.#buffer.length > MAX_PART_HEADER_BYTES)
        throw malformedMultipart('the header of a part does not end');
      await this.#more('the header of a part does not end');
      headerEnd = this.#buffer.indexOf(HEADER_END);
    }
    this.name = nameIn(this.#buffer.toString('utf8', 0, headerEnd));
    this.#buffer = this.#buffer.subarray(headerEnd + HEADER_END.length);
    return true;
  }

  /** The part's bytes, piece by piece. */
  async *content(): AsyncGenerator<Buffer> {
    for (;;) {
      const end = this.#buffer.indexOf(this.#delimiter);
      if (end !== -1) {
        if (end > 0) yield this.#buffer.subarray(0, end);
        this.#buffer = this.#buffer.subarray(end + this.#delimiter.length);
        return;
      }
      // The delimiter's beginning may stand at the end of what is here.
      const safe = this.#buffer.length - this.#delimiter.length + 1;
      if (safe > 0) {
        yield this.#buffer.subarray(0, safe);
        this.#buffer = this.#buffer.subarray(safe);
      }
      await this.#more('the closing boundary is missing');
    }
  }

  async #skipPreamble(): Promise<void> {
    await this.#fill(this.#opening.length);
    if (this.#buffer.subarray(0, this.#opening.length).equals(this.#opening)) {
      this.#buffer = this.#buffer.subarray(this.#opening.length);
      return;
    }
    this.#buffer = Buffer.concat([CRLF, this.#buffer]);
    let skippedBytes = 0;
    for await (const piece of this.content()) {
      skippedBytes += piece.length;
      if (skippedBytes > MAX_OTHER_BYTES)
        throw malformedMultipart('the boundary that Content-Type names does not occur');
    }
  }

  async #fill(lengthBytes: number): Promise<void> {
    while (this.#buffer.length < lengthBytes) await this.#more('the closing boundary is missing');
  }

  async #more(whatIsMissing: string): Promise<void> {
    const next = await this.#body.next();
    if (next.done) throw malformedMultipart(whatIsMissing);
    this.#buffer = this.#buffer.length === 0 ? next.value : Buffer.concat([this.#buffer, next.value]);
  }
}

function nameIn(header: string): string {
  const disposition = /^content-disposition:(.*)$/im.exec(header)?.[1] ?? '';
  const match = /;\s*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition);
  return match ? (match[1] ?? match[2] ?? '') : '';
}

/** Takes a whole multipart/form-data body apart (RFC 7578, RFC 2046 section 5.1). */
import { malformedMultipart } from '../errors.ts';

export interface Part {
  readonly name: string;
  readonly fileName: string | null;
  readonly type: string | null;
  /** A view into the body. */
  readonly bytes: Buffer;
}

const MAX_PARTS = 64;
const MAX_PART_HEADER_BYTES = 8192;
const CRLF = '\r\n';

/** The boundary that a Content-Type of multipart/form-data names, or null where there is none. */
export function multipartBoundary(contentType: string): string | null {
  const match = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  return match ? (match[1] ?? match[2] ?? null) : null;
}

/**
 * The parts of a body, in their order.
 * @throws {ServerError} 400 that says what is wrong: no boundary, the end missing, a part without a name, too many parts
 */
export function parseMultipart(body: Uint8Array, contentType: string): Part[] {
  const boundary = multipartBoundary(contentType);
  if (boundary === null) throw malformedMultipart('Content-Type names no boundary');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = `${CRLF}--${boundary}`;
  const parts: Part[] = [];

  // The first boundary may stand at the very beginning, or after a preamble that counts for nothing.
  const opening = `--${boundary}`;
  let position = bytes.subarray(0, opening.length).equals(Buffer.from(opening))
    ? 0
    : bytes.indexOf(delimiter) + CRLF.length;
  if (position === CRLF.length - 1)
    throw malformedMultipart('the boundary that Content-Type names does not occur');
  position += opening.length;

  for (;;) {
    if (bytes[position] === 0x2d && bytes[position + 1] === 0x2d) return parts;
    // Spaces after a boundary are allowed (RFC 2046 calls them transport padding).
    while (bytes[position] === 0x20 || bytes[position] === 0x09) position++;
    if (bytes.toString('latin1', position, position + 2) !== CRLF)
      throw malformedMultipart('a boundary is followed by neither a line end nor --');
    if (parts.length === MAX_PARTS) throw malformedMultipart(`more than ${MAX_PARTS} parts`);
    // A part without any header is two line ends in a row: looking from the first of them finds it.
    const headerEnd = bytes.indexOf(CRLF + CRLF, position);
    if (headerEnd === -1 || headerEnd - position > MAX_PART_HEADER_BYTES)
      throw malformedMultipart(`the header of part ${parts.length + 1} does not end`);
    const contentStart = headerEnd + 2 * CRLF.length;
    const contentEnd = bytes.indexOf(delimiter, contentStart);
    if (contentEnd === -1)
      throw malformedMultipart(`part ${parts.length + 1} does not end: the closing boundary is missing`);
    parts.push({
      ...parseHeader(bytes.toString('utf8', position + CRLF.length, headerEnd), parts.length + 1),
      bytes: bytes.subarray(contentStart, contentEnd),
    });
    position = contentEnd + delimiter.length;
  }
}

function parseHeader(header: string, number: number): Omit<Part, 'bytes'> {
  let disposition = '';
  let type: string | null = null;
  for (const line of header.split(CRLF)) {
    const colon = line.indexOf(':');
    const field = line.slice(0, colon).trim().toLowerCase();
    if (field === 'content-disposition') disposition = line.slice(colon + 1);
    if (field === 'content-type')
      type = line
        .slice(colon + 1)
        .trim()
        .toLowerCase();
  }
  const name = parameter(disposition, 'name');
  if (name === null || name === '')
    throw malformedMultipart(`part ${number} has no name in its Content-Disposition`);
  return { name, fileName: parameter(disposition, 'filename'), type };
}

function parameter(disposition: string, name: string): string | null {
  const match = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^\\s;"]+))`, 'i').exec(disposition);
  if (match === null) return null;
  // Browsers and fetch write these three in names as percent codes (the HTML standard's form encoding), and nothing else.
  return (match[1] ?? match[2] ?? '').replace(/%22|%0A|%0D/gi, (code) => decodeURIComponent(code));
}

/** Protocol buffers, as far as ONNX needs them: messages written field by field, and read field by field. */

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

const utf8 = new TextEncoder();

/** A message that is written. Bytes are kept by reference until `finish`: weights are copied once, at the very end. */
export class Message {
  readonly #chunks: Uint8Array[] = [];
  #lengthBytes = 0;

  /** @param value a whole number from 0 to 2^53 - 1 */
  int(field: number, value: number): this {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.byteLength);
    this.#push(value);
    return this;
  }

  message(field: number, value: Message): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.#lengthBytes);
    for (const chunk of value.#chunks) this.#push(chunk);
    return this;
  }

  /** A field of another message, as it stands there. */
  copy(field: Pick<Field, 'whole'>): this {
    this.#push(field.whole);
    return this;
  }

  finish(): Uint8Array {
    const target = new Uint8Array(this.#lengthBytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      target.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return target;
  }

  #varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`varint: expected a whole number from 0 on, received ${value}`);
    }
    const encoded: number[] = [];
    let rest = value;
    while (rest >= 128) {
      encoded.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    encoded.push(rest);
    this.#push(Uint8Array.from(encoded));
  }

  #push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#lengthBytes += chunk.byteLength;
  }
}

/** The bytes are no protocol buffer, or not the message that they should be. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** A field that was read. All bytes are views of the message. */
export interface Field {
  readonly number: number;
  /** Of a varint, as a signed 64-bit integer; null for any other kind of field. */
  readonly int: number | null;
  /** What the field holds, without its tag and length. */
  readonly payload: Uint8Array;
  /** The field with its tag. */
  readonly whole: Uint8Array;
}

/**
 * The fields of a message in their order, one after the other: nothing is allocated for lengths that the message only claims.
 * @throws ProtobufError where it is cut off or has a kind of field that nobody writes any more (groups)
 */
export function* fieldsOf(message: Uint8Array): Generator<Field, void> {
  let offset = 0;
  while (offset < message.length) {
    const start = offset;
    const tag = readVarint(message, offset);
    const number = Math.floor(tag.value / 8);
    const kind = tag.value - number * 8;
    if (number < 1 || number >= 2 ** 29)
      throw new ProtobufError(`byte ${start}: expected a field from 1 to 2^29 - 1, received ${number}`);
    let from = tag.end;
    let end: number;
    let int: number | null = null;
    if (kind === VARINT) ({ value: int, end } = readVarint(message, from));
    else if (kind === FIXED_32) end = from + 4;
    else if (kind === FIXED_64) end = from + 8;
    else if (kind === LENGTH_DELIMITED) {
      const length = readVarint(message, from);
      from = length.end;
      end = from + length.value;
    } else throw new ProtobufError(`byte ${start}: expected a field of kind 0, 1, 2 or 5, received ${kind}`);
    if (end < from || end > message.length)
      throw new ProtobufError(
        `byte ${start}: expected at most ${message.length - from} bytes, received a field of ${end - from}`,
      );
    yield { number, int, payload: message.subarray(from, end), whole: message.subarray(start, end) };
    offset = end;
  }
}

/**
 * The numbers of a repeated int64 field, which may be packed.
 * @throws ProtobufError for a field of another kind
 */
export function intsOf({ int, payload }: Field): number[] {
  if (int !== null) return [int];
  const values: number[] = [];
  for (let offset = 0; offset < payload.length; ) {
    const { value, end } = readVarint(payload, offset);
    values.push(value);
    offset = end;
  }
  return values;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws ProtobufError where the field holds no UTF-8 */
export function textOf({ payload }: Field): string {
  try {
    return strictUtf8.decode(payload);
  } catch (error) {
    throw new ProtobufError('expected text in UTF-8, received other bytes', { cause: error });
  }
}

/** A signed 64-bit integer; beyond 2^53 it is rounded. */
function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) throw new ProtobufError(`byte ${start}: expected a number, received the end`);
    value |= BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) return { value: Number(BigInt.asIntN(64, value)), end: start + i + 1 };
  }
  throw new ProtobufError(`byte ${start}: expected a number of at most 10 bytes, received a longer one`);
}

/** The id that a board gives itself: 1 to 128 printable characters. What may stand in a file name is frames.ts's affair. */
import { invalidField } from '../errors.ts';

const MAX_CHARACTERS = 128;

/** @returns the id without the white space around it @throws {ServerError} 400 that names the field */
export function checkDeviceId(text: unknown, field = 'deviceId'): string {
  const id = typeof text === 'string' ? text.trim() : '';
  if (id === '' || id.length > MAX_CHARACTERS || !isPrintable(id))
    throw invalidField(field, `1 to ${MAX_CHARACTERS} printable characters`, text);
  return id;
}

/** No control characters, and no half of a surrogate pair: neither a database nor a header can carry them. */
export function isPrintable(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return !/[\x00-\x1f\x7f]/.test(text) && text.isWellFormed();
}

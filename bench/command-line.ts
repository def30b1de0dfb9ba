/** The words after `npm run bench --`. */

/** What a person typed cannot be done; the message says it all. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface CommandLine {
  readonly names: readonly string[];
  readonly write: boolean;
  readonly strict: boolean;
  /** For the benches: `--count 500` or `--count=500`. */
  readonly options: Readonly<Record<string, string>>;
}

/** @throws UsageError for an option without its value */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const names: string[] = [];
  const switches = new Set<string>();
  const options: Record<string, string> = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (!word.startsWith('--')) {
      names.push(word);
      continue;
    }
    const [name, value] = splitOption(word.slice(2));
    if (name === 'write' || name === 'strict') {
      switches.add(name);
    } else if (value !== null) {
      options[name] = value;
    } else {
      const next = words[++i];
      if (next === undefined || next.startsWith('--'))
        throw new UsageError(`--${name}: expected a value after it, received ${next ?? 'nothing'}`);
      options[name] = next;
    }
  }
  return { names, write: switches.has('write'), strict: switches.has('strict'), options };
}

function splitOption(text: string): [name: string, value: string | null] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** @throws UsageError naming the option where it is not a whole number in that range */
export function wholeNumber(
  options: Readonly<Record<string, string>>,
  name: string,
  fallback: number,
  minimum: number,
  maximum: number,
): number {
  const text = options[name];
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= minimum && value <= maximum))
    throw new UsageError(
      `--${name}: expected a whole number from ${minimum} to ${maximum}, received ${text}`,
    );
  return value;
}

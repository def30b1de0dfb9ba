/** Reads the settings from the environment and from `.env`: the only place that touches process.env. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import Value from 'typebox/value';
import { StartError } from './errors.ts';
import {
  type Config,
  expectation,
  type SettingName,
  type SettingSchema,
  settingSchemas,
} from './settings.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Things worth a warning once there is a log: names that look like misspelt settings. */
  readonly warnings: readonly string[];
  /** Folders of programs, as PATH writes them. */
  readonly programPath: string;
}

/** A key that examples print: a server that still has it is open to everybody. */
const EXAMPLE_KEY = 'dev-api-key-change-in-production';

/**
 * From 1.29 on, ONNX Runtime on Linux and macOS collects what sessions and runs do, under a number that it keeps for the machine, and
 * sends it to its maker, unless this is set before its library is loaded: microsoft/onnxruntime, pull request 27379. Set by the main
 * thread, it is seen by the native code of all threads and of the processes that are started from here.
 */
export function keepOnnxRuntimeSilent(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}

/**
 * Settings from the environment, which wins, and from the `.env` file of the folder.
 * @throws {StartError} that lists every wrong value: its name, what was expected, what came (never a secret).
 */
export function loadConfig(folder: string = process.cwd(), environment = process.env): LoadedConfig {
  return parseConfig({ ...readEnvFile(resolve(folder, '.env')), ...withoutEmpty(environment) });
}

/** The configuration that these texts describe; an empty text counts as not set. */
export function parseConfig(texts: Readonly<Record<string, string | undefined>>): LoadedConfig {
  const given = withoutEmpty(texts);
  const wrong: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(settingSchemas) as [SettingName, SettingSchema][]) {
    const text = given[name];
    if (text === undefined) {
      if (schema.default !== undefined) config[name] = structuredClone(schema.default);
      continue;
    }
    const value = convert(text, schema);
    if (Value.Check(schema as never, value)) config[name] = value;
    else wrong.push(`${name}: expected ${expectation(schema)}, received ${shown(text, schema)}`);
  }
  for (const name of ['API_KEY', 'DEVICE_KEY'] as const) {
    if (config[name] === EXAMPLE_KEY)
      wrong.push(`${name}: expected a key of your own, received the one from the examples`);
  }
  if (config.API_KEY !== undefined && config.API_KEY === config.DEVICE_KEY)
    wrong.push('DEVICE_KEY: expected a key that differs from API_KEY, received the same');
  if (wrong.length > 0)
    throw new StartError(`the settings are wrong:\n${wrong.map((w) => `  ${w}`).join('\n')}`);
  return {
    config: config as unknown as Config,
    warnings: misspelt(Object.keys(given)),
    programPath: given.PATH ?? '',
  };
}

function convert(text: string, schema: SettingSchema): unknown {
  const trimmed = text.trim();
  if (schema.enum) return trimmed.toLowerCase();
  switch (schema.type) {
    case 'integer':
    case 'number':
      // Number() would also take '0x10', '1e3' and ' '.
      return /^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed;
    case 'boolean': {
      const word = trimmed.toLowerCase();
      if (['true', '1', 'yes', 'on'].includes(word)) return true;
      return ['false', '0', 'no', 'off'].includes(word) ? false : trimmed;
    }
    case 'array': {
      if (schema.word !== undefined && trimmed.toLowerCase() === schema.word) return [];
      const items = trimmed.split(',').map((item) => item.trim());
      return schema.items?.enum ? items.map((item) => item.toLowerCase()) : items;
    }
    default:
      return trimmed;
  }
}

function shown(text: string, schema: SettingSchema): string {
  if (schema.secret) return `${text.length} characters that are not shown`;
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function withoutEmpty(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, text] of Object.entries(texts)) {
    if (text !== undefined && text.trim() !== '') given[name] = text;
  }
  return given;
}

function readEnvFile(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new StartError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Names that are no setting but one slip away from one. Short names are too near to everything: one slip of four letters. */
function misspelt(names: readonly string[]): string[] {
  const settings = Object.keys(settingSchemas);
  const warnings: string[] = [];
  for (const name of names) {
    if (name in settingSchemas || name !== name.toUpperCase()) continue;
    const near = settings.find(
      (setting) => setting !== name && slips(name, setting) <= (setting.length > 8 ? 2 : 1),
    );
    if (near) warnings.push(`${name} is not a setting; did you mean ${near}?`);
  }
  return warnings;
}

/** Edits between two words: insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function slips(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows = Array.from({ length: a.length + 1 }, (_, i) => {
    const row = new Array<number>(b.length + 1).fill(0);
    row[0] = i;
    return row;
  });
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
}

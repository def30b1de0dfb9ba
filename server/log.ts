/** The log: JSON lines on standard output, or text for people. Secrets never reach it. */
import pino, { type Logger } from 'pino';
import { currentRequestId } from './request-context.ts';
import type { Config } from './settings.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: Config['LOG_LEVEL'];
  readonly format: Config['LOG_FORMAT'];
  /** Texts that are blotted out wherever they turn up in a line; may grow later. */
  readonly secrets: ReadonlySet<string>;
  readonly output?: NodeJS.WritableStream & { isTTY?: boolean };
}

/** `rtsp://user:password@host`: both parts before the @ are hidden, up to the last @ before the path. */
const CREDENTIALS_IN_URL = /([a-z][a-z0-9+.-]*:\/\/)[^\s"/]+@/gi;
/** Read tokens stand in queries, and queries stand in access lines. */
const TOKEN_IN_URL = /([?&](?:token|once)=)[^&\s"]+/g;

export function createLog({ level, format, secrets, output = process.stdout }: LogOptions): Log {
  const asText = showsText(format, output);
  const destination = {
    write(line: string) {
      output.write(blotOut(asText ? textLine(line) : line, secrets));
    },
  };
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      mixin: () => {
        const requestId = currentRequestId();
        return requestId === undefined ? {} : { requestId };
      },
      serializers: { err: pino.stdSerializers.err },
    },
    destination,
  );
}

/** Whether people read this output, not programs. */
export function showsText(format: Config['LOG_FORMAT'], output: NodeJS.WritableStream & { isTTY?: boolean }) {
  return format === 'text' || (format === 'auto' && output.isTTY === true);
}

function blotOut(line: string, secrets: ReadonlySet<string>): string {
  let clean = line.replace(CREDENTIALS_IN_URL, '$1***@').replace(TOKEN_IN_URL, '$1***');
  for (const secret of secrets) clean = clean.replaceAll(secret, '***');
  return clean;
}

function textLine(json: string): string {
  const { level, timestamp, message, err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const fields = Object.entries(rest).map(([name, value]) => ` ${name}=${plain(value)}`);
  const stack = (err as { stack?: string } | undefined)?.stack;
  return `${String(timestamp).slice(11, 23)} ${String(level).padEnd(5)} ${message ?? ''}${fields.join('')}${stack ? `\n${stack}` : ''}\n`;
}

/** Quoted where it could be taken for something else: clients must not be able to write lines of their own. */
function plain(value: unknown): string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : JSON.stringify(value);
}
